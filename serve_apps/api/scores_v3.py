"""Scores, in the third API generation: values of their own types, groups of fields, and a cursor instead of pages."""

import base64
import math
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import AliasGenerator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.scores import Score, ScoreDataType, scores_from
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import ProjectScores
from serve_apps.api.shapes.scores import GROUPS_V3, ScoresMetaV3, ScoresV3, score_v3
from storage.clickhouse.scores import Place

router = APIRouter(tags=["score"])

MAX_LIMIT = 100
DEFAULT_LIMIT = 50
_SOURCES = ("API", "ANNOTATION", "EVAL")
_TRUTHS = {"true": 1.0, "false": 0.0}


class Cursor(BaseModel):
    """The last score of a page; opaque to clients."""

    v: Literal[1] = 1
    timestamp: AwareDatetime
    id: str

    @classmethod
    def after(cls, score: Score) -> "Cursor":
        """Where the page that follows this score begins."""
        return cls(timestamp=score.timestamp, id=score.id)

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor of an earlier answer; raises InvalidRequest."""
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, ValidationError):
            raise InvalidRequest("cursor", "send the cursor of the previous answer, unchanged") from None

    def __str__(self) -> str:
        fields = {"v": self.v, "timestamp": self.timestamp.isoformat(), "id": self.id}
        return base64.urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


class ScoreStream(parameters.Parameters):
    """Which scores, which groups of their fields, and from where on; lists are separated by commas."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=AliasGenerator(validation_alias=to_camel))

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: str = ""
    fields: str = ""
    id: str = ""
    name: str = ""
    source: str = ""
    data_type: str = ""
    environment: str = ""
    config_id: str = ""
    queue_id: str = ""
    author_user_id: str = ""
    value: str = ""
    value_min: parameters.Optional[Annotated[float, Field(allow_inf_nan=False)]] = None
    value_max: parameters.Optional[Annotated[float, Field(allow_inf_nan=False)]] = None
    trace_id: str = ""
    session_id: str = ""
    observation_id: str = ""
    experiment_id: str = ""
    from_timestamp: parameters.Moment = None
    to_timestamp: parameters.Moment = None

    @property
    def groups(self) -> frozenset[str]:
        """The chosen groups; raises InvalidRequest."""
        return frozenset(_known("fields", parameters.listed(self.fields), GROUPS_V3))

    @property
    def conditions(self) -> list[Condition]:
        """All that a score must meet, but for `values`; raises InvalidRequest."""
        self._require_one_subject()
        lists = parameters.memberships(
            id=self.id,
            name=self.name,
            source=self._upper("source", self.source, _SOURCES),
            dataType=self._upper("dataType", self.data_type, tuple(ScoreDataType)),
            environment=self.environment,
            configId=self.config_id,
            queueId=self.queue_id,
            authorUserId=self.author_user_id,
            traceId=self.trace_id,
            observationId=self.observation_id,
            sessionId=self.session_id,
            datasetRunId=self.experiment_id,
        )
        return [*lists, *self._values, *parameters.period("timestamp", self.from_timestamp, self.to_timestamp)]

    @property
    def values(self) -> list[float]:
        """The numbers of which a numeric or boolean score has to be one; raises InvalidRequest."""
        entries = parameters.listed(self.value)
        if not entries:
            return []
        match self._only_data_type("value", "NUMERIC", "BOOLEAN", "CATEGORICAL"):
            case "NUMERIC":
                return [_number(entry) for entry in entries]
            case "BOOLEAN":
                return [_TRUTHS[entry] for entry in _known("value", entries, tuple(_TRUTHS))]
            case _:
                return []

    @property
    def _values(self) -> list[Condition]:
        found: list[Condition] = []
        if self.value_min is not None:
            self._only_data_type("valueMin", "NUMERIC")
            found.append(filters.number("value", ">=", self.value_min))
        if self.value_max is not None:
            self._only_data_type("valueMax", "NUMERIC")
            found.append(filters.number("value", "<=", self.value_max))
        if self.value and self._only_data_type("value", "NUMERIC", "BOOLEAN", "CATEGORICAL") == "CATEGORICAL":
            found += parameters.memberships(stringValue=self.value)
        return found

    def _only_data_type(self, parameter: str, *allowed: str) -> str:
        given = parameters.listed(self.data_type.upper())
        if len(given) != 1 or given[0] not in allowed:
            raise InvalidRequest(parameter, f"requires a single dataType out of {', '.join(allowed)}")
        return given[0]

    def _require_one_subject(self) -> None:
        subjects = {"traceId": self.trace_id, "sessionId": self.session_id, "experimentId": self.experiment_id}
        given = [name for name, value in subjects.items() if value]
        if len(given) > 1:
            raise InvalidRequest(given[1], f"cannot be given beside {given[0]}")
        if self.observation_id and given != ["traceId"]:
            raise InvalidRequest("observationId", "requires traceId, within which observations have their ids")

    @staticmethod
    def _upper(parameter: str, text: str, known: tuple[str, ...]) -> str:
        return ",".join(_known(parameter, parameters.listed(text.upper()), known))


@router.get("/v3/scores")
async def list_scores(asked: Annotated[ScoreStream, Query()], scores: ProjectScores) -> Answer[ScoresV3]:
    """Scores, the newest first; the cursor of an answer leads to those that follow."""
    groups, limit = asked.groups, asked.limit
    after = Cursor.parse(asked.cursor) if asked.cursor else None
    place = Place(after.timestamp, after.id) if after else None
    # One more than asked for tells whether there is another page.
    found = await scores.newest(asked.conditions, values=asked.values, limit=limit + 1, after=place)
    page = list(scores_from(found.slice(0, limit)))
    meta: ScoresMetaV3 = {"limit": limit}
    if found.num_rows > limit:
        meta["cursor"] = str(Cursor.after(page[-1]))
    return answer({"data": [score_v3(score, groups) for score in page], "meta": meta})


def _known(parameter: str, entries: list[str], known: tuple[str, ...]) -> list[str]:
    for entry in entries:
        if entry not in known:
            raise InvalidRequest(parameter, f"there is no {entry!r} here; there are {', '.join(known)}")
    return entries


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidRequest("value", f"{text!r} is not a finite number")
    return number
