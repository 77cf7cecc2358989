"""Traces, in the first API generation."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

import pyarrow as pa
from fastapi import APIRouter, Query
from pydantic import Field

from heliograph.domain import filters
from heliograph.domain.deletions import SubjectType
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import TraceId
from heliograph.domain.observations import observations_from
from heliograph.domain.scores import scores_from
from heliograph.domain.traces import traces_from
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import (
    Dependencies,
    ProjectDeletions,
    ProjectObservations,
    ProjectScores,
    ProjectTraces,
)
from serve_apps.api.payloads import WholePayloads
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.api.shapes.observations import observation_v1
from serve_apps.api.shapes.scores import score_v1
from serve_apps.api.shapes.traces import FIELD_GROUPS, ListedTraceV1, TraceV1, listed_trace_v1, trace_v1
from storage.clickhouse.traces import NEWEST_FIRST, with_payloads_of

router = APIRouter(tags=["trace"])

MAX_DELETED_TRACES = 1_000
# About 20 ms.
_MAX_ROWS_ON_LOOP = 200
Unread = TypeVar("Unread")
_NO_ROWS = pa.table({"id": pa.array([], pa.string())})


class TraceFields(parameters.Parameters):
    """Which groups of fields to answer with; all of them unless some are named."""

    fields: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """The chosen groups."""
        return parameters.choice(self.fields, FIELD_GROUPS, FIELD_GROUPS)


class TraceList(parameters.Paged, TraceFields):
    """Which traces, in which order, and which fields of them."""

    user_id: str = ""
    name: str = ""
    session_id: str = ""
    version: str = ""
    release: str = ""
    tags: list[str] = Field(default_factory=list)
    environment: list[str] = Field(default_factory=list)
    from_timestamp: parameters.Moment = None
    to_timestamp: parameters.Moment = None
    order_by: str = ""
    filter: str = ""

    @property
    def conditions(self) -> list[Condition]:
        """All that a trace must meet."""
        simple = parameters.equalities(
            userId=self.user_id,
            name=self.name,
            sessionId=self.session_id,
            version=self.version,
            release=self.release,
        )
        tags = [filters.holds_all("tags", self.tags)] if self.tags else []
        environments = [filters.one_of("environment", self.environment)] if self.environment else []
        period = parameters.period("timestamp", self.from_timestamp, self.to_timestamp)
        advanced = parameters.conditions_from(self.filter)
        return parameters.merged([*simple, *tags, *environments, *period], advanced)


class TraceIds(parameters.Parameters):
    """The traces that a request is about."""

    trace_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_DELETED_TRACES)]


@router.get("/traces")
async def list_traces(
    asked: Annotated[TraceList, Query()],
    *,
    traces: ProjectTraces,
    observations: ProjectObservations,
    scores: ProjectScores,
) -> Answer[PageOf[ListedTraceV1]]:
    """One page of traces, the newest first unless ordered otherwise; observations and scores as ids."""
    page, groups = asked.asked_page, asked.groups
    order = parameters.order_from(asked.order_by, NEWEST_FIRST)
    found, total = await traces.search_and_count(asked.conditions, page, order)
    rows, observation_ids, score_ids = await asyncio.gather(
        traces.with_payloads(found) if "io" in groups else _unread(found),
        observations.ids_of(found) if "observations" in groups else _unread({}),
        scores.ids_of(found) if "scores" in groups else _unread({}),
    )
    data = [
        listed_trace_v1(
            trace,
            groups,
            observations=observation_ids.get(TraceId(trace.id), []),
            scores=score_ids.get(TraceId(trace.id), []),
        )
        for trace in traces_from(rows)
    ]
    return page_answer(data, page, total)


@router.get("/traces/{trace_id}")
async def get_trace(
    trace_id: TraceId,
    *,
    asked: Annotated[TraceFields, Query()],
    traces: ProjectTraces,
    observations: ProjectObservations,
    scores: ProjectScores,
    dependencies: Dependencies,
) -> Answer[TraceV1]:
    """One trace with its observations and scores, and their payloads whole, however large."""
    groups = asked.groups
    row, observed, scored = await asyncio.gather(
        traces.row(trace_id),
        observations.of_trace(trace_id) if "observations" in groups else _unread(_NO_ROWS),
        scores.of_trace(trace_id) if "scores" in groups else _unread(_NO_ROWS),
    )
    whole_payloads = WholePayloads(dependencies.payloads)
    # The root observation is among those that were read.
    row = with_payloads_of(row, observed) if "observations" in groups else await traces.with_payloads(row)
    trace = await whole_payloads.of_trace(next(traces_from(row)))
    size = observed.num_rows
    observed_whole = await whole_payloads.of_observations(await _aside(size, lambda: list(observations_from(observed))))

    def shaped() -> Answer[TraceV1]:
        observations_v1 = [observation_v1(each, dependencies.prices) for each in observed_whole]
        scores_v1 = [score_v1(each) for each in scores_from(scored)]
        return answer(trace_v1(trace, groups, observations=observations_v1, scores=scores_v1))

    return await _aside(size, shaped)


@router.delete("/traces/{trace_id}")
async def delete_trace(trace_id: TraceId, deletions: ProjectDeletions) -> Answer[Told]:
    """Delete a trace with its observations and scores: what was sent before this call, shortly after it."""
    await deletions.accept(SubjectType.TRACE, [trace_id])
    return answer({"message": "Trace deleted successfully"})


@router.delete("/traces")
async def delete_traces(asked: TraceIds, deletions: ProjectDeletions) -> Answer[Told]:
    """Delete several traces."""
    await deletions.accept(SubjectType.TRACE, asked.trace_ids)
    return answer({"message": "Traces deleted successfully"})


async def _aside(rows: int, work: Callable[[], Unread]) -> Unread:
    """The result of work whose size is a trace's; for a large one other requests go on meanwhile."""
    return work() if rows <= _MAX_ROWS_ON_LOOP else await asyncio.to_thread(work)


async def _unread(instead: Unread) -> Unread:
    """What stands for the answer to a question that is not asked."""
    return instead
