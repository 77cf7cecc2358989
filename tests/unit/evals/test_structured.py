"""Heuristics on outputs with a form."""

import pytest

from evals import structured
from heliograph.domain.errors import InvalidRequest
from heliograph.evaluator import EvaluationSkipped, Evaluator

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
}
BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    ("evaluator", "inputs", "value"),
    [
        (structured.json_valid(), {"output": '{"a": [1, null]}'}, True),
        (structured.json_valid(), {"output": '{"a": NaN}'}, False),
        (structured.json_valid(), {"output": '```json\n{"a": 1}\n```'}, False),
        (structured.json_valid(allow_fence=True), {"output": '```json\n{"a": 1}\n```'}, True),
        (structured.json_matches_schema(PERSON), {"output": '{"name": "Ann", "age": 30}'}, True),
        (structured.json_matches_schema(PERSON), {"output": '{"name": "Ann", "age": "30"}'}, False),
        (structured.json_matches_schema(PERSON), {"output": "{"}, False),
        (structured.json_similarity(), {"output": '{"a": 1.0, "b": [1, 2]}', "expected": '{"b": [1, 3], "a": 1}'},
        pytest.approx(2 / 3)), (structured.json_similarity(), {"output": "{}", "expected": "{}"}, 1.0),
        (structured.json_similarity(), {"output": "true", "expected": "1"}, 0.0),
        (structured.json_similarity(), {"output": "none", "expected": "1"}, 0.0),
        (structured.xml_valid(), {"output": "<a><b/></a>"}, True),
        (structured.xml_valid(), {"output": "<a><b></a>"}, False),
        (structured.xml_valid(), {"output": BOMB}, False),
        (structured.sql_valid(), {"output": "select a, count(*) from t where b > 1 group by a"}, True),
        (structured.sql_valid("postgres"), {"output": "```sql\ninsert into t values (1);\n```"}, True),
        (structured.sql_valid(), {"output": "select from where"}, False),
        (structured.sql_valid(), {"output": "sorry"}, False),
        (structured.number_close(), {"output": "So it is 1,234.50 in all.", "expected": "1234.5"}, True),
        (structured.number_close(), {"output": "no idea", "expected": "3"}, False),
        (structured.number_close(absolute=0.01), {"output": "pi is 3.14", "expected": "3.1416"}, True),
        (structured.number_close(), {"output": "-2e3", "expected": "-2000"}, True),
        (structured.urls_valid(), {"output": "see https://example.org/a?b=c."}, True),
        (structured.urls_valid(), {"output": "see http://exa_mple!.org/ and https://a.org"}, False),
        (structured.urls_valid(), {"output": "see http:///nothing"}, False),
        (structured.urls_valid(), {"output": "see http://a.org:99999/"}, False),
    ],
    ids=lambda given: given.name if isinstance(given, Evaluator) else None,
)  # fmt: skip
def test_an_output_has_its_value(evaluator: Evaluator, inputs: dict[str, object], value: object) -> None:
    assert evaluator(**inputs).value == value


def test_the_reason_names_the_place_that_breaks_the_schema() -> None:
    verdict = structured.json_matches_schema(PERSON)('{"name": "Ann", "age": "30"}')
    assert verdict.reason == "$.age: '30' is not of type 'integer'"


@pytest.mark.parametrize(
    ("evaluator", "inputs"),
    [
        (structured.urls_valid(), {"output": "no address"}),
        (structured.number_close(), {"output": "1", "expected": "one"}),
        (structured.json_similarity(), {"output": "1", "expected": "one"}),
    ],
)
def test_what_does_not_apply_is_skipped(evaluator: Evaluator, inputs: dict[str, object]) -> None:
    with pytest.raises(EvaluationSkipped):
        evaluator(**inputs)


def test_schemas_and_dialects_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        structured.json_matches_schema({"type": "objekt"})
    with pytest.raises(InvalidRequest):
        structured.sql_valid("klingon")


def test_a_schema_never_fetches_what_it_refers_to() -> None:
    evaluator = structured.json_matches_schema({"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(Exception, match="Unresolvable"):
        evaluator("{}")
