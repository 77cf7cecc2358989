"""Reading the scores of experiments and of their items."""

from collections.abc import Iterable, Sequence

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.observations import Observation
from heliograph.domain.scores import Score, scores_from
from storage.clickhouse.connection import ClickHouse

_COLUMNS = """
    id, project_id, timestamp, name, data_type, source, value, string_value, long_string_value, trace_id,
    observation_id, session_id, dataset_run_id, environment, comment, metadata, author_user_id, config_id,
    queue_id, execution_trace_id, evaluator_version, created_at, updated_at
"""


class ExperimentScores:
    """The scores of one project's experiments.

    Args:
        clickhouse: where they are read.
        project_id: whose they are.
        limit: how many of one experiment, or of one item.
    """

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId, limit: int) -> None:
        self._clickhouse = clickhouse
        self._bound = {"project_id": project_id, "limit": limit}
        self._limit = limit

    _OF_EXPERIMENTS = f"""
        SELECT {_COLUMNS} FROM scores FINAL
        WHERE project_id = {{project_id:String}} AND dataset_run_id IN {{ids:Array(String)}}
        ORDER BY timestamp DESC, id DESC LIMIT {{limit:UInt32}} BY dataset_run_id
    """  # noqa: S608 - a constant

    async def of_experiments(self, ids: Sequence[str]) -> dict[str, list[Score]]:
        """The newest scores on each of the experiments themselves."""
        scores: dict[str, list[Score]] = {one: [] for one in ids}
        if ids:
            found = await self._clickhouse.read(self._OF_EXPERIMENTS, self._bound | {"ids": list(ids)})
            for score in scores_from(found):
                scores[score.dataset_run_id].append(score)
        return scores

    _OF_ITEMS = f"""
        SELECT {_COLUMNS} FROM scores FINAL
        WHERE project_id = {{project_id:String}} AND trace_id IN {{trace_ids:Array(String)}}
            AND (observation_id = '' OR observation_id IN {{ids:Array(String)}})
        ORDER BY timestamp DESC, id DESC LIMIT {{limit:UInt32}} BY trace_id, observation_id
    """  # noqa: S608 - a constant

    async def of_items(self, items: Iterable[Observation]) -> dict[str, list[Score]]:
        """The newest scores on each of the items and on their traces, by the id of the item's observation."""
        places = [(item.id, item.trace_id) for item in items]
        if not places:
            return {}
        bound = {"ids": [item_id for item_id, _ in places], "trace_ids": sorted({trace_id for _, trace_id in places})}
        scores = list(scores_from(await self._clickhouse.read(self._OF_ITEMS, self._bound | bound)))
        return {
            item_id: [s for s in scores if s.trace_id == trace_id and s.observation_id in {"", item_id}][: self._limit]
            for item_id, trace_id in places
        }
