"""Scores that evaluation runs have given, by their ids."""

from collections.abc import Sequence

from heliograph.domain.evaluation_runs import RUN_KEY
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.parameters import portions


class RunScores:
    """The scores of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _FIND = """
        SELECT id, metadata[{key:String}] AS run FROM scores FINAL
        WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
    """

    async def runs(self, ids: Sequence[str]) -> dict[str, str]:
        """Of the scores that are stored, the run that gave each; '' for none. Raises Unavailable."""
        found: dict[str, str] = {}
        for portion in portions(ids):
            bound = {"project_id": self._project_id, "ids": portion, "key": RUN_KEY}
            table = await self._clickhouse.read(self._FIND, bound)
            # A value of metadata is JSON.
            runs = (run.strip('"') for run in table["run"].to_pylist())
            found.update(zip(table["id"].to_pylist(), runs, strict=True))
        return found
