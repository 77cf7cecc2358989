"""How recent the newest events are, over all projects: for operators, never for a project's reader."""

from datetime import datetime

from storage.clickhouse.clauses import moment
from storage.clickhouse.connection import ClickHouse

# Without FINAL: any version of any row that was written since is an answer.
_ANY_SINCE = "SELECT 1 AS found FROM traces WHERE updated_at >= {since:DateTime64(6, 'UTC')} LIMIT 1"


async def has_events_since(clickhouse: ClickHouse, since: datetime) -> bool:
    """Whether any project's trace was written at that time or later."""
    found = await clickhouse.read(_ANY_SINCE, {"since": moment(since)})
    return bool(found.num_rows)
