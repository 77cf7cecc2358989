"""Scores, in the first two API generations; deletion, which all share."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from heliograph.domain import filters
from heliograph.domain.deletions import SubjectType
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ScoreId
from heliograph.domain.scores import ScoreDataType, scores_from
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import ProjectDeletions, ProjectScores
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.api.shapes.scores import ListedScoreV1, ScoreV1, listed_score_v1, score_v1
from storage.clickhouse.scores import OF_TRACE

router = APIRouter(tags=["score"])

_OF_A_TRACE = (filters.present("traceId"),)


class ScoreList(parameters.Paged):
    """Which scores, and which page of them."""

    user_id: str = ""
    name: str = ""
    config_id: str = ""
    queue_id: str = ""
    trace_tags: list[str] = Field(default_factory=list)
    data_type: parameters.Optional[ScoreDataType] = None
    environment: list[str] = Field(default_factory=list)
    from_timestamp: parameters.Moment = None
    to_timestamp: parameters.Moment = None
    source: parameters.Optional[Literal["API", "ANNOTATION", "EVAL"]] = None
    value: parameters.Optional[Annotated[float, Field(allow_inf_nan=False)]] = None
    operator: parameters.Optional[filters.NumberOperator] = None
    score_ids: str = ""
    filter: str = ""

    @property
    def conditions(self) -> list[Condition]:
        """All that a score and its trace must meet."""
        return parameters.merged(self.simple, parameters.conditions_from(self.filter))

    @property
    def simple(self) -> list[Condition]:
        """The conditions beside those of the filter parameter."""
        found = parameters.equalities(
            userId=self.user_id,
            name=self.name,
            configId=self.config_id,
            queueId=self.queue_id,
            dataType=self.data_type or "",
            source=self.source or "",
        )
        found += parameters.period("timestamp", self.from_timestamp, self.to_timestamp)
        found += parameters.memberships(id=self.score_ids)
        if self.trace_tags:
            found.append(filters.holds_all("traceTags", self.trace_tags))
        if self.environment:
            found.append(filters.one_of("environment", self.environment))
        if self.value is not None:
            found.append(filters.number("value", self.operator or "=", self.value))
        return found


class ScoreListV2(ScoreList):
    """The same for scores of every kind of subject."""

    session_id: str = ""
    trace_id: str = ""
    dataset_run_id: str = ""
    observation_id: str = ""
    fields: str = ""

    @property
    def simple(self) -> list[Condition]:
        """The conditions beside those of the filter parameter."""
        subjects = parameters.equalities(
            sessionId=self.session_id, traceId=self.trace_id, datasetRunId=self.dataset_run_id
        )
        return [*super().simple, *subjects, *parameters.memberships(observationId=self.observation_id)]

    @property
    def is_with_traces(self) -> bool:
        """Whether to answer with what is known of each score's trace; raises InvalidRequest."""
        groups = set(parameters.listed(self.fields)) or {"score", "trace"}
        if unknown := groups - {"score", "trace"}:
            raise InvalidRequest("fields", f"there is no group {min(unknown)!r} here; there are score, trace")
        if "score" not in groups:
            raise InvalidRequest("fields", "must hold score")
        if "trace" not in groups and any(condition.column in OF_TRACE for condition in self.conditions):
            raise InvalidRequest("fields", "must hold trace, since a filter asks about it")
        return "trace" in groups


@router.get("/scores")
async def list_scores(asked: Annotated[ScoreList, Query()], scores: ProjectScores) -> Answer[PageOf[ListedScoreV1]]:
    """One page of the scores of traces and observations, the newest first."""
    return await _page_with_traces(asked, scores, [*_OF_A_TRACE, *asked.conditions])


@router.get("/v2/scores")
async def list_scores_of_all_subjects(
    asked: Annotated[ScoreListV2, Query()], scores: ProjectScores
) -> Answer[PageOf[ListedScoreV1]] | Answer[PageOf[ScoreV1]]:
    """One page of the scores of traces, observations, sessions and experiments, the newest first."""
    paged = _page_with_traces if asked.is_with_traces else _page
    return await paged(asked, scores, asked.conditions)


@router.get("/scores/{score_id}")
async def get_score(score_id: ScoreId, scores: ProjectScores) -> Answer[ScoreV1]:
    """One score of a trace or an observation."""
    return answer(score_v1(await scores.get(score_id, _OF_A_TRACE)))


@router.get("/v2/scores/{score_id}")
async def get_score_of_any_subject(score_id: ScoreId, scores: ProjectScores) -> Answer[ScoreV1]:
    """One score, whatever it is about."""
    return answer(score_v1(await scores.get(score_id)))


@router.delete("/scores/{score_id}", status_code=202)
async def delete_score(score_id: ScoreId, deletions: ProjectDeletions) -> Answer[Told]:
    """Delete a score of any kind; the row of its trace is computed anew without it, shortly after this call."""
    await deletions.accept(SubjectType.SCORE, [score_id])
    return answer({"message": "Score deleted successfully"}, 202)


async def _page(asked: ScoreList, scores: ProjectScores, conditions: list[Condition]) -> Answer[PageOf[ScoreV1]]:
    rows, total = await scores.search_and_count(conditions, asked.asked_page)
    return page_answer([score_v1(score) for score in scores_from(rows)], asked.asked_page, total)


async def _page_with_traces(
    asked: ScoreList, scores: ProjectScores, conditions: list[Condition]
) -> Answer[PageOf[ListedScoreV1]]:
    rows, total = await scores.search_and_count(conditions, asked.asked_page)
    found = list(scores_from(rows))
    traces = await scores.traces_of(found)
    data = [listed_score_v1(score, traces.get(score.trace_id)) for score in found]
    return page_answer(data, asked.asked_page, total)
