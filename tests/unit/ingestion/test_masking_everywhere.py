"""No masked secret survives anywhere in what is produced, however it is nested."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.domain.events import MappedBatch
from ingestion import scores
from ingestion.batch.events import decode
from ingestion.batch.mapping import map_events
from tests.unit.ingestion.masking_rules import detector, expression, masker
from tests.unit.ingestion.spans import CONTEXT, event, mapped, span, status

NUMBER, WORD, EMAIL = 4111111111111111, "zebra-77", "ann@mail.example"
MASKED = replace(
    CONTEXT, masker=masker(detector("email"), detector("card"), expression(r"\bzebra-\d+\b"), expression(r"^[0-9]{6}$"))
)
AT = "2026-11-28T10:00:00Z"

around = st.sampled_from(["", " ", "\n", "\t", '"', "é", "\\", "/x/", "\nx:", "\x00"])
secrets = st.sampled_from([WORD, EMAIL, str(NUMBER)])
texts = st.one_of(
    st.builds(lambda before, secret, after: before + secret + after, around, secrets, around),
    st.sampled_from(["plain", "", "7", "[1]", '{"a"']),
)
leaves = st.one_of(texts, st.just(NUMBER), st.just(12.5), st.none(), st.booleans())


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(st.one_of(st.just("k"), texts), children, max_size=3),
        children.map(json.dumps),
        children.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1)),
        children.map(lambda value: json.dumps(value).replace("@", "\\u0040").replace("-", "\\u002d")),
    )


anything = st.recursive(leaves, nested, max_leaves=8)


def without_nothing(value: Any) -> Any:
    """OTLP's attributes have no null within."""
    if isinstance(value, dict):
        return {key: without_nothing(found) for key, found in value.items()}
    return [without_nothing(found) for found in value] if isinstance(value, list) else "" if value is None else value


def assert_nothing_survives(batch: MappedBatch) -> None:
    assert batch.records.num_rows
    found = json.dumps([table.to_pylist() for table in (batch.records, *batch.row_tables)], default=read)
    for secret in (WORD, EMAIL, str(NUMBER)):
        assert secret not in found
    for escaped in ("ann\\u0040mail", "ann\\\\u0040mail", "zebra\\u002d77", "zebra\\\\u002d77"):
        assert escaped not in found


def read(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@settings(max_examples=60, deadline=None)
@given(anything, anything, texts)
def test_no_span_keeps_what_a_rule_hides(value: Any, other: Any, text: str) -> None:
    sent = span(
        {
            "langfuse.observation.input": json.dumps(value),
            "langfuse.observation.output": json.dumps(other, ensure_ascii=False),
            "langfuse.observation.metadata." + text: "x",
            "deep": without_nothing(value),
            "list": [without_nothing(other), text],
            "number": NUMBER,
            "raw": text.encode(),
            "user.id": text,
        },
        name=text.replace("\x00", ""),
        trace_state=text,
        status=status(2, text),
        events=[event(text, {"exception.message": text, "deep": without_nothing(other)})],
    )
    sent.links.add(trace_id=b"l" * 16, span_id=b"m" * 8, trace_state=text).attributes.add(
        key="k"
    ).value.string_value = text
    assert_nothing_survives(mapped(sent, context=MASKED, resource={"host": text}, scope=("s", text)).batch)


@settings(max_examples=40, deadline=None)
@given(anything, anything, texts)
def test_no_event_keeps_what_a_rule_hides(value: Any, other: Any, text: str) -> None:
    body = {
        "id": "t", "traceId": "t", "name": text, "input": value, "output": other, "metadata": {"m": value, text: other},
        "userId": text, "tags": [text], "statusMessage": text, "unknown": other, "modelParameters": {"stop": value},
    }  # fmt: skip
    sent: list[dict[str, Any]] = [
        {"id": "1", "type": "trace-create", "timestamp": AT, "body": body},
        {"id": "2", "type": "generation-create", "timestamp": AT, "body": body | {"id": "o"}},
        {"id": "3", "type": "score-create", "timestamp": AT, "body": {**score(value, text), "traceId": "t"}},
    ]
    events = decode(json.dumps({"batch": sent}).encode()).events
    assert len(events) == 3
    assert_nothing_survives(map_events(events, MASKED))


@settings(max_examples=60, deadline=None)
@given(anything, texts)
def test_no_score_keeps_what_a_rule_hides(value: Any, text: str) -> None:
    decoded = scores.decode(json.dumps([{**score(value, text), "traceId": "t"}]).encode())
    assert_nothing_survives(scores.map_scores(decoded.bodies, MASKED))


def score(value: Any, text: str) -> dict[str, Any]:
    return {"name": "n", "value": text or "v", "comment": text, "metadata": {"m": value, text: "x"}}


@pytest.mark.parametrize("depth", [70, 300, 2000])
def test_what_nests_too_deeply_is_hidden_whole(depth: int) -> None:
    value: Any = "zebra\\u002d77"
    for _ in range(depth):
        value = [value]
    assert "zebra" not in str(MASKED.masker.value(value))
    text = "[" * depth + '"zebra\\u002d77"' + "]" * depth
    assert "zebra" not in MASKED.masker.text(text)
