"""Experiments and their items, from the observations that belong to one."""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.experiments import Activity
from heliograph.domain.filters import Condition, Creation
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.scores import Score
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies, QueryDependencies
from serve_apps.api.parameters import Moment, Parameters, Text
from serve_apps.api.payloads import WholePayloads
from serve_apps.api.shapes.experiments import (
    DEFAULT_ITEM_GROUPS,
    EXPERIMENT_GROUPS,
    ITEM_GROUPS,
    ExperimentItemShape,
    ExperimentShape,
    experiment_item_shape,
    experiment_shape,
)
from serve_apps.api.shapes.lists import Entry, PartOf
from serve_apps.api.shapes.scores import GROUPS_V3, ScoreV3, score_v3
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.experiment_scores import ExperimentScores
from storage.clickhouse.observations import Place
from storage.experiments_of_project import ExperimentsOfProject, Places

router = APIRouter(tags=["experiments"])

MAX_LIMIT, DEFAULT_LIMIT = 100, 50
MAX_SCORES = 50
_CURSOR_VERSION = 1


class Reads(NamedTuple):
    """What the answers about a project's experiments are made of."""

    project_id: ProjectId
    experiments: ExperimentsOfProject
    dependencies: QueryDependencies

    def scores(self, limit: int) -> ExperimentScores:
        """Of each experiment or item so many."""
        return ExperimentScores(self.dependencies.clickhouse, self.project_id, limit)


async def _reads(dependencies: Dependencies, principal: ProjectPrincipal) -> Reads:
    project_id = principal.project_id
    experiments = await ExperimentsOfProject.read(dependencies.database, dependencies.clickhouse, project_id)
    return Reads(project_id, experiments, dependencies)


ProjectReads = Annotated[Reads, Depends(_reads)]


class _Cursor(BaseModel):
    """Where a page ended, in what spans told and in what was reported; opaque to clients.

    `until` keeps what is stored later out of the pages that follow.
    """

    v: Annotated[int, Field(ge=_CURSOR_VERSION, le=_CURSOR_VERSION)] = _CURSOR_VERSION
    at: AwareDatetime | None = None
    id: str = ""
    trace: str = ""
    until: AwareDatetime | None = None
    reported_at: AwareDatetime | None = None
    reported_id: Text = ""

    @classmethod
    def parse(cls, text: str) -> "_Cursor":
        """The cursor of an earlier answer, or that before the first page; raises InvalidRequest."""
        if not text:
            return cls()
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, ValidationError):
            raise InvalidRequest("cursor", "send the cursor of the previous answer, unchanged") from None

    @classmethod
    def of_experiments(cls, places: Places[Activity], until: datetime) -> "_Cursor":
        told, reported = places.told, _reported(places.reported)
        return cls(at=told.end_time, id=told.id, until=until, **reported) if told else cls(until=until, **reported)

    @classmethod
    def of_items(cls, places: Places[Place]) -> "_Cursor":
        told, reported = places.told, _reported(places.reported)
        return cls(at=told.start_time, id=told.id, trace=told.trace_id, **reported) if told else cls(**reported)

    @property
    def experiments(self) -> Places[Activity]:
        """The places between experiments."""
        return Places(Activity(self.at, self.id) if self.at else None, self._reported)

    @property
    def items(self) -> Places[Place]:
        """The places between items."""
        return Places(Place(self.at, self.trace, self.id) if self.at else None, self._reported)

    @property
    def _reported(self) -> Creation | None:
        return Creation(self.reported_at, self.reported_id) if self.reported_at else None

    def __str__(self) -> str:
        told = self.model_dump(exclude_defaults=True) | {"v": self.v}
        return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")


def _reported(place: Creation | None) -> dict[str, Any]:
    return {} if place is None else {"reported_at": place.at, "reported_id": place.id}


class _Streamed(Parameters):
    """A period, which groups of fields, how many, and from where on."""

    from_start_time: datetime
    to_start_time: Moment = None
    fields: str = ""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    score_limit: Annotated[int, Field(ge=1, le=MAX_SCORES)] = MAX_SCORES
    cursor: str = ""
    filter: str = ""
    dataset_id: Text = ""

    @property
    def after(self) -> _Cursor:
        """Where the page before this one ended; raises InvalidRequest."""
        return _Cursor.parse(self.cursor)

    def within(self, **lists: str) -> list[Condition]:
        """The period, what is listed by name, and the filter."""
        simple = [filters.one_of(column, named) for column, text in lists.items() if (named := _listed(text))]
        period = parameters.period("startTime", self.from_start_time, self.to_start_time)
        return [*period, *parameters.merged(simple, parameters.conditions_from(self.filter))]


class ListedExperiments(_Streamed):
    """Which experiments are listed."""

    id: Text = ""
    name: Text = ""


class ListedItems(_Streamed):
    """Which items of experiments are listed."""

    experiment_id: Text = ""
    experiment_name: Text = ""
    experiment_item_id: Text = ""


@router.get("/experiments")
async def list_experiments(
    asked: Annotated[ListedExperiments, Query()], reads: ProjectReads
) -> Answer[PartOf[ExperimentShape]]:
    """One page of the experiments with observations in a period, the latest activity first."""
    groups = parameters.choice(asked.fields, EXPERIMENT_GROUPS, ("core",))
    after = asked.after
    # Experiments move to the front while they run: later pages look at what the first one could see.
    until = after.until or datetime.now(UTC)
    where = asked.within(id=asked.id, name=asked.name, datasetId=asked.dataset_id)
    where.append(filters.before("createdAt", until))
    page = await reads.experiments.page(where, limit=asked.limit, after=after.experiments)
    shapes = [experiment_shape(one, groups) for one in page.shown]
    if "scores" in groups:
        scores = await reads.scores(asked.score_limit).of_experiments([one.id for one in page.shown])
        shapes = [{**shape, "scores": _shown_scores(scores[shape["id"]])} for shape in shapes]
    return _page(shapes, _Cursor.of_experiments(page.following, until) if page.following else None)


@router.get("/experiment-items")
async def list_experiment_items(
    asked: Annotated[ListedItems, Query()], reads: ProjectReads
) -> Answer[PartOf[ExperimentItemShape]]:
    """One page of the items of experiments that began in a period, the newest first."""
    groups = parameters.choice(asked.fields, ITEM_GROUPS, DEFAULT_ITEM_GROUPS)
    where = asked.within(
        experimentId=asked.experiment_id,
        experimentName=asked.experiment_name,
        experimentItemId=asked.experiment_item_id,
        datasetId=asked.dataset_id,
    )
    has_payloads, after = "io" in groups, asked.after.items
    page = await reads.experiments.items(where, limit=asked.limit, has_payloads=has_payloads, after=after)
    shown = page.shown
    whole = await WholePayloads(reads.dependencies.payloads).of_observations(shown) if has_payloads else shown
    shapes = [experiment_item_shape(one, groups) for one in whole]
    if "scores" in groups:
        scores = await reads.scores(asked.score_limit).of_items(shown)
        shapes = [{**shape, "scores": _shown_scores(scores[shape["id"]])} for shape in shapes]
    return _page(shapes, _Cursor.of_items(page.following) if page.following else None)


def _shown_scores(scores: Iterable[Score]) -> list[ScoreV3]:
    return [score_v3(score, frozenset(GROUPS_V3)) for score in scores]


def _page(data: Sequence[Entry], cursor: _Cursor | None) -> Answer[PartOf[Entry]]:
    return answer({"data": data, "meta": {} if cursor is None else {"cursor": str(cursor)}})


def _listed(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]
