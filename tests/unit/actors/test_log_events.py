"""GenAI events from logs join their span, whichever comes first, however often, and if it never comes."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.merge import Segment
from heliograph.domain.events import MappedBatch
from heliograph.domain.lanes import LogPosition
from ingestion import logs, otlp
from ingestion.batch import mapping
from tests.stored_rows import StoredRows
from tests.unit.actors.test_partials import PLACES, flush, merge_into
from tests.unit.ingestion.logs import export, record
from tests.unit.ingestion.spans import CONTEXT, START, Attributes, mapped, span

SCOPE = ("opentelemetry.instrumentation.openai_v2", "2.4b0")
CHAT = {
    "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 8,
}  # fmt: skip
SYSTEM = record("gen_ai.system.message", {"content": "Be brief."}, time_unix_nano=START + 1)
USER = record("gen_ai.user.message", {"content": "Capital of France?"}, time_unix_nano=START + 1)
CHOICE = record("gen_ai.choice", {"index": 0, "message": {"content": "Paris"}}, time_unix_nano=START + 9_000)
INPUT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital of France?"}]
OUTPUT = {"index": 0, "message": {"content": "Paris"}}


def of_span(attributes: Attributes) -> MappedBatch:
    return mapped(span(attributes, name="chat gpt-4o-mini"), scope=SCOPE).batch


def of_logs(*records: Any) -> MappedBatch:
    return mapping.map_events(logs.decode(export(*records), otlp.PROTOBUF).events, CONTEXT)


def stored_after(*flushes: Sequence[MappedBatch]) -> dict[str, Any]:
    """The one observation after these flushes of segments."""
    stored = StoredRows()
    merge = merge_into(stored)
    number = 0
    for batches in flushes:
        segments = [Segment(LogPosition(1, number + place), batch) for place, batch in enumerate(batches, 1)]
        number += len(batches)
        flush(merge, stored, segments)
    (row,) = stored.logical("observations")
    return row


def said(row: dict[str, Any]) -> tuple[Any, Any]:
    return json.loads(row["input"] or "null"), json.loads(row["output"] or "null")


def test_logs_fill_input_and_output_of_their_span() -> None:
    row = stored_after([of_span(CHAT)], [of_logs(SYSTEM, USER, CHOICE)])

    assert said(row) == (INPUT, OUTPUT)
    assert (row["name"], row["type"], row["source"]) == ("chat gpt-4o-mini", "GENERATION", "otel")
    assert (row["input_preview"], row["output_preview"]) == ("Capital of France?", "Paris")
    assert row["total_cost"] > 0


def test_a_span_of_which_only_logs_are_known_is_shown() -> None:
    row = stored_after([of_logs(SYSTEM, USER)], [of_logs(CHOICE)])

    assert said(row) == (INPUT, OUTPUT)
    assert (row["name"], row["type"], row["source"]) == ("generation", "GENERATION", "otel")


def test_what_a_span_says_itself_goes_before_its_logs() -> None:
    row = stored_after([of_logs(SYSTEM, USER, CHOICE)], [of_span({**CHAT, "output.value": '"from the span"'})])

    assert said(row) == (INPUT, "from the span")


def test_one_event_with_all_details_goes_before_single_messages() -> None:
    messages = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    details = record("gen_ai.client.inference.operation.details", None, {"gen_ai.input.messages": messages})

    assert said(stored_after([of_logs(USER, details, CHOICE)])) == (messages, OUTPUT)


def test_several_answers_are_a_list() -> None:
    other = record("gen_ai.choice", {"index": 1}, time_unix_nano=START + 9_000)

    assert said(stored_after([of_logs(CHOICE, other)]))[1] == [OUTPUT, {"index": 1}]


PIECES = {
    "span": of_span(CHAT),
    "span again": of_span(CHAT),
    "question": of_logs(SYSTEM, USER),
    "question again": of_logs(SYSTEM, USER),
    "answer": of_logs(CHOICE),
}
EXPECTED = {
    name: value
    for name, value in stored_after([PIECES["span"]], [PIECES["question"]], [PIECES["answer"]]).items()
    if name not in {*PLACES, "merge_state"}
}


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(sorted(PIECES)),
    cuts=st.lists(st.booleans(), min_size=5, max_size=5),
    restarts=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_no_order_repetition_restart_or_replay_changes_what_is_seen(
    order: list[str], cuts: list[bool], restarts: list[bool]
) -> None:
    segments = [Segment(LogPosition(1, number), PIECES[name]) for number, name in enumerate(order, 1)]
    stored = StoredRows()
    merge = merge_into(stored)
    waiting: list[Segment] = []
    for segment, is_cut, is_restarted in zip(segments, cuts, restarts, strict=True):
        waiting.append(segment)
        if is_cut or segment is segments[-1]:
            flush(merge, stored, waiting)
            waiting = []
            merge = merge_into(stored) if is_restarted else merge
    seen = _seen(stored)
    # From the start, in other portions than the first time.
    replaying = merge_into(stored)
    for place in range(0, len(segments), 2):
        flush(replaying, stored, segments[place : place + 2])

    assert seen == EXPECTED
    assert _seen(stored) == EXPECTED


def _seen(stored: StoredRows) -> dict[str, Any]:
    (row,) = stored.logical("observations", without=[*PLACES, "merge_state"])
    (trace,) = stored.logical("traces")
    assert (trace["observation_count"], trace["total_tokens"]) == (1, 28)
    return row
