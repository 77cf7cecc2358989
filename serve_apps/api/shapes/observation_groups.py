"""Observations in the shape of the second API generation: groups of fields, each with the columns that it needs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from heliograph.domain.observations import Observation
from ingestion.pricing import PriceBooks
from serve_apps.api.shapes.prices import UnitPrices, unit_prices
from serve_apps.api.shapes.values import dollars, iso, optional_iso, parsed

METADATA_PREVIEW = 200

Fields = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """What the fields of an answer depend on beside the observation: the price book, and the metadata shown whole."""

    prices: PriceBooks
    expanded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Group:
    """A group of fields."""

    columns: tuple[str, ...]
    fields: Callable[[Observation, Shape], Fields]


def _core(observation: Observation, shape: Shape) -> Fields:
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


def _basic(observation: Observation, shape: Shape) -> Fields:
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


def _time(observation: Observation, shape: Shape) -> Fields:
    del shape
    return {
        "completionStartTime": optional_iso(observation.completion_start_time),
        "createdAt": iso(observation.created_at),
        "updatedAt": iso(observation.updated_at),
    }


def _io(observation: Observation, shape: Shape) -> Fields:
    del shape
    return {"input": observation.input or None, "output": observation.output or None}


def _metadata(observation: Observation, shape: Shape) -> Fields:
    values = {
        key: parsed(text) if key in shape.expanded else _shortened(text) for key, text in observation.metadata.items()
    }
    return {"metadata": values}


def _shortened(text: str) -> Any:
    value = parsed(text)
    if len(text) <= METADATA_PREVIEW:
        return value
    return (value if isinstance(value, str) else text)[:METADATA_PREVIEW]


def _model(observation: Observation, shape: Shape) -> Fields:
    # SDK 5 reads `model`, SDK 4 `providedModelName`.
    return {
        "model": observation.provided_model_name or None,
        "providedModelName": observation.provided_model_name or None,
        "internalModelId": observation.model_id or None,
        "modelParameters": parsed(observation.model_parameters),
        "modelId": observation.model_id or None,
        **_prices(unit_prices(observation, shape.prices)),
    }


def _prices(unit: UnitPrices) -> Fields:
    return {"inputPrice": _text(unit.input), "outputPrice": _text(unit.output), "totalPrice": _text(unit.total)}


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price.normalize():f}"


def _usage(observation: Observation, shape: Shape) -> Fields:
    del shape
    return {
        "usageDetails": dict(observation.usage_details),
        "costDetails": dollars(observation.cost_details),
        "totalCost": float(observation.total_cost) if observation.cost_details else None,
        "usagePricingTierName": observation.pricing_tier or None,
        "unpricedUsage": observation.unpriced_usage,
    }


def _prompt(observation: Observation, shape: Shape) -> Fields:
    del shape
    return {
        "promptId": observation.prompt_id or None,
        "promptName": observation.prompt_name or None,
        "promptVersion": observation.prompt_version,
    }


def _metrics(observation: Observation, shape: Shape) -> Fields:
    del shape
    return {"latency": observation.latency_seconds, "timeToFirstToken": observation.seconds_to_first_token}


def _trace_context(observation: Observation, shape: Shape) -> Fields:
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
_WITHOUT_MODEL = {"modelId": None, **_prices(UnitPrices())}


def columns_of(groups: Iterable[str]) -> list[str]:
    """The columns to read for these groups and the core."""
    return sorted({column for name in ("core", *groups) for column in GROUPS[name].columns})


def observation_v2(observation: Observation, groups: frozenset[str], shape: Shape) -> Fields:
    """The contract's v2 observation: the core, and the chosen groups."""
    fields = _core(observation, shape) | _WITHOUT_MODEL
    for name in groups - {"core"}:
        fields |= GROUPS[name].fields(observation, shape)
    return fields
