"""When the observations of some traces were placed: most likely, so that a query reads days and not years."""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from storage.clickhouse.clauses import FIRST_MOMENT, LAST_MOMENT, moment

# Observations lie within their trace, but for the clocks of the machines that they come from.
_MARGIN = timedelta(hours=1)

Window = dict[str, str]

ALL_TIME: Window = {"placed_after": moment(FIRST_MOMENT), "placed_before": moment(LAST_MOMENT)}


def around(traces: pa.Table) -> Window:
    """Where to look first; whoever misses something then looks through all time."""
    starts, ends = traces["timestamp"], traces["end_time"]
    first: datetime | None = pc.min(starts).as_py()
    last: datetime | None = pc.max(pc.coalesce(ends, starts)).as_py()
    if first is None or last is None:
        return ALL_TIME
    return {"placed_after": moment(first - _MARGIN), "placed_before": moment(last + _MARGIN)}
