"""Functions of a process are taken up by a run only as they were when it was planned."""

import pytest

from heliograph.client.evaluations import taken_up
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_runs import EvaluatorSpec, Place
from heliograph.evaluator import as_evaluator


def is_short(output: str) -> bool:
    return len(output) < 400


VERSION = as_evaluator(is_short).version
SHAPE = {
    "evaluators": [
        EvaluatorSpec(name="json_valid").model_dump(mode="json"),
        EvaluatorSpec(name="is_short", place=Place.CLIENT, version=VERSION, columns=("output",)).model_dump(
            mode="json"
        ),
    ]
}


def test_a_function_takes_the_place_that_the_run_has_for_it() -> None:
    (found,) = taken_up(SHAPE, [is_short])
    assert (found.spec.name, found.spec.columns, found.evaluator.version) == ("is_short", ("output",), VERSION)


def test_a_function_that_has_changed_is_refused_with_the_version_that_is_meant() -> None:
    def changed(output: str) -> bool:
        return len(output) < 500

    changed.__name__ = "is_short"
    with pytest.raises(InvalidRequest, match=f"it has is_short {VERSION}"):
        taken_up(SHAPE, [changed])


def test_an_evaluator_of_the_server_is_none_of_this_process() -> None:
    def json_valid(output: str) -> bool:
        return bool(output)

    with pytest.raises(InvalidRequest, match="the run has no json_valid"):
        taken_up(SHAPE, [json_valid])
