"""What a rule hides reaches neither the rows nor the raw records."""

import json
from dataclasses import replace

from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp, scores
from ingestion.masking.masker import ALWAYS
from ingestion.masking.projects import NoRules
from ingestion.otlp import MappingContext
from tests.unit.ingestion.masking_rules import detector, expression, masker
from tests.unit.ingestion.spans import CONTEXT, event, export, mapped, same_rows, span, status

CONTEXT_WITH_RULE = replace(CONTEXT, masker=masker(expression(r"secret-\d+")))


def test_no_part_of_a_span_keeps_what_is_hidden() -> None:
    sent = span(
        {
            "langfuse.observation.input": "my secret-1 is",
            "list": ["secret-2", {"inner": "secret-3"}],
            "n": 5,
        },
        name="call secret-4",
        status=status(2, "bad secret-5"),
        events=[event("exception", {"exception.message": "secret-6"})],
    )
    batch = mapped(sent, context=CONTEXT_WITH_RULE, resource={"host": "secret-7"}, scope=("other", "1")).batch
    assert batch.observations["input"].to_pylist() == ["my [hidden] is"]
    everything = str(batch.observations.to_pylist()) + str(batch.records.to_pylist())
    assert "secret-" not in everything
    assert "[hidden]" in batch.observations["status_message"][0].as_py()


def test_an_unreadable_span_is_rejected_so_that_nothing_unmasked_is_stored() -> None:
    request = otlp.decode(export([span()]), otlp.PROTOBUF)
    request.scopes[0].spans.append(b"\x4a\x0asecret-1")
    result = otlp.map_export(request, CONTEXT_WITH_RULE)
    assert len(result.rejected) == 1
    assert result.batch.records.num_rows == 1


def test_without_a_match_rows_are_the_same_as_without_rules() -> None:
    sent = [span({"a": ["b", {"c": 1.5}], "langfuse.observation.input": "x"})]
    masked = mapped(*sent, context=CONTEXT_WITH_RULE).batch
    plain = mapped(*sent).batch
    assert same_rows(replace(masked, records=plain.records), plain)


def test_scores_are_masked_but_for_names_and_ids() -> None:
    item = {
        "name": "secret-1",
        "value": "secret-2",
        "traceId": "t",
        "comment": "secret-3",
        "metadata": {"a": "secret-4"},
    }
    batch = scores.map_scores(scores.decode(json.dumps(item).encode()).bodies, CONTEXT_WITH_RULE)
    found = str(batch.scores.to_pylist()) + str(batch.records.to_pylist())
    assert [number for number in "1234" if f"secret-{number}" in found] == ["1"]


def test_the_name_of_an_empty_member_is_masked() -> None:
    assert CONTEXT_WITH_RULE.masker.value({"secret-1": None}) == {"[hidden]": None}


def test_a_text_that_was_json_before_it_was_cut_off_keeps_nothing() -> None:
    cut = masker(expression(r"\b\d{3}-\d{4}\b"), detector("email"))
    assert cut.text('{"a": "call\\n555-1234, or \\"me\\u0040x.example') == '{"a": "call\n[hidden], or "[email]'
    assert cut.text('{"a": "\\n') == '{"a": "\\n'


def test_projects_without_rules_share_one_masker_since_its_patterns_take_long_to_compile() -> None:
    assert MappingContext(ProjectId("one"), IngestionFacts(), CONTEXT.received_at).masker is ALWAYS
    assert NoRules().of(ProjectId("two")).masker is ALWAYS
