"""Observations, in the second API generation: groups of fields, and a cursor instead of pages."""

import base64
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition, NullCondition
from heliograph.domain.observations import Observation, observations_from
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies, ProjectObservations
from serve_apps.api.observations import ObservationConditions
from serve_apps.api.shapes.lists import PartOf
from serve_apps.api.shapes.observation_groups import (
    DEFAULT_GROUPS,
    GROUPS,
    ObservationV2,
    Shape,
    columns_of,
    observation_v2,
)
from storage.clickhouse.observations import Place

MAX_LIMIT = 1000
DEFAULT_LIMIT = 50

router = APIRouter(tags=["observations"])


class Cursor(BaseModel):
    """The last observation of a page; opaque to clients."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    last_start_time_to: AwareDatetime
    last_trace_id: str
    last_id: str

    @classmethod
    def after(cls, observation: Observation) -> "Cursor":
        """Where the page that follows this observation begins."""
        return cls(
            last_start_time_to=observation.start_time, last_trace_id=observation.trace_id, last_id=observation.id
        )

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor of an earlier answer; raises InvalidRequest."""
        try:
            return cls.model_validate_json(base64.b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, ValidationError):
            raise InvalidRequest("cursor", "send the cursor of the previous answer, unchanged") from None

    def __str__(self) -> str:
        fields = {
            "lastStartTimeTo": self.last_start_time_to.isoformat(),
            "lastTraceId": self.last_trace_id,
            "lastId": self.last_id,
        }
        return base64.b64encode(orjson.dumps(fields)).decode()

    @property
    def place(self) -> Place:
        """The place in the order of the list."""
        return Place(self.last_start_time_to, self.last_trace_id, self.last_id)


class ObservationStream(ObservationConditions):
    """Which observations, which groups of their fields, and from where on."""

    fields: str = ""
    expand_metadata: str = ""
    limit: Annotated[int, Field(ge=0, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: str = ""
    session_id: str = ""
    is_root_observation: parameters.Truth = None
    parse_io_as_json: parameters.Truth = None

    @property
    def groups(self) -> frozenset[str]:
        """The chosen groups."""
        return parameters.choice(self.fields, GROUPS, DEFAULT_GROUPS)

    @property
    def conditions(self) -> list[Condition]:
        """All that an observation must meet."""
        more = parameters.equalities(sessionId=self.session_id)
        if self.parent_observation_id == "":
            more.append(NullCondition(type="null", column="parentObservationId", operator="is null"))
        if self.is_root_observation is not None:
            more.append(filters.is_true("isRootObservation", self.is_root_observation))
        advanced = parameters.conditions_from(self.filter)
        _require_indexed_search(advanced)
        return parameters.merged([*self.simple, *more], advanced)


@router.get("/v2/observations")
async def list_observations(
    asked: Annotated[ObservationStream, Query()], observations: ProjectObservations, dependencies: Dependencies
) -> Answer[PartOf[ObservationV2]]:
    """Observations, the newest first; the cursor of an answer leads to those that follow."""
    if asked.parse_io_as_json:
        raise InvalidRequest("parseIoAsJson", "input and output are always raw strings here: leave this parameter out")
    groups, limit = asked.groups, asked.limit
    after = Cursor.parse(asked.cursor).place if asked.cursor else None
    # One more than asked for tells whether there is another page.
    found = await observations.newest(asked.conditions, columns_of(groups), limit=limit + 1, after=after)
    page = list(observations_from(found.slice(0, limit)))
    shape = Shape(dependencies.prices, frozenset(filter(None, asked.expand_metadata.split(","))))
    has_more = bool(page) and found.num_rows > limit
    return answer(
        {
            "data": [observation_v2(each, groups, shape) for each in page],
            "meta": {"cursor": str(Cursor.after(page[-1]))} if has_more else {},
        }
    )


def _require_indexed_search(conditions: tuple[Condition, ...]) -> None:
    """Refuse to scan every payload: one condition at least must be able to use the text index."""
    on_payloads = [each for each in conditions if each.column in {"input", "output"}]
    if on_payloads and not any(each.operator in {"=", "matches"} for each in on_payloads):
        reason = "a filter on input or output needs one with the operator = or matches on input or output beside it"
        raise InvalidRequest("filter", reason)
