"""What prices depend on, read and replaced: of calls whose costs are computed, never of those that provided theirs."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.external import ExternalData

from heliograph.domain import tables
from heliograph.domain.backfills import DayPart
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.recosts import COST_COLUMNS, RecostRequest
from storage.clickhouse.clauses import moment
from storage.clickhouse.day_parts import AWAY, RETRY_AFTER_SECONDS, part_conditions, time_conditions
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import INSERT_SETTINGS, arrow_stream

# Of a row that is stored with new costs.
_TAKEN = [f"{'changed' if name in COST_COLUMNS else 'stored'}.{name}" for name in tables.OBSERVATIONS.names]


class PricedRows:
    """Calls of one project that cost what their usage does. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient, project_id: ProjectId) -> None:
        self._client = client
        self._project_id = project_id

    def read(self, asked: RecostRequest, part: DayPart, columns: Sequence[str], *, with_metadata: bool) -> pa.Table:
        """These columns of the part's calls that name a model; metadata are empty unless they are asked for.

        Raises Unavailable.
        """
        shown = [
            "CAST(map(), 'Map(String, String)') AS metadata" if name == "metadata" and not with_metadata else name
            for name in columns
        ]
        within, values = time_conditions("observations", asked.start, asked.end)
        of_part, bounds = part_conditions("observations", part)
        where = f"{within} AND {of_part}"
        values |= bounds | {"project": self._project_id}
        if asked.model:
            where += " AND provided_model_name = {model:String}"
            values["model"] = asked.model
        sql = (
            f"SELECT {', '.join(shown)} FROM observations FINAL WHERE project_id = {{project:String}} AND {where}"  # noqa: S608 - names of ours
            " AND provided_model_name != '' AND empty(provided_cost_details)"
        )
        schema = pa.schema([tables.OBSERVATIONS.field(name) for name in columns])
        try:
            return self._client.get().query_arrow(sql, parameters=values).cast(schema)
        except AWAY as error:
            raise Unavailable("ClickHouse", RETRY_AFTER_SECONDS) from error


class CostChanges:
    """Stores new costs of observations, by the lanes alone. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient) -> None:
        self._client = client

    # The rows do not leave the server. Of equal versions the last one inserted wins (decision 10).
    _STORE = f"""
        INSERT INTO observations ({", ".join(tables.OBSERVATIONS.names)})
        SELECT {", ".join(_TAKEN)}
        FROM observations AS stored FINAL
        ANY INNER JOIN changed USING (trace_id, id, row_version)
        WHERE stored.project_id = {{project:String}} AND stored.trace_id IN (SELECT trace_id FROM changed)
            AND toDate(stored.placed_at)
                BETWEEN toDate({{first:DateTime64(6, 'UTC')}}) AND toDate({{last:DateTime64(6, 'UTC')}})
    """  # noqa: S608 - names of ours

    def store(self, project_id: str, repriced: pa.Table) -> None:
        """Give rows that still are of these versions these costs; all else of them stays.

        Args:
            project_id: whose they are.
            repriced: as `REPRICED`.

        Raises:
            Unavailable: ClickHouse did not confirm; the call may be repeated.
        """
        if repriced.num_rows == 0:
            return
        places = pc.min_max(repriced["placed_at"])
        bounds = {"first": moment(places["min"].as_py()), "last": moment(places["max"].as_py())}
        rows = arrow_stream(repriced.drop_columns(["placed_at"]))
        changed = ExternalData(file_name="changed", data=rows, fmt="ArrowStream", structure=_STRUCTURE)
        try:
            self._client.get().command(
                self._STORE, parameters={"project": project_id, **bounds}, external_data=changed, settings=_SETTINGS
            )
        except AWAY as error:
            raise Unavailable("ClickHouse", RETRY_AFTER_SECONDS) from error


_STRUCTURE = (
    "trace_id String, id String, row_version UInt64, model_id String,"
    " cost_details Map(String, Decimal(18, 12)), total_cost Decimal(18, 12), pricing_tier String,"
    " unpriced_usage Array(String)"
)
# One part an insert, and as few threads as leave the lanes theirs.
_SETTINGS = {**INSERT_SETTINGS, "max_insert_threads": 1, "max_threads": 2}
