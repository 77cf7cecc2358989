"""Reading experiments: what the observations say that belong to one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from string import Template
from typing import Any

import pyarrow as pa

from heliograph.domain.experiments import EXPERIMENT_METADATA, Activity, Cuts, Experiment
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.plain_rows import plain_rows
from storage.clickhouse.clauses import Where, moment
from storage.clickhouse.columns import Column, Columns, Kind
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Place

EXPERIMENT_COLUMNS: Columns = {
    "id": Column("experiment_id", Kind.TEXT),
    "name": Column("experiment_name", Kind.TEXT),
    "datasetId": Column("experiment_dataset_id", Kind.TEXT),
    "startTime": Column("start_time", Kind.TIME),
    "createdAt": Column("created_at", Kind.TIME),
}
ITEM_COLUMNS: Columns = {
    "experimentId": Column("experiment_id", Kind.TEXT),
    "experimentName": Column("experiment_name", Kind.TEXT),
    "experimentItemId": Column("experiment_item_id", Kind.TEXT),
    "datasetId": Column("experiment_dataset_id", Kind.TEXT),
    "traceId": Column("trace_id", Kind.TEXT),
    "startTime": Column("start_time", Kind.TIME),
}
_ITEM = ("id", "project_id", "trace_id", "start_time", "end_time", "level", "environment", "metadata")
_OUTLINE = ("id", "trace_id", "start_time", "created_at", "updated_at", "experiment_id", "experiment_item_id")
_MAX_RUNS = 10_000


class Experiments:
    """The experiments of one project.

    Args:
        clickhouse: where they are read.
        project_id: whose they are.
        cuts: which are deleted, but for what was sent later.
    """

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId, cuts: Cuts) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id
        self._cuts = cuts

    _PAGE = Template("""
        SELECT experiment_id AS id, argMax(experiment_name, start_time) AS name,
            argMax(experiment_dataset_id, start_time) AS dataset_id, min(start_time) AS first,
            max(ifNull(end_time, start_time)) AS last, countIf(is_experiment_item) AS item_count
        FROM observations FINAL
        WHERE project_id = {project_id:String} AND experiment_id != '' $where
        GROUP BY experiment_id $having
        ORDER BY last DESC, id DESC LIMIT {limit:UInt32}
    """)
    _AFTER = "HAVING (last, id) < ({last:DateTime64(6, 'UTC')}, {last_id:String})"

    async def page(
        self, conditions: Sequence[Condition], *, limit: int, after: Activity | None = None
    ) -> list[Experiment]:
        """The experiments with observations that meet all conditions, the latest activity first."""
        where = self._where(EXPERIMENT_COLUMNS, conditions, limit=limit)
        having = ""
        if after is not None:
            having = self._AFTER
            where = where.also("1", last=moment(after.end_time), last_id=after.id)
        found = await self._clickhouse.read(self._PAGE.substitute(where=where.sql, having=having), where.parameters)
        return [_experiment(row) for row in plain_rows(found)]

    async def of_dataset(self, dataset_id: str) -> list[Experiment]:
        """Every experiment over a dataset, with what it says of itself."""
        where = self._where(EXPERIMENT_COLUMNS, [], limit=_MAX_RUNS)
        where = where.also("experiment_dataset_id = {dataset_id:String}", dataset_id=dataset_id)
        found = await self._clickhouse.read(self._PAGE.substitute(where=where.sql, having=""), where.parameters)
        return await self.described([_experiment(row) for row in plain_rows(found)])

    _IDS = Template("""
        SELECT DISTINCT experiment_id AS id FROM observations FINAL
        WHERE project_id = {project_id:String} AND experiment_id != '' $where
    """)

    async def ids(self, conditions: Sequence[Condition] = ()) -> set[str]:
        """The ids of all experiments with observations that meet all conditions."""
        where = self._where(EXPERIMENT_COLUMNS, conditions)
        found = await self._clickhouse.read(self._IDS.substitute(where=where.sql), where.parameters)
        return set(found["id"].to_pylist())

    _DETAILS = Template("""
        SELECT experiment_id AS id, argMax(metadata['langfuse.experiment.description'], start_time) AS description,
            argMax(mapFilter((k, v) -> startsWith(k, {prefix:String}), metadata), start_time) AS details
        FROM observations FINAL
        WHERE project_id = {project_id:String} AND experiment_id IN {ids:Array(String)} AND is_experiment_item
            AND start_time >= {first:DateTime64(6, 'UTC')} $where
        GROUP BY experiment_id
    """)

    async def described(self, experiments: Sequence[Experiment]) -> list[Experiment]:
        """The experiments with their descriptions and metadata."""
        if not experiments:
            return []
        first = moment(min(one.start_time for one in experiments))
        ids = [one.id for one in experiments]
        where = self._where(EXPERIMENT_COLUMNS, [], ids=ids, first=first, prefix=EXPERIMENT_METADATA)
        found = await self._clickhouse.read(self._DETAILS.substitute(where=where.sql), where.parameters)
        details = {row["id"]: row for row in plain_rows(found)}
        return [_described(one, details.get(one.id)) for one in experiments]

    _ITEMS = Template("""
        SELECT $columns FROM observations FINAL
        WHERE project_id = {project_id:String} AND experiment_id != '' AND is_experiment_item $where
        ORDER BY start_time DESC, xxHash32(trace_id) DESC, id DESC LIMIT {limit:UInt32}
    """)
    _FOLLOWING = """
        start_time <= {start_time:DateTime64(6, 'UTC')} AND (start_time, xxHash32(trace_id), id)
            < ({start_time:DateTime64(6, 'UTC')}, xxHash32({trace_id:String}), {id:String})
    """

    async def items(
        self, conditions: Sequence[Condition], *, limit: int, has_payloads: bool, after: Place | None = None
    ) -> pa.Table:
        """The observations in which items ran and that meet all conditions, the newest first, with their metadata."""
        where = self._where(ITEM_COLUMNS, conditions, limit=limit)
        if after is not None:
            where = where.also(
                self._FOLLOWING, start_time=moment(after.start_time), trace_id=after.trace_id, id=after.id
            )
        columns = (*_ITEM, "input", "output") if has_payloads else _ITEM
        sql = self._ITEMS.substitute(columns=", ".join(columns), where=where.sql)
        return await self._clickhouse.read(sql, where.parameters)

    _OF_RUN = Template("""
        SELECT $columns FROM observations FINAL
        WHERE project_id = {project_id:String} AND experiment_id = {experiment_id:String} AND is_experiment_item $where
        ORDER BY start_time, id
    """)

    async def items_of(self, experiment_id: str) -> list[dict[str, Any]]:
        """Where the items of one experiment ran, without payloads, in the order in which they began."""
        where = self._where(ITEM_COLUMNS, [], experiment_id=experiment_id)
        sql = self._OF_RUN.substitute(columns=", ".join(_OUTLINE), where=where.sql)
        return list(plain_rows(await self._clickhouse.read(sql, where.parameters)))

    def _where(self, columns: Columns, conditions: Sequence[Condition], **bound: Any) -> Where:
        where = Where.of(columns, conditions, project_id=self._project_id, **bound)
        if not self._cuts:
            return where
        # Clocks differ, and spans take a while to arrive: either time may tell that one was sent before.
        term = """toUnixTimestamp64Micro(least(start_time, created_at))
            > transform(experiment_id, {cut_ids:Array(String)}, {cuts:Array(Int64)}, toInt64(0))"""
        return where.also(term, cut_ids=list(self._cuts), cuts=[_micros(cut) for cut in self._cuts.values()])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _micros(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _experiment(row: dict[str, Any]) -> Experiment:
    return Experiment(
        id=row["id"],
        name=row["name"],
        dataset_id=row["dataset_id"],
        start_time=row["first"],
        end_time=row["last"],
        item_count=row["item_count"],
    )


def _described(experiment: Experiment, row: dict[str, Any] | None) -> Experiment:
    if row is None:
        return experiment
    return replace(experiment, description=row["description"], metadata=row["details"])
