"""Observations in the shape of the second API generation: groups of fields, each with the columns that it needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from heliograph.domain.observations import Observation
from ingestion.pricing import PriceBooks
from serve_apps.api.shapes.prices import UnitPrices, unit_prices
from serve_apps.api.shapes.values import (
    Instant,
    Json,
    JsonObject,
    JsonShape,
    Level,
    ObservationType,
    dollars,
    iso,
    optional_iso,
    parsed,
)

METADATA_PREVIEW = 200


class _Identity(JsonShape):
    id: str
    traceId: str | None
    startTime: Instant
    endTime: Instant | None
    projectId: str
    parentObservationId: str | None
    type: ObservationType


class _Prices(JsonShape):
    inputPrice: str | None
    outputPrice: str | None
    totalPrice: str | None


class _WithoutModel(_Prices):
    modelId: str | None


class _Basic(JsonShape, total=False):
    name: str | None
    level: Level
    statusMessage: str | None
    version: str | None
    environment: str
    bookmarked: bool
    public: bool
    userId: str | None
    sessionId: str | None
    isRootObservation: bool


class _Time(JsonShape, total=False):
    completionStartTime: Instant | None
    createdAt: Instant
    updatedAt: Instant


class _Io(JsonShape, total=False):
    input: str | None
    output: str | None


class _Metadata(JsonShape, total=False):
    metadata: JsonObject


class _Model(_WithoutModel, total=False):
    model: str | None
    providedModelName: str | None
    internalModelId: str | None
    modelParameters: Json


class _Usage(JsonShape, total=False):
    usageDetails: dict[str, int]
    costDetails: dict[str, float]
    totalCost: float | None
    usagePricingTierName: str | None
    unpricedUsage: Sequence[str]


class _Prompt(JsonShape, total=False):
    promptId: str | None
    promptName: str | None
    promptVersion: int | None


class _Metrics(JsonShape, total=False):
    latency: float | None
    timeToFirstToken: float | None


class _TraceContext(JsonShape, total=False):
    tags: Sequence[str]
    release: str | None
    traceName: str | None


class ObservationV2(_Identity, _Model, _Basic, _Time, _Io, _Metadata, _Usage, _Prompt, _Metrics, _TraceContext):
    """An observation: its core, and the groups of fields that were asked for.

    Input and output are texts as they were sent; unit prices are decimals as text, costs US dollars, times seconds.
    """


@dataclass(frozen=True)
class Shape:
    """What the fields of an answer depend on beside the observation: the price book, and the metadata shown whole."""

    prices: PriceBooks
    expanded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Group:
    """A group of fields."""

    columns: tuple[str, ...]
    fields: Callable[[Observation, Shape], Mapping[str, object]]


def _core(observation: Observation, shape: Shape) -> _Identity:
    del shape
    return {
        "id": observation.id,
        "traceId": observation.trace_id or None,
        "startTime": iso(observation.start_time),
        "endTime": optional_iso(observation.end_time),
        "projectId": observation.project_id,
        "parentObservationId": observation.parent_observation_id or None,
        "type": observation.type,
    }


def _basic(observation: Observation, shape: Shape) -> _Basic:
    del shape
    return {
        "name": observation.name or None,
        "level": observation.level,
        "statusMessage": observation.status_message or None,
        "version": observation.version or None,
        "environment": observation.environment,
        # A bookmark is the trace's; the contract has a place for it here all the same.
        "bookmarked": False,
        "public": bool(observation.public),
        "userId": observation.user_id or None,
        "sessionId": observation.session_id or None,
        "isRootObservation": observation.is_root,
    }


def _time(observation: Observation, shape: Shape) -> _Time:
    del shape
    return {
        "completionStartTime": optional_iso(observation.completion_start_time),
        "createdAt": iso(observation.created_at),
        "updatedAt": iso(observation.updated_at),
    }


def _io(observation: Observation, shape: Shape) -> _Io:
    del shape
    return {"input": observation.input or None, "output": observation.output or None}


def _metadata(observation: Observation, shape: Shape) -> _Metadata:
    values = {
        key: parsed(text) if key in shape.expanded else _shortened(text) for key, text in observation.metadata.items()
    }
    return {"metadata": values}


def _shortened(text: str) -> Any:
    value = parsed(text)
    if len(text) <= METADATA_PREVIEW:
        return value
    return (value if isinstance(value, str) else text)[:METADATA_PREVIEW]


def _model(observation: Observation, shape: Shape) -> _Model:
    # SDK 5 reads `model`, SDK 4 `providedModelName`.
    return {
        "model": observation.provided_model_name or None,
        "providedModelName": observation.provided_model_name or None,
        "internalModelId": observation.model_id or None,
        "modelParameters": parsed(observation.model_parameters),
        "modelId": observation.model_id or None,
        **_prices(unit_prices(observation, shape.prices)),
    }


def _prices(unit: UnitPrices) -> _Prices:
    return {"inputPrice": _text(unit.input), "outputPrice": _text(unit.output), "totalPrice": _text(unit.total)}


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price.normalize():f}"


def _usage(observation: Observation, shape: Shape) -> _Usage:
    del shape
    return {
        "usageDetails": dict(observation.usage_details),
        "costDetails": dollars(observation.cost_details),
        "totalCost": float(observation.total_cost) if observation.cost_details else None,
        "usagePricingTierName": observation.pricing_tier or None,
        "unpricedUsage": observation.unpriced_usage,
    }


def _prompt(observation: Observation, shape: Shape) -> _Prompt:
    del shape
    return {
        "promptId": observation.prompt_id or None,
        "promptName": observation.prompt_name or None,
        "promptVersion": observation.prompt_version,
    }


def _metrics(observation: Observation, shape: Shape) -> _Metrics:
    del shape
    return {"latency": observation.latency_seconds, "timeToFirstToken": observation.seconds_to_first_token}


def _trace_context(observation: Observation, shape: Shape) -> _TraceContext:
    del shape
    return {
        "tags": observation.tags,
        "release": observation.release or None,
        "traceName": observation.trace_name or None,
    }


GROUPS = {
    "core": Group(
        ("id", "trace_id", "start_time", "end_time", "project_id", "parent_observation_id", "type"),
        _core,
    ),
    "basic": Group(
        (
            *("name", "level", "status_message", "version", "environment", "public", "user_id", "session_id"),
            *("is_app_root", "parent_observation_id"),
        ),
        _basic,
    ),
    "time": Group(("completion_start_time", "created_at", "updated_at"), _time),
    "io": Group(("input", "output"), _io),
    "metadata": Group(("metadata",), _metadata),
    "model": Group(("provided_model_name", "model_id", "model_parameters"), _model),
    "usage": Group(("usage_details", "cost_details", "total_cost", "pricing_tier", "unpriced_usage"), _usage),
    "prompt": Group(("prompt_id", "prompt_name", "prompt_version"), _prompt),
    "metrics": Group(("start_time", "end_time", "completion_start_time"), _metrics),
    "trace_context": Group(("tags", "release", "trace_name"), _trace_context),
}
DEFAULT_GROUPS = ("core", "basic")
_WITHOUT_MODEL: _WithoutModel = {"modelId": None, **_prices(UnitPrices())}


def columns_of(groups: Iterable[str]) -> list[str]:
    """The columns to read for these groups and the core."""
    return sorted({column for name in ("core", *groups) for column in GROUPS[name].columns})


def observation_v2(observation: Observation, groups: frozenset[str], shape: Shape) -> ObservationV2:
    """The contract's v2 observation: the core, and the chosen groups."""
    fields: dict[str, object] = {**_core(observation, shape), **_WITHOUT_MODEL}
    for name in groups - {"core"}:
        fields |= GROUPS[name].fields(observation, shape)
    # Each group is checked against its fields.
    return cast("ObservationV2", fields)
