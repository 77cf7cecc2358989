"""The experiments of a project, whichever way clients have told of them: by spans, or item by item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from heliograph.domain.experiments import Activity, Experiment, RanItem
from heliograph.domain.filters import Condition, Creation, Page, one_of
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.observations import Observation, observations_from
from heliograph.domain.traces import Trace, traces_from
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.experiments import Experiments
from storage.clickhouse.observations import ROW, Observations, Place
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.reported_runs import ReportedRuns

_Told = TypeVar("_Told")
_Reported = TypeVar("_Reported")
_Place = TypeVar("_Place")
_WITH_METADATA = (*ROW, "metadata")
_WITH_PAYLOADS = (*_WITH_METADATA, "input", "output")
_Ran = dict[tuple[str, str], Observation]


@dataclass(frozen=True)
class Places(Generic[_Place]):
    """Where a page ended in what spans told, and in what was reported; None is before the first."""

    told: _Place | None = None
    reported: Creation | None = None


class ExperimentPage(NamedTuple):
    """Some experiments, the latest activity first, and where the next page begins, if there is one."""

    shown: list[Experiment]
    following: Places[Activity] | None


class ItemPage(NamedTuple):
    """Some items as the observations in which they ran, the newest first, and where the next page begins."""

    shown: list[Observation]
    following: Places[Place] | None


class ExperimentsOfProject:
    """The experiments of one project. One that was told both ways is what its spans tell.

    Args:
        told: what spans told.
        reported: what clients told item by item.
        traces: where what was reported ran.
        observations: the same.
    """

    def __init__(
        self, told: Experiments, reported: ReportedRuns, *, traces: Traces, observations: Observations
    ) -> None:
        self._told = told
        self._reported = reported
        self._traces = traces
        self._observations = observations

    @classmethod
    async def read(cls, database: Database, clickhouse: ClickHouse, project_id: ProjectId) -> "ExperimentsOfProject":
        """Know which experiments are deleted."""
        cuts = await DatasetRuns(database, project_id).cuts()
        return cls(
            Experiments(clickhouse, project_id, cuts),
            ReportedRuns(database, project_id),
            traces=Traces(clickhouse, project_id),
            observations=Observations(clickhouse, project_id),
        )

    async def page(self, conditions: Sequence[Condition], *, limit: int, after: Places[Activity]) -> ExperimentPage:
        """Some of the experiments that meet all conditions, with what they say of themselves."""
        told = await self._told.page(conditions, limit=limit + 1, after=after.told)
        ids = await self._only_reported([each for each in conditions if each.column == "createdAt"])
        reported = await self._reported.page(ids, conditions, limit=limit + 1, after=after.reported) if ids else []
        first = _first(limit, (told, lambda one: one.end_time), (reported, lambda one: one.end_time))
        described = {one.id: one for one in await self._told.described(first.told)}
        shown = [described.get(one.id, one) for one in first.both]
        if not first.has_more:
            return ExperimentPage(shown, None)
        told_until = Activity(first.told[-1].end_time, first.told[-1].id) if first.told else after.told
        last = first.reported[-1] if first.reported else None
        return ExperimentPage(shown, Places(told_until, Creation(last.end_time, last.id) if last else after.reported))

    async def items(
        self, conditions: Sequence[Condition], *, limit: int, has_payloads: bool, after: Places[Place]
    ) -> ItemPage:
        """Some of the items that meet all conditions. One that was reported stands where it was reported."""
        found = await self._told.items(conditions, limit=limit + 1, has_payloads=has_payloads, after=after.told)
        told, ids = list(observations_from(found)), await self._only_reported([])
        reported = await self._reported.items(ids, conditions, limit=limit + 1, after=after.reported) if ids else []
        first = _first(limit, (told, lambda one: one.start_time), (reported, lambda one: one.at))
        ran = await self._ran(first.reported, has_payloads=has_payloads)
        shown = [ran[one.id] if isinstance(one, RanItem) else one for one in first.both]
        if not first.has_more:
            return ItemPage(shown, None)
        last_told, last = first.told[-1] if first.told else None, first.reported[-1] if first.reported else None
        place = Place(last_told.start_time, last_told.trace_id, last_told.id) if last_told else after.told
        return ItemPage(shown, Places(place, Creation(last.at, last.id) if last else after.reported))

    async def _only_reported(self, conditions: Sequence[Condition]) -> set[str]:
        """The ids of the runs of which no span tells that meets the conditions."""
        reported = await self._reported.ids()
        return reported - await self._told.ids(conditions) if reported else reported

    async def _ran(self, items: Sequence[RanItem], *, has_payloads: bool) -> dict[str, Observation]:
        """By the id of an item: the observation in which it ran, or its trace as one."""
        observed = await self._observed([item for item in items if item.observation_id], has_payloads=has_payloads)
        traced = await self._traced([item for item in items if not item.observation_id], has_payloads=has_payloads)
        places = {item.id: (item.trace_id, item.observation_id) for item in items}
        known = observed | traced
        return {item.id: _with_experiment(item, known.get(places[item.id])) for item in items}

    async def _observed(self, items: Sequence[RanItem], *, has_payloads: bool) -> _Ran:
        if not items:
            return {}
        ids, trace_ids = [item.observation_id for item in items], [item.trace_id for item in items]
        columns = _WITH_PAYLOADS if has_payloads else _WITH_METADATA
        where = [one_of("traceId", trace_ids), one_of("id", ids)]
        # Ids repeat across traces.
        found = await self._observations.search(where, Page(1, len(items) ** 2), columns=columns)
        return {(one.trace_id, one.id): one for one in observations_from(found)}

    async def _traced(self, items: Sequence[RanItem], *, has_payloads: bool) -> _Ran:
        if not items:
            return {}
        found = await self._traces.search([one_of("id", [item.trace_id for item in items])], Page(1, len(items)))
        rows = await self._traces.with_payloads(found) if has_payloads else found
        return {(trace.id, ""): _as_observation(trace) for trace in traces_from(rows)}


class _First(NamedTuple, Generic[_Told, _Reported]):
    both: list[_Told | _Reported]
    told: list[_Told]
    reported: list[_Reported]
    has_more: bool


def _first(
    limit: int,
    told: tuple[Sequence[_Told], Callable[[_Told], datetime]],
    reported: tuple[Sequence[_Reported], Callable[[_Reported], datetime]],
) -> _First[_Told, _Reported]:
    """The first of two sequences with their times, the latest first; what is of one time keeps its order."""
    marked: list[tuple[datetime, _Told | _Reported, bool]] = [(told[1](one), one, True) for one in told[0]]
    marked += [(reported[1](one), one, False) for one in reported[0]]
    chosen = sorted(marked, key=lambda mark: mark[0], reverse=True)[:limit]
    count = sum(is_told for _, _, is_told in chosen)
    return _First(
        [one for _, one, _ in chosen],
        list(told[0][:count]),
        list(reported[0][: len(chosen) - count]),
        len(marked) > limit,
    )


def _as_observation(trace: Trace) -> Observation:
    return Observation(
        id=trace.id,
        project_id=trace.project_id,
        trace_id=trace.id,
        name=trace.name,
        start_time=trace.timestamp,
        end_time=trace.end_time,
        level=trace.level,
        environment=trace.environment,
        metadata=trace.metadata,
        input=trace.input,
        output=trace.output,
    )


def _with_experiment(item: RanItem, found: Observation | None) -> Observation:
    """Where an item ran, told as the spans of experiments tell it; what has not arrived is known by its ids alone."""
    ran = found or Observation(id=item.observation_id or item.trace_id, trace_id=item.trace_id, start_time=item.at)
    return replace(ran, metadata={**ran.metadata, **item.metadata})
