"""Scores that people give: their ids, their author, and the rules of their configs."""

import pytest

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import UserId
from heliograph.domain.score_configs import Category, ScoreConfig
from heliograph.domain.scores import ScoreDataType
from ingestion.annotated_scores import Annotator, Target, annotated, correction

GRADE = ScoreConfig(
    id="c1",
    name="grade",
    data_type=ScoreDataType.CATEGORICAL,
    categories=(Category("poor", 0.0), Category("good", 1.0)),
)
ADA, BOB = Annotator(UserId("ada"), "q1"), Annotator(UserId("bob"), "q1")
TRACE = Target(trace_id="t1", environment="production")


def test_a_person_says_one_thing_of_a_target_by_a_config() -> None:
    first, second = annotated(GRADE, "poor", TRACE, annotator=ADA), annotated(GRADE, "good", TRACE, annotator=ADA)
    assert first.id == second.id
    assert (second.text, second.value, second.source) == ("good", 1.0, "ANNOTATION")
    assert (second.author_user_id, second.queue_id, second.config_id) == ("ada", "q1", "c1")
    assert (second.trace_id, second.environment) == ("t1", "production")


def test_others_and_other_targets_have_scores_of_their_own() -> None:
    ids = {
        annotated(GRADE, "good", target, annotator=annotator).id
        for target in (TRACE, Target(trace_id="t1", observation_id="o1"), Target(session_id="t1"))
        for annotator in (ADA, BOB)
    }
    assert len(ids) == 6


def test_a_value_that_the_config_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="must be one of 'poor', 'good'"):
        annotated(GRADE, "superb", TRACE, annotator=ADA)


def test_a_correction_says_what_the_output_should_have_been() -> None:
    body = correction("4", TRACE, ADA)
    assert (body.name, body.data_type, body.text, body.author_user_id) == ("output", "CORRECTION", "4", "ada")
    with pytest.raises(InvalidRequest):
        correction("4", Target(session_id="s"), ADA)
