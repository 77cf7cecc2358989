"""Evaluators of other libraries, as they are installed today, say as ours what they say themselves."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import environments
from tests.provider import Provider, Reply, completion, serving

# Each environment is built when it is first asked for, and some of them are large.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FOLDER = Path(__file__).parent
SCHEMAS_OF_TEXT = {"score": 8, "reason": "By what it says.", "rating": 4}
# What the code's evaluator gives for a right answer, the model's name, and its verdict.
EXPECTED = {
    "autoevals": (1.0, "Factuality", 1.0),
    "phoenix": (1.0, "conciseness", 1.0),
    "deepeval": (1.0, "polite [GEval]", 0.8),
    "ragas": (1.0, "answer_accuracy", 1.0),
}


def filled(schema: dict[str, Any], name: str = "") -> Any:
    """Something that meets a schema: the best label, a good grade, a reason."""
    if "enum" in schema:
        return next((one for one in ("C", "concise") if one in schema["enum"]), schema["enum"][0])
    if schema.get("type") == "object":
        return {key: filled(part, key) for key, part in schema["properties"].items()}
    if schema.get("type") == "array":
        return [filled(schema["items"], name)]
    return SCHEMAS_OF_TEXT.get(name, 4) if schema.get("type") in ("integer", "number") else "By what it says."


def reply(request: dict[str, Any]) -> Reply:
    """A call of the one tool, or a JSON text."""
    if tools := request.get("tools"):
        function = tools[0]["function"]
        call = {"name": function["name"], "arguments": json.dumps(filled(function["parameters"]))}
        status, headers, body = completion("", finish_reason="tool_calls")
        body["choices"][0]["message"] |= {
            "content": None, "tool_calls": [{"id": "call-1", "type": "function", "function": call}],
        }  # fmt: skip
        return status, headers, body
    schema = request.get("response_format", {}).get("json_schema", {}).get("schema")
    return completion(json.dumps(filled(schema) if schema else SCHEMAS_OF_TEXT))


def said(name: str) -> dict[str, Any]:
    """What its evaluators say of two rows, the second of them without an output."""
    with serving(Provider(reply=reply)) as provider:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "LANGFUSE_"))}
        own = {"PROVIDER_URL": provider.url, "PYTHONPATH": str(FOLDER.parents[1]), "DEEPEVAL_TELEMETRY_OPT_OUT": "YES"}
        program = [str(environments.python(FOLDER / name)), str(FOLDER / "evaluate.py"), str(FOLDER / name)]
        done = subprocess.run(program, env=kept | own, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_reasons_and_versions_of_a_library_become_ours(name: str) -> None:
    of_code, title, of_model = EXPECTED[name]
    found = said(name)
    first, second = found["code"]["outcomes"]
    assert (first["status"], first["verdict"]["value"]) == ("scored", of_code)
    assert {"output", "expected"} <= set(found["code"]["inputs"])
    assert (second["status"], second["reason"]) == ("skipped", "output is missing")
    judged = found["model"]["outcomes"][0]
    assert (found["model"]["name"], judged["status"]) == (title, "scored"), judged
    assert judged["verdict"]["value"] == pytest.approx(of_model)
    # Ragas gives the accuracy of an answer without a reason.
    assert judged["verdict"]["reason"] == ("" if name == "ragas" else "By what it says.")
    version, same, other = found["versions"]
    assert version == same
    assert version != other
