"""The life of an event: the unmodified Langfuse SDK sends it, and its own client reads it back whole."""

import os
import subprocess
import sys
import textwrap
import time
from typing import Any

import httpx
import pytest

from tests.acceptance.stack import Stack

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

SENDS = """
    from langfuse import get_client, propagate_attributes

    langfuse = get_client()
    assert langfuse.auth_check()
    with langfuse.start_as_current_observation(as_type="agent", name="answer", input={"question": "why?"}) as root:
        with propagate_attributes(user_id="ada", session_id="chat-1", tags=["b", "a"], metadata={"tier": "gold"}):
            with langfuse.start_as_current_observation(
                as_type="generation",
                name="draft",
                model="gpt-4o",
                model_parameters={"temperature": 0.2},
                input=[{"role": "user", "content": "why?"}],
                metadata={"attempt": 1},
            ) as generation:
                generation.update(output={"role": "assistant", "content": "because"},
                                  usage_details={"input": 1000, "output": 100})
            with langfuse.start_as_current_observation(as_type="tool", name="lookup", level="ERROR",
                                                       status_message="no such page"):
                pass
        root.update(output={"answer": "because"})
        trace_id = root.trace_id
    langfuse.create_score(trace_id=trace_id, name="helpful", value=0.5, comment="half")
    langfuse.flush()
    print(trace_id)
"""


def run_sdk(stack: Stack, code: str) -> str:
    """Run a program in a process of its own, with only the environment that `up` wrote."""
    langfuse = {name: value for name, value in stack.connection.items() if name.startswith("LANGFUSE_")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "LANGFUSE_"))}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**kept, **langfuse},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip().splitlines()[-1]


def client(stack: Stack) -> httpx.Client:
    keys = stack.connection
    login = (keys["LANGFUSE_PUBLIC_KEY"], keys["LANGFUSE_SECRET_KEY"])
    return httpx.Client(base_url=f"{keys['LANGFUSE_BASE_URL']}/api/public", auth=login, timeout=30)


def eventually(call: Any, seconds: float = 3.0) -> Any:
    """What a call returns once it returns something."""
    deadline = time.monotonic() + seconds
    while not (found := call()):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing after {seconds} s")
        time.sleep(0.05)
    return found


def test_a_trace_of_the_sdk_is_read_back_with_every_field_within_three_seconds(stack: Stack) -> None:
    trace_id = run_sdk(stack, SENDS)
    with client(stack) as api:

        def whole() -> dict[str, Any] | None:
            answer = api.get(f"/traces/{trace_id}")
            if answer.status_code != 200:
                return None
            trace: dict[str, Any] = answer.json()
            return trace if len(trace["observations"]) == 3 and trace["scores"] else None

        trace = eventually(whole)
    assert trace["name"] == "answer"
    assert trace["userId"] == "ada"
    assert trace["sessionId"] == "chat-1"
    assert trace["tags"] == ["a", "b"]
    assert trace["metadata"]["tier"] == "gold"
    assert trace["input"] == {"question": "why?"}
    assert trace["output"] == {"answer": "because"}
    by_name = {observation["name"]: observation for observation in trace["observations"]}
    draft = by_name["draft"]
    assert draft["type"] == "GENERATION"
    assert draft["parentObservationId"] == by_name["answer"]["id"]
    assert draft["model"] == "gpt-4o"
    assert draft["modelParameters"] == {"temperature": 0.2}
    assert draft["usageDetails"] == {"input": 1000, "output": 100, "total": 1100}
    assert draft["costDetails"]["total"] == pytest.approx(0.0035)
    assert draft["input"] == [{"role": "user", "content": "why?"}]
    assert draft["output"] == {"role": "assistant", "content": "because"}
    assert draft["metadata"]["attempt"] == 1
    assert by_name["lookup"]["level"] == "ERROR"
    assert by_name["lookup"]["statusMessage"] == "no such page"
    assert trace["totalCost"] == pytest.approx(0.0035)
    (score,) = trace["scores"]
    assert (score["name"], score["value"], score["comment"]) == ("helpful", 0.5, "half")


def test_the_sdks_own_client_reads_observations_back(stack: Stack) -> None:
    trace_id = run_sdk(stack, SENDS)
    reads = f"""
        import time
        from langfuse import get_client

        deadline = time.monotonic() + 3
        while True:
            page = get_client().api.observations.get_many(trace_id="{trace_id}", fields="core,basic,io,model,usage")
            if len(page.data) == 3 or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        draft = next(one for one in page.data if one.name == "draft")
        print(draft.model, draft.usage_details["total"], draft.total_cost, len(page.data))
    """
    assert run_sdk(stack, reads) == "gpt-4o 1100 0.0035 3"


def test_the_same_export_five_times_changes_no_count_and_no_cost(stack: Stack) -> None:
    from tests.benchmarks.load import PATH, templates  # noqa: PLC0415 - the load of the benchmarks is heavy to import

    (template,) = templates(1, 20)
    body = template.copy()
    with client(stack) as api:
        for _ in range(5):
            answer = api.post(PATH.removeprefix("/api/public"), content=body, headers=PROTOBUF)
            assert answer.status_code == 200
        trace_ids = {body[at : at + 16].hex() for at in template.trace_offsets.tolist()}
        for trace_id in trace_ids:
            trace = eventually(lambda trace_id=trace_id: _found(api, trace_id))
            assert len(trace["observations"]) == 10
            total = sum(one["costDetails"].get("total", 0) for one in trace["observations"])
            assert trace["totalCost"] == pytest.approx(total, abs=1e-12)


def _found(api: httpx.Client, trace_id: str) -> dict[str, Any] | None:
    answer = api.get(f"/traces/{trace_id}")
    found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
    return found


PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400, "protobuf"),
        (b"not gzip", {**PROTOBUF, "content-encoding": "gzip"}, 400, "gzip"),
        (b"{}", {"content-type": "text/plain"}, 400, "application/x-protobuf"),
        (b'{"resourceSpans": 1}', {"content-type": "application/json"}, 400, "resourceSpans"),
    ],
)
def test_a_bad_body_gets_the_right_status_and_names_the_problem(  # noqa: PLR0917 - one fixture, four parameters
    stack: Stack, body: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    with client(stack) as api:
        answer = api.post("/otel/v1/traces", content=body, headers=headers)
    assert answer.status_code == status
    assert words in answer.text


def test_a_body_of_200_megabytes_is_refused_in_words(stack: Stack) -> None:
    def megabytes() -> Any:
        for _ in range(200):
            yield b"\0" * (1 << 20)

    with client(stack) as api:
        answer = api.post("/otel/v1/traces", content=megabytes(), headers=PROTOBUF, timeout=120)
    assert answer.status_code == 413
    assert "smaller batches" in answer.text


def test_wrong_and_missing_keys_are_refused(stack: Stack) -> None:
    with client(stack) as api:
        public_key = stack.connection["LANGFUSE_PUBLIC_KEY"]
        for login in ((public_key, "sk-lf-wrong"), ("pk-lf-unknown", "sk-lf-wrong")):
            answer = api.post("/otel/v1/traces", content=b"", headers=PROTOBUF, auth=login)
            assert answer.status_code == 401
            assert "correct host" in answer.json()["message"]
    url = f"{stack.connection['LANGFUSE_BASE_URL']}/api/public/otel/v1/traces"
    assert httpx.post(url, content=b"", headers=PROTOBUF).status_code == 401
