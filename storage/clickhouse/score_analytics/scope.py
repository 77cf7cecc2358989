"""Which scores a figure is about, as conditions."""

from typing import Any

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import ScoreScope
from heliograph.domain.selections import SelectedTable
from storage.clickhouse.clauses import TIME_TYPE, Where, moment
from storage.clickhouse.exposed import EXPOSED


def where_of(scope: ScoreScope, project_id: ProjectId, **bound: Any) -> Where:
    """The conditions of a scope; raises InvalidRequest."""
    conditions = () if scope.where is None else (scope.where,)
    where = Where.of(EXPOSED[SelectedTable.SCORES].filters, conditions, project_id=project_id, **bound)
    for name, operator, at in (("since", ">=", scope.since), ("until", "<", scope.until)):
        if at is not None:
            where = where.also(f"timestamp {operator} {{{name}:{TIME_TYPE}}}", **{name: moment(at)})
    return where
