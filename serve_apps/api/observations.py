"""Observations, in the first API generation."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from heliograph.domain import filters
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ObservationId
from heliograph.domain.observations import observations_from
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies, ProjectObservations
from serve_apps.api.payloads import WholePayloads
from serve_apps.api.shapes.lists import PageOf
from serve_apps.api.shapes.observations import ObservationV1, observation_v1

router = APIRouter(tags=["observations"])


class ObservationConditions(parameters.Parameters):
    """Which observations."""

    type: str = ""
    name: str = ""
    user_id: str = ""
    level: str = ""
    trace_id: str = ""
    version: str = ""
    parent_observation_id: str | None = None
    environment: list[str] = Field(default_factory=list)
    from_start_time: parameters.Moment = None
    to_start_time: parameters.Moment = None
    filter: str = ""

    @property
    def simple(self) -> list[Condition]:
        """The conditions beside those of the filter parameter."""
        texts = parameters.equalities(
            type=self.type,
            name=self.name,
            userId=self.user_id,
            level=self.level,
            traceId=self.trace_id,
            version=self.version,
            parentObservationId=self.parent_observation_id or "",
        )
        environments = [filters.one_of("environment", self.environment)] if self.environment else []
        return [*texts, *environments, *parameters.period("startTime", self.from_start_time, self.to_start_time)]

    @property
    def conditions(self) -> list[Condition]:
        """All that an observation must meet."""
        return parameters.merged(self.simple, parameters.conditions_from(self.filter))


class ObservationList(parameters.Paged, ObservationConditions):
    """A page of them."""


@router.get("/observations")
async def list_observations(
    asked: Annotated[ObservationList, Query()], observations: ProjectObservations, dependencies: Dependencies
) -> Answer[PageOf[ObservationV1]]:
    """One page of observations, the newest first."""
    page = asked.asked_page
    found, total = await observations.search_and_count(asked.conditions, page)
    return page_answer([observation_v1(each, dependencies.prices) for each in observations_from(found)], page, total)


@router.get("/observations/{observation_id}")
async def get_observation(
    observation_id: ObservationId, observations: ProjectObservations, dependencies: Dependencies
) -> Answer[ObservationV1]:
    """One observation with its payloads whole, however large."""
    found = await observations.get(observation_id)
    (whole,) = await WholePayloads(dependencies.payloads).of_observations([found])
    return answer(observation_v1(whole, dependencies.prices))
