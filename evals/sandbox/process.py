"""The process that runs a user's code: started with nothing, given targets one by one, killed when it is late."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from evals.errors import CodeFailed, CodeOutputInvalid, CodeTimedOut, SandboxUnavailable

_ROOT = Path(__file__).parents[2]
# No path but ours, no packages, no environment: what the interpreter itself holds is all there is.
_BOOT = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from evals.sandbox.program import main; main()"
# Interpreter and modules take a tenth of a second; a busy machine takes its time.
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one process may use. `seconds` are of each target, by the clock; `cpu_seconds` of the whole process."""

    seconds: float = 10.0
    cpu_seconds: int = 60
    memory_bytes: int = 256 << 20
    result_bytes: int = 256 << 10


_LIMITS = SandboxLimits()


class CodeProcess:
    """Runs one evaluator's code on targets, one after another. Use it as a context; a broken one starts again."""

    def __init__(self, source: str, limits: SandboxLimits = _LIMITS) -> None:
        self._source, self._limits = source, limits
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def evaluate(self, context: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What the code says of one target: values with name, data type, comment and metadata where it gives them.

        Raises:
            CodeFailed: it raised, or its process ended, as when it takes too much memory.
            CodeTimedOut: it took too long.
            CodeOutputInvalid: what it said is too large, or not of its protocol.
            SandboxUnavailable: this system cannot confine it.
        """
        process = self._process or await self._started()
        answer = await self._asked(process, context, self._limits.seconds)
        if "failure" in answer:
            raise CodeFailed(str(answer["failure"]), str(answer.get("message", "")))
        scores = answer.get("scores")
        if not isinstance(scores, list):
            await self.stop()
            raise CodeOutputInvalid("it answered with something else than scores")
        return scores

    async def stop(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            # Read to its end: a pipe that is full would keep the dead process waiting.
            with contextlib.suppress(ConnectionError):
                await process.communicate()

    async def _started(self) -> asyncio.subprocess.Process:
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-B", "-c", _BOOT),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            limit=self._limits.result_bytes,
            start_new_session=True,
        )
        limits = {"memory_bytes": self._limits.memory_bytes, "cpu_seconds": self._limits.cpu_seconds}
        answer = await self._asked(process, {"source": self._source, **limits}, _START_SECONDS)
        if "unconfinable" in answer:
            await self.stop()
            raise SandboxUnavailable(str(answer["unconfinable"]))
        if "failure" in answer:
            await self.stop()
            raise CodeFailed(str(answer["failure"]), str(answer.get("message", "")))
        return process

    async def _asked(
        self, process: asyncio.subprocess.Process, body: Mapping[str, Any], seconds: float
    ) -> Mapping[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                process.stdin.write(json.dumps(body, default=str).encode() + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readuntil()
            answer = json.loads(line)
        except TimeoutError:
            await self.stop()
            raise CodeTimedOut(seconds) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.stop()
            raise CodeFailed("ProcessEnded", f"the process ended (status {process.returncode})") from None
        except asyncio.LimitOverrunError:
            await self.stop()
            raise CodeOutputInvalid(f"it said more than {self._limits.result_bytes} bytes") from None
        except ValueError:
            await self.stop()
            raise CodeOutputInvalid("it wrote something else than JSON") from None
        except asyncio.CancelledError:
            await self.stop()
            raise
        if not isinstance(answer, dict):
            await self.stop()
            raise CodeOutputInvalid("it wrote something else than an object")
        return answer
