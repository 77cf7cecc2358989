"""The notebooks of `examples/`, executed as a reader would: on a stack with the demo and one LLM connection."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from heliograph.client.connection import Connection, Server
from heliograph.client.project import Project
from tests.acceptance.stack import Stack, running
from tests.provider import Provider, Reply, completion, serving

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLES = Path(__file__).parents[2] / "examples"


def reply(request: dict[str, Any]) -> Reply:
    """Answers and verdicts: whoever says what happens next is helpful, and most customers are content."""
    asked = request["messages"][-1]["content"]
    if "response_format" not in request:
        text = "We are sorry. Next, we send you a label." if "what happens next" in asked else "We look into it."
        return completion(text)
    score = request["response_format"]["json_schema"]["schema"]["properties"]["score"]
    judged = asked[asked.find("<output>") :]
    verdict = sum(map(ord, judged)) % 5 > 0 if score["type"] == "boolean" else 5 if "Next" in judged else 3
    return completion(json.dumps({"reasoning": "By what it says.", "score": verdict}))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a week of traffic, whose project may ask a model."""
    allowed = {"HELIOGRAPH_OUTBOUND__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}
    with running(tmp_path_factory.mktemp("demo"), **allowed) as stack, serving(Provider(reply=reply)) as provider:
        stack.heliograph("demo")
        known = stack.connection
        server = Server(known["HELIOGRAPH_URL"], known["HELIOGRAPH_PUBLIC_KEY"], known["HELIOGRAPH_SECRET_KEY"])
        with Project(Connection(server)) as project:
            project.llm_connections.put("openai", secret_key="sk-local-123456", base_url=provider.url)
        yield stack


def executed(name: str, stack: Stack) -> str:
    """What its cells show, as text; a cell that raises fails the test."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells)
    own = {name: value for name, value in stack.connection.items() if name.startswith("HELIOGRAPH_")}
    NotebookClient(notebook, timeout=300).execute(env=stack.environment | own)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(json.dumps(output.get("data", {})) + output.get("text", "") for output in outputs)


SHOWN = {
    "explore_a_week": r"claude-sonnet.*APITimeoutError.*<details><summary>.*faithfulness",
    "evaluate_history": r"judge_calls=\d+.*'spent': 0\.0\d+.*'helpfulness': \{[^}]*'existing': [1-9]\d+\}.*\"0\.0\"",
    "calibrate_a_judge": r"kappa_low.*sensitivity +\d\.\d+.*By what it says",
    "compare_two_prompts": r"80 items of both.*minimal_detectable_effect.*helpfulness",
    "gate_a_release": r"careful: passes\n.*broken: right_label: difference -0\.\d+",
}


def test_every_notebook_is_executed_here() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.ipynb")} == SHOWN.keys()


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_shows_what_it_promises(demo: Stack, name: str) -> None:
    assert re.search(SHOWN[name], executed(name, demo), re.DOTALL)
