"""The contract: plain functions, declared ones, vectorised ones, and what becomes of rows that lack something."""

import asyncio
import pickle

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluators import OUTCOMES
from heliograph.evaluator import (
    BOOLEAN,
    SHARE,
    EvaluationSkipped,
    Outcome,
    OutcomeStatus,
    Source,
    Verdict,
    VerdictInvalid,
    Verdicts,
    as_evaluator,
    evaluator,
    evaluator_factory,
    one_of,
)


def names_the_city(output: str, expected: str) -> bool:
    return expected in output


@evaluator(values=SHARE, vectorised=True)
def share_of_limit(output: pa.Array) -> Verdicts:
    """How much of ten characters is used."""
    return Verdicts(pc.divide(pc.cast(pc.utf8_length(output), pa.float64()), 10.0), "of 10 characters")


@evaluator
async def slow_length(output: str, metadata: dict[str, str] | None = None) -> Verdict:
    await asyncio.sleep(0)
    return Verdict(len(output), f"{len(output)} characters", {"had_metadata": metadata is not None})


async def test_a_plain_function_is_an_evaluator() -> None:
    judged = as_evaluator(names_the_city)
    assert judged.inputs == ("output", "expected")
    row = {"output": "Paris it is", "expected_output": "Paris"}
    assert await judged.evaluate(row) == Outcome.scored(Verdict(value=True))


async def test_a_target_that_lacks_an_input_is_skipped_and_not_failed() -> None:
    outcome = await as_evaluator(names_the_city).evaluate({"output": "Paris", "expected_output": ""})
    assert outcome == Outcome.skipped("expected is missing")


async def test_what_the_function_raises_is_a_failure_with_its_cause() -> None:
    outcome = await as_evaluator(names_the_city).evaluate({"output": 5, "expected_output": "Paris"})
    assert (outcome.status, outcome.cause) == (OutcomeStatus.FAILED, "TypeError")


async def test_a_function_may_say_that_it_does_not_apply() -> None:
    def french_only(output: str) -> bool | None:
        return None if output == "english" else True

    def with_reason(output: str) -> bool:
        raise EvaluationSkipped("not French")

    assert (await evaluator(french_only).evaluate({"output": "english"})).status is OutcomeStatus.SKIPPED
    assert (await evaluator(with_reason).evaluate({"output": "x"})).reason == "not French"


async def test_optional_inputs_are_given_where_they_are_there() -> None:
    with_them = await slow_length.evaluate({"output": "four", "metadata": {"a": "b"}})
    without = await slow_length.evaluate({"output": "four"})
    assert with_them.verdict is not None
    assert without.verdict is not None
    assert (with_them.verdict.metadata, without.verdict.metadata) == ({"had_metadata": True}, {"had_metadata": False})


@pytest.mark.parametrize(
    ("rule", "value", "is_allowed"),
    [
        (BOOLEAN, True, True), (BOOLEAN, 1, False), (SHARE, 0.5, True), (SHARE, 1.5, False), (SHARE, True, False),
        (SHARE, float("nan"), False), (one_of("good", "bad"), "good", True), (one_of("good", "bad"), "fair", False),
        (None, [1], False), (None, float("inf"), False), (None, "anything", True),
    ],
)  # fmt: skip
def test_a_verdict_must_keep_to_what_was_declared(rule: object, value: object, is_allowed: bool) -> None:  # noqa: FBT001
    judged = evaluator(values=rule)(lambda output: value if output else None)  # type: ignore[call-overload]
    if is_allowed:
        assert judged("x").value == value
    else:
        with pytest.raises(VerdictInvalid):
            judged("x")


def test_a_vectorised_evaluator_gives_one_outcome_for_each_row_in_their_order() -> None:
    table = pa.table({"output": ["four", "", "seven77", None, "much too long for it"]})
    outcomes = share_of_limit.evaluate_batch(table)
    assert outcomes.schema == OUTCOMES
    assert outcomes.column("status").to_pylist() == ["scored", "skipped", "scored", "skipped", "failed"]
    assert outcomes.column("value").to_pylist() == [0.4, None, 0.7, None, None]
    assert outcomes.column("reason").to_pylist()[:2] == ["of 10 characters", "output is missing"]
    assert share_of_limit(output="four").value == 0.4


def test_the_rows_of_a_missing_column_are_skipped() -> None:
    outcomes = share_of_limit.evaluate_batch(pa.table({"input": ["a", "b"]}))
    assert outcomes.column("status").to_pylist() == ["skipped", "skipped"]


def test_a_vectorised_evaluator_that_breaks_fails_the_complete_rows() -> None:
    @evaluator(vectorised=True)
    def short(output: pa.Array) -> pa.Array:
        return output.slice(1)

    outcomes = short.evaluate_batch(pa.table({"output": ["a", "", "b"]}))
    assert outcomes.column("status").to_pylist() == ["failed", "skipped", "failed"]
    assert "1 verdicts on 2 targets" in outcomes.column("reason")[0].as_py()


async def test_booleans_and_categories_have_labels() -> None:
    table = pa.table({"output": ["Paris", "Rome"], "expected_output": ["Paris", "Paris"]})
    outcomes = await as_evaluator(names_the_city).evaluate_table(table)
    assert outcomes.select(["value", "label"]).to_pylist() == [
        {"value": 1.0, "label": "True"}, {"value": 0.0, "label": "False"},
    ]  # fmt: skip


async def test_at_most_so_many_targets_are_judged_at_a_time() -> None:
    running = most = 0

    @evaluator
    async def counted(output: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return True

    outcomes = await counted.evaluate_rows([{"output": str(number)} for number in range(20)], concurrency=3)
    assert (len(outcomes), most) == (20, 3)


def test_an_asynchronous_evaluator_says_how_it_is_called() -> None:
    with pytest.raises(InvalidRequest, match="evaluate_table"):
        slow_length.evaluate_batch(pa.table({"output": ["a"]}))


async def test_inputs_are_read_from_where_the_mapping_says() -> None:
    judged = as_evaluator(names_the_city).reading(output=Source("output", "$.answer.text"), expected="metadata_city")
    row = {"output": '{"answer": {"text": "in Paris"}}', "metadata_city": "Paris"}
    assert (await judged.evaluate(row)).status is OutcomeStatus.SCORED
    assert (await judged.evaluate({**row, "output": "{}"})).reason == "output is missing"
    vectorised = share_of_limit.reading(output=Source("output", "$.answer.text"))
    assert vectorised.evaluate_batch(pa.table({"output": [row["output"]]})).column("value").to_pylist() == [0.8]


def test_unknown_inputs_and_paths_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="no input"):
        share_of_limit.reading(expected="expected_output")
    with pytest.raises(InvalidRequest, match="no JSONPath"):
        Source("output", "$.[")
    with pytest.raises(InvalidRequest, match="named parameter"):
        evaluator(lambda *values: bool(values))


def test_factories_bind_parameters_and_are_no_evaluators_themselves() -> None:
    @evaluator_factory(BOOLEAN)
    def shorter_than(limit: int):  # type: ignore[no-untyped-def] # noqa: ANN202
        """Whether the output is short."""

        def score(output: str) -> bool:
            return len(output) < limit

        return score

    assert shorter_than(3)("ab").value is True
    assert shorter_than(3).description == "Whether the output is short."
    with pytest.raises(InvalidRequest, match="factory"):
        as_evaluator(shorter_than)


def test_an_evaluator_of_a_module_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(as_evaluator(names_the_city)))  # noqa: S301 - our own bytes
    assert again == as_evaluator(names_the_city)
