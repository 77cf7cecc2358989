"""Experiments from Python on a whole stack: run, killed, gone on with, compared, gated."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stack import Stack
from tests.acceptance.test_event_life import client, eventually

HELIOGRAPH = str(Path(sys.executable).with_name("heliograph"))

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

SETS_UP = """
    import asyncio, json, sys, time
    import heliograph
    from heliograph.evaluator import EvaluationSkipped

    project = heliograph.connect()
    name = "capitals " + STYLE

    def exact(output: str, expected: str) -> bool:
        return output == expected

    def brief(output: str) -> float:
        if output == "Rome":
            raise EvaluationSkipped("Rome is never brief")
        return 1 / len(output)

    def accuracy(results: list) -> float:
        return sum(bool(result.outcomes["exact"].verdict.value) for result in results) / len(results)
"""
RUNS = """
    async def answer(input, limits):
        async with limits["local"]:
            print("ran", input["number"], file=sys.stderr, flush=True)
            if input["number"] == 3 and not HEALED:
                raise ValueError("no answer to 3")
            await asyncio.sleep(PAUSE)
        return "Paris" if input["number"] % 2 else "Rome"

    plan = project.experiment(name, answer, [exact, brief], name="first", on_run=[accuracy] if HEALED else [],
                              metadata={"model": "none"})
    run = plan.run(concurrency=4, limits={"local": 2}, actors=ACTORS)
    print(json.dumps({"id": run.id, "ran": len(run.results), "resumed": run.resumed,
                      "failed": [one.item.id for one in run.failures]}))
"""


def script(stack: Stack, code: str, **given: Any) -> subprocess.Popen[str]:
    """A program in a process of its own, with only the environment that `up` wrote."""
    own = {name: value for name, value in stack.connection.items() if name.startswith("HELIOGRAPH_")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "LANGFUSE_"))}
    head = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(SETS_UP) + textwrap.dedent(code)],
        env={**kept, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[dict[str, Any], list[int]]:
    """What it printed, and which items ran in it."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1]), ran(err)


def ran(err: str) -> list[int]:
    return [int(line.split()[1]) for line in err.splitlines() if line.startswith("ran ")]


def with_dataset(stack: Stack, style: str, items: int) -> None:
    with client(stack) as api:
        api.post("/v2/datasets", json={"name": f"capitals {style}"}).raise_for_status()
        body = [
            {"id": f"{style}-{at:03}", "input": {"number": at}, "expectedOutput": "Paris" if at % 3 else "Rome"}
            for at in range(items)
        ]
        api.post("/dataset-items/batch", json={"datasetName": f"capitals {style}", "items": body}).raise_for_status()


def summary(stack: Stack, style: str, run: str = "first") -> dict[str, Any]:
    with client(stack) as api:
        found: dict[str, Any] = api.get(
            "/experiment-summaries", params={"datasetName": f"capitals {style}", "runName": run}
        ).json()
    return found


def metric(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next((one for one in found["metrics"] if one["name"] == name), {"mean": {"counts": {"n": 0}}})


def test_an_experiment_that_is_killed_goes_on_and_does_nothing_twice(stack: Stack) -> None:
    with_dataset(stack, "killed", 80)
    first = script(stack, RUNS, STYLE="killed", PAUSE=0.15, HEALED=False, ACTORS=0)
    time.sleep(1)
    assert first.stderr is not None
    lines = [first.stderr.readline() for _ in range(40)]
    first.kill()
    begun = ran("".join(lines) + first.stderr.read())
    told, second = finished(script(stack, RUNS, STYLE="killed", PAUSE=0.0, HEALED=False, ACTORS=0))
    assert told["failed"] == ["killed-003"]
    assert told["resumed"] > 0
    # At most those that were under way, or whose batch was not written, ran again.
    assert len(set(begun) & set(second) - {3}) == len(begun) - told["resumed"] - 1
    assert sorted(set(begun) | set(second)) == list(range(80))
    told, third = finished(script(stack, RUNS, STYLE="killed", PAUSE=0.0, HEALED=True, ACTORS=0))
    assert (third, told["resumed"], told["failed"]) == ([3], 79, [])

    def complete() -> dict[str, Any] | None:
        found = summary(stack, "killed")
        return found if metric(found, "exact")["mean"]["counts"]["n"] == 80 else None

    found = eventually(complete, 15)
    assert (found["items"], found["failed"]) == (80, 0)
    assert metric(found, "brief")["mean"]["counts"] == {"n": 40, "failed": 0, "skipped": 40}
    with client(stack) as api:
        run = api.get("/datasets/capitals%20killed/runs/first").json()
        assert (run["id"], len(run["datasetRunItems"]), run["metadata"]) == (told["id"], 80, {"model": "none"})
        scores = api.get("/v3/scores", params={"experimentId": told["id"]}).json()["data"]
        assert [(score["name"], score["source"]) for score in scores] == [("accuracy", "EVAL")]


def test_an_experiment_runs_on_actors_of_a_cluster(stack: Stack) -> None:
    with_dataset(stack, "actors", 100)
    told, _ = finished(script(stack, RUNS, STYLE="actors", PAUSE=0.0, HEALED=True, ACTORS=2))
    assert (told["ran"], told["resumed"], told["failed"]) == (100, 0, [])
    found = eventually(
        lambda: next((s for s in [summary(stack, "actors")] if metric(s, "exact")["mean"]["counts"]["n"] == 100), None),
        15,
    )
    assert found["items"] == 100


def commanded(stack: Stack, *command: str) -> subprocess.CompletedProcess[str]:
    """What a command says to the project of the stack."""
    own = {name: value for name, value in stack.connection.items() if name.startswith("HELIOGRAPH_")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "LANGFUSE_"))}
    return subprocess.run(list(command), env={**kept, **own}, capture_output=True, text=True, timeout=120, check=False)


TESTED = """
    import pytest


    @pytest.mark.heliograph(dataset="capitals gated", gate="release", experiment="ci")
    def test_answers(heliograph_experiment):
        heliograph_experiment(lambda input: ANSWER, [exact])


    def exact(output: str, expected: str) -> bool:
        return output == expected
"""


def test_a_gate_decides_on_the_command_line_and_in_pytest(stack: Stack, tmp_path: Path) -> None:
    with_dataset(stack, "gated", 30)
    gate = {"name": "release", "datasetName": "capitals gated", "rules": [{"metric": "exact", "atLeast": 0.5}]}
    with client(stack) as api:
        api.put("/gates/release", json=gate).raise_for_status()
    codes = {}
    for answer in ("Paris", "London"):
        folder = tmp_path / answer
        folder.mkdir()
        (folder / "test_it.py").write_text(textwrap.dedent(TESTED).replace("ANSWER", repr(answer)))
        named = f"--heliograph-experiment={answer}"
        done = commanded(
            stack,
            sys.executable,
            "-m",
            "pytest",
            "-q",
            str(folder),
            named,
            "-p",
            "no:cacheprovider",
            f"--rootdir={folder}",
        )
        codes[answer] = done.returncode
        checked = commanded(stack, HELIOGRAPH, "gate", "check", "release", f"ci {answer}")
        assert checked.returncode == codes[answer], checked.stdout + checked.stderr + done.stdout
    assert codes == {"Paris": 0, "London": 1}
    assert "exact: 0" in checked.stdout
