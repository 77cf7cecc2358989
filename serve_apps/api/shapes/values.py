"""How single values look on the wire."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import orjson
from pydantic import ConfigDict, Field, GetCoreSchemaHandler, with_config
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType, TypedDict

from heliograph.domain.filters import Condition
from heliograph.domain.rule_filters import LEVELS, TYPES
from heliograph.domain.scores import ScoreDataType

# ISO 8601 in UTC with milliseconds.
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Json = Annotated[Any, Field(description="Any JSON value.")]
JsonObject = dict[str, Any]


# Rows keep them as texts; nothing else is stored.
ObservationType = Annotated[str, Field(json_schema_extra={"enum": list(TYPES)})]
Level = Annotated[str, Field(json_schema_extra={"enum": list(LEVELS)})]
DataType = Annotated[str, Field(json_schema_extra={"enum": list(ScoreDataType)})]
Source = Annotated[str, Field(json_schema_extra={"enum": ["API", "ANNOTATION", "EVAL"]})]


@with_config(ConfigDict(extra="forbid"))
class JsonShape(TypedDict):
    """What an answer holds: the fields that are named, and no others."""


class SchemaOf:
    """Gives plain values the schema of the type that they are a dump of."""

    def __init__(self, dumped: Any) -> None:
        self._dumped = dumped

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """That of the type."""
        del source
        return handler.generate_schema(self._dumped)


ConditionShape = TypeAliasType("ConditionShape", Annotated[dict[str, Any], SchemaOf(Condition)])


def iso(moment: datetime) -> Instant:
    """ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def optional_iso(moment: datetime | None) -> Instant | None:
    """The same, if there is a time."""
    return None if moment is None else iso(moment)


def parsed(text: str) -> Any:
    """What a stored text says as JSON; text that is not JSON stays text, and no text is null."""
    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def parsed_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Metadata as it was sent."""
    return {key: parsed(text) for key, text in texts.items()}


def dollars(costs: Mapping[str, Decimal]) -> dict[str, float]:
    """Costs as JSON numbers."""
    return {key: float(cost) for key, cost in costs.items()}


def optional_dollars(cost: Decimal | None) -> float | None:
    """A cost as a JSON number, if there is one."""
    return None if cost is None else float(cost)
