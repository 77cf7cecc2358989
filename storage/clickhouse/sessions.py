"""Reading sessions: each is what its traces say of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from heliograph.domain.errors import QueryTooExpensive
from heliograph.domain.filters import Order, Page, equals
from heliograph.domain.identifiers import ProjectId, SessionId
from heliograph.domain.not_found import SessionNotFound
from storage.clickhouse.clauses import FIRST_MOMENT, LAST_MOMENT, moment
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.traces import Traces

# Beyond, an answer with all payloads would be too large to read.
MAX_TRACES = 10_000
_OLDEST_FIRST = Order("timestamp", is_descending=False)


@dataclass(frozen=True)
class SessionConditions:
    """Sessions that began from `after`, inclusive, to `before`, exclusive, in one of some environments, if any."""

    after: datetime | None = None
    before: datetime | None = None
    environments: Sequence[str] = ()


class Sessions:
    """The sessions of one project. A session began when its first trace arrived, and has that trace's environment."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _ALL = """
        SELECT session_id AS session, min(created_at) AS began_at, argMin(environment, (timestamp, id)) AS place
        FROM traces FINAL WHERE project_id = {project_id:String} AND session_id != ''
        GROUP BY session
        HAVING began_at >= {after:DateTime64(6, 'UTC')} AND began_at < {before:DateTime64(6, 'UTC')}
            AND (empty({environments:Array(String)}) OR place IN {environments:Array(String)})
    """
    _LIST = f"{_ALL} ORDER BY began_at DESC, session DESC LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}"
    _COUNT = f"SELECT count() AS sessions FROM ({_ALL})"  # noqa: S608 - a constant

    async def search_and_count(self, conditions: SessionConditions, page: Page) -> tuple[pa.Table, int]:
        """One page, the newest first, as `session`, `began_at` and `place`; and how many sessions there are."""
        bound = {
            "project_id": self._project_id,
            "after": moment(conditions.after or FIRST_MOMENT),
            "before": moment(conditions.before or LAST_MOMENT),
            "environments": list(conditions.environments),
        }
        found, counted = await asyncio.gather(
            self._clickhouse.read(self._LIST, bound | {"limit": page.size, "offset": page.offset}),
            self._clickhouse.read(self._COUNT, bound),
        )
        return found, int(counted["sessions"][0].as_py())

    async def traces_of(self, session_id: SessionId) -> pa.Table:
        """The traces of a session with their payloads, the oldest first.

        Raises:
            SessionNotFound: no trace names it.
            QueryTooExpensive: it has more than 10,000 traces.
        """
        traces = Traces(self._clickhouse, self._project_id)
        of_session = [equals("sessionId", session_id)]
        found = await traces.search(of_session, Page(1, MAX_TRACES + 1), _OLDEST_FIRST)
        if found.num_rows == 0:
            raise SessionNotFound(session_id)
        if found.num_rows > MAX_TRACES:
            raise QueryTooExpensive
        return await traces.with_payloads(found)
