"""What the pages ask about traces: lists of them, and one with its observations, scores and comments."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from dashboard.filter_text import conditions_of
from dashboard.queries.periods import of_traces
from dashboard.state import Scope, TraceList
from heliograph.domain.annotations import Comment, CommentedType
from heliograph.domain.filters import Expression, Order, Page, TextCondition, before, equals, one_of, since
from heliograph.domain.identifiers import ProjectId, TraceId
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.pulse import Pulse
from storage.clickhouse.scores import Scores
from storage.clickhouse.traces import Traces
from storage.postgres.comments import CommentFilter, Comments
from storage.postgres.connection import Database
from storage.postgres.users import Users

# The sortable columns of the table, by the readers' names for them.
_ORDERS = {
    "timestamp": "timestamp",
    "name": "name",
    "latency_ms": "latency",
    "total_tokens": "totalTokens",
    "total_cost": "totalCost",
    "observation_count": "observationCount",
}
MAX_COMMENTS = 200


@dataclass(frozen=True)
class Listed:
    """One page of a list, as a table, and how many rows there are on all pages."""

    rows: pa.Table
    total: int


@dataclass(frozen=True)
class WholeTrace:
    """One trace: its row, its observations as `Observations.outline_of_trace` reads them, and all of its scores."""

    trace: pa.Table
    observations: pa.Table
    scores: pa.Table


@dataclass(frozen=True)
class Remark:
    """A comment with the name of its author, '' where it came without one."""

    comment: Comment
    author: str


class TraceQueries:
    """The questions about the traces of one project."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._traces = Traces(clickhouse, project_id)
        self._observations = Observations(clickhouse, project_id)
        self._scores = Scores(clickhouse, project_id)
        self._pulse = Pulse(clickhouse, project_id)
        self._comments = Comments(database, project_id)
        self._users = Users(database)

    async def page(self, scope: Scope, wanted: TraceList) -> Listed:
        """The wanted page of the list of traces."""
        order = Order(_ORDERS[wanted.sort], is_descending=wanted.order == "desc")
        conditions = trace_conditions(scope, wanted)
        return Listed(*await self._traces.search_and_count(conditions, Page(wanted.page, wanted.size), order))

    async def pulse(self, scope: Scope, wanted: TraceList) -> pa.Table:
        """A sample of the traces that match in the whole period, as `Pulse.points` reads it."""
        return await self._pulse.points(matching_conditions(scope, wanted))

    async def chosen(self, trace_ids: Sequence[str]) -> pa.Table:
        """These traces with their input and output, the newest first."""
        found = await self._traces.search([one_of("id", list(trace_ids))], Page(size=len(trace_ids)))
        return await self._traces.with_payloads(found)

    async def trace(self, trace_id: str) -> WholeTrace | None:
        """One trace, or none if there is no such trace in the project."""
        trace, observations, scores = await asyncio.gather(
            self._traces.search([equals("id", trace_id)], Page(size=1)),
            self._observations.outline_of_trace(TraceId(trace_id)),
            self._scores.of_trace(TraceId(trace_id)),
        )
        return WholeTrace(trace, observations, scores) if trace.num_rows else None

    async def observation(self, trace_id: str, observation_id: str) -> pa.Table:
        """One observation with its payloads, as a table of at most one row."""
        conditions = [equals("traceId", trace_id), equals("id", observation_id)]
        return await self._observations.search(conditions, Page(size=1))

    async def remarks(self, object_id: str, object_type: CommentedType = CommentedType.TRACE) -> list[Remark]:
        """The newest comments on a trace, or on something else, the oldest of them first."""
        asked = CommentFilter(object_type=object_type, object_id=object_id)
        found, _ = await self._comments.page(asked, Page(size=MAX_COMMENTS))
        names = await self._users.names_of({one.author_user_id for one in found if one.author_user_id})
        return [Remark(one, names.get(one.author_user_id or "", one.author_user_id or "")) for one in reversed(found)]


def trace_conditions(scope: Scope, wanted: TraceList) -> list[Expression]:
    """The filters of the table in the readers' language, empty ones left out; raises InvalidRequest."""
    selected = wanted.selected()
    span = [since("timestamp", selected[0]), before("timestamp", selected[1])] if selected else []
    return [*matching_conditions(scope, wanted), *span]


def matching_conditions(scope: Scope, wanted: TraceList) -> list[Expression]:
    """The same, but of the whole period."""
    contained = {"name": wanted.named, "userId": wanted.user, "sessionId": wanted.session}
    conditions = of_traces(scope)
    conditions += [
        TextCondition(type="string", column=column, operator="contains", value=text)
        for column, text in contained.items()
        if text
    ]
    if wanted.level:
        conditions.append(equals("level", wanted.level))
    return [*conditions, *conditions_of(wanted.filter)]
