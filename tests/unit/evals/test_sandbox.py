"""Code of users computes, and reaches nothing: each attack here ends as a failure that says what was refused."""

from typing import Any

import pytest

from evals.errors import CodeFailed, CodeOutputInvalid, CodeTimedOut
from evals.sandbox.process import CodeProcess, SandboxLimits

TARGET: dict[str, Any] = {"observation": {"input": "2+2", "output": "4", "metadata": {"tier": "gold"}, "toolCalls": []}}
SHORT = SandboxLimits(seconds=1.5)
SMALL = SandboxLimits(seconds=60.0, result_bytes=16 << 10)

REFUSED = {
    "reads a file": "return open('/etc/passwd').read()",
    "writes a file": "return str(open('/tmp/heliograph-was-here', 'w'))",
    "lists a folder": "import os; return str(os.listdir('/'))",
    "reads memory of others": "import os; return str(os.open('/proc/self/mem', os.O_RDWR))",
    "removes a file": "import os; os.unlink('/tmp/heliograph-was-here')",
    "forks": "import os; return os.fork()",
    "forks without end": "import os\n    while True: os.fork()",
    "starts a program": "import os; os.execv('/bin/sh', ['sh'])",
    "opens a socket": "import _socket; return str(_socket.socket())",
    "imports the network": "import socket; return str(socket.socket())",
    "imports what is installed": "import numpy; return 1",
    "starts a thread": "import _thread; _thread.start_new_thread(print, ()); return 1",
    "signals others": "import os; os.kill(1, 9); return 1",
    "lifts its limits": "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)); return 1",
    "makes a pipe": "import os; return os.pipe()[0]",
}


def code(body: str) -> str:
    return f"def evaluate(ctx):\n    {body}\n"


@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED.keys())
async def test_code_that_reaches_out_fails(attack: str) -> None:
    async with CodeProcess(code(attack), SMALL) as process:
        with pytest.raises(CodeFailed) as refused:
            await process.evaluate(TARGET)
    assert refused.value.error in {"PermissionError", "ModuleNotFoundError", "ValueError", "RuntimeError"}


async def test_system_calls_in_machine_code_are_refused_too() -> None:
    # 41 is socket, 57 is fork on x86-64; on other machines these numbers are refused all the same.
    asking = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\ndef evaluate(ctx):\n    "
    asking += "return [libc.syscall(41, 2, 1, 0), libc.syscall(57)]\n"
    async with CodeProcess(asking, SMALL) as process:
        assert [score["value"] for score in await process.evaluate(TARGET)] == [-1, -1]


async def test_there_is_no_environment_and_no_argument() -> None:
    # The interpreter itself may set the name of its encoding.
    looking = "import os, sys; return f'{sorted(set(os.environ) - {\"LC_CTYPE\"})} {sys.argv}'"
    async with CodeProcess(code(looking), SMALL) as process:
        assert (await process.evaluate(TARGET))[0]["value"] == "[] ['-c']"


@pytest.mark.parametrize("greedy", ["return len('x' * (1 << 32))", "return len([0] * (1 << 29))"])
async def test_memory_is_bounded(greedy: str) -> None:
    async with CodeProcess(code(greedy), SMALL) as process:
        with pytest.raises(CodeFailed, match="MemoryError"):
            await process.evaluate(TARGET)


async def test_time_is_bounded_and_the_next_target_gets_a_fresh_process() -> None:
    looping = "while ctx.observation.output == 'loop': pass\n    return True"
    async with CodeProcess(code(looping), SHORT) as process:
        with pytest.raises(CodeTimedOut):
            await process.evaluate({"observation": {"output": "loop"}})
        assert (await process.evaluate(TARGET))[0]["value"] is True


async def test_output_is_bounded() -> None:
    async with CodeProcess(code("return 'x' * 100_000"), SMALL) as process:
        with pytest.raises(CodeOutputInvalid):
            await process.evaluate(TARGET)


@pytest.mark.parametrize(
    "forged", ["import os; os.write(1, b'no json\\n'); return 1", "import os; os.write(1, b'[]\\n')"]
)
async def test_what_is_written_past_the_protocol_is_an_error(forged: str) -> None:
    async with CodeProcess(code(forged), SMALL) as process:
        with pytest.raises(CodeOutputInvalid):
            await process.evaluate(TARGET)


async def test_an_exit_is_a_failure() -> None:
    async with CodeProcess(code("import os; os._exit(0)"), SMALL) as process:
        with pytest.raises(CodeFailed, match="ended"):
            await process.evaluate(TARGET)


@pytest.mark.parametrize("source", ["def judge(ctx): return 1", "def evaluate(ctx:", "1 / 0"])
async def test_code_that_cannot_be_loaded_says_why(source: str) -> None:
    async with CodeProcess(source, SMALL) as process:
        with pytest.raises(CodeFailed):
            await process.evaluate(TARGET)


async def test_results_are_read_in_every_form() -> None:
    saying = (
        "import math, re\n    print('not a result')\n"
        "    return EvaluationResult(scores=[Score(name='exact', value=ctx.observation.output == '4', "
        "data_type='BOOLEAN', comment=ctx.observation.metadata['tier']), {'value': math.floor(2.5)}])"
    )
    async with CodeProcess(code(saying), SMALL) as process:
        first, second = await process.evaluate(TARGET)
    assert (first["name"], first["value"], first["dataType"], first["comment"]) == ("exact", True, "BOOLEAN", "gold")
    assert (second["name"], second["value"]) == (None, 2)
