"""Observations in the shape of the first API generation."""

from collections.abc import Sequence
from typing import Literal

from heliograph.domain.observations import Observation
from heliograph.domain.usage import INPUT, OUTPUT, cost_of
from ingestion.pricing import PriceBooks
from serve_apps.api.shapes.prices import unit_prices
from serve_apps.api.shapes.values import (
    Instant,
    Json,
    JsonObject,
    JsonShape,
    Level,
    ObservationType,
    dollars,
    iso,
    optional_dollars,
    optional_iso,
    parsed,
    parsed_values,
)

Unit = Literal["TOKENS"]
_UNIT: Unit = "TOKENS"


class UsageV1(JsonShape):
    """Tokens that went in and came out."""

    unit: Unit
    input: int
    output: int
    total: int


class _Model(JsonShape):
    model: str | None
    modelId: str | None
    modelParameters: Json
    inputPrice: float | None
    outputPrice: float | None
    totalPrice: float | None
    usagePricingTierId: None
    usagePricingTierName: str | None


class _Usage(JsonShape):
    usageDetails: dict[str, int]
    unpricedUsage: Sequence[str]
    usage: UsageV1
    unit: Unit
    promptTokens: int
    completionTokens: int
    totalTokens: int


class _Costs(JsonShape):
    costDetails: dict[str, float]
    calculatedInputCost: float | None
    calculatedOutputCost: float | None
    calculatedTotalCost: float | None


class ObservationV1(_Model, _Usage, _Costs):
    """An observation: prices and costs in US dollars, times in seconds.

    `unpricedUsage` names the usage that the cost does not cover, since the model has no price for it.
    """

    id: str
    projectId: str
    traceId: str | None
    parentObservationId: str | None
    name: str | None
    type: ObservationType
    environment: str
    startTime: Instant
    endTime: Instant | None
    completionStartTime: Instant | None
    version: str | None
    createdAt: Instant
    updatedAt: Instant
    input: Json
    output: Json
    metadata: JsonObject
    level: Level
    statusMessage: str | None
    promptId: str | None
    promptName: str | None
    promptVersion: int | None
    latency: float | None
    timeToFirstToken: float | None


def observation_v1(observation: Observation, prices: PriceBooks) -> ObservationV1:
    """The contract's v1 observation."""
    return {
        "id": observation.id,
        "projectId": observation.project_id,
        "traceId": observation.trace_id or None,
        "parentObservationId": observation.parent_observation_id or None,
        "name": observation.name or None,
        "type": observation.type,
        "environment": observation.environment,
        "startTime": iso(observation.start_time),
        "endTime": optional_iso(observation.end_time),
        "completionStartTime": optional_iso(observation.completion_start_time),
        "version": observation.version or None,
        "createdAt": iso(observation.created_at),
        "updatedAt": iso(observation.updated_at),
        "input": parsed(observation.input),
        "output": parsed(observation.output),
        "metadata": parsed_values(observation.metadata),
        "level": observation.level,
        "statusMessage": observation.status_message or None,
        "promptId": observation.prompt_id or None,
        "promptName": observation.prompt_name or None,
        "promptVersion": observation.prompt_version,
        "latency": observation.latency_seconds,
        "timeToFirstToken": observation.seconds_to_first_token,
        **_model(observation, prices),
        **_usage(observation),
        **_costs(observation),
    }


def _model(observation: Observation, prices: PriceBooks) -> _Model:
    unit = unit_prices(observation, prices)
    return {
        "model": observation.provided_model_name or None,
        "modelId": observation.model_id or None,
        "modelParameters": parsed(observation.model_parameters),
        "inputPrice": optional_dollars(unit.input),
        "outputPrice": optional_dollars(unit.output),
        "totalPrice": optional_dollars(unit.total),
        # Tiers are known by their names here; the contract's ids belong to rows that do not exist.
        "usagePricingTierId": None,
        "usagePricingTierName": observation.pricing_tier or None,
    }


def _usage(observation: Observation) -> _Usage:
    tokens = (observation.input_tokens, observation.output_tokens, observation.total_tokens)
    return {
        "usageDetails": dict(observation.usage_details),
        # Beyond the contract.
        "unpricedUsage": observation.unpriced_usage,
        "usage": {"unit": _UNIT, "input": tokens[0], "output": tokens[1], "total": tokens[2]},
        "unit": _UNIT,
        "promptTokens": tokens[0],
        "completionTokens": tokens[1],
        "totalTokens": tokens[2],
    }


def _costs(observation: Observation) -> _Costs:
    costs = observation.cost_details
    return {
        "costDetails": dollars(costs),
        "calculatedInputCost": optional_dollars(cost_of(INPUT, costs)),
        "calculatedOutputCost": optional_dollars(cost_of(OUTPUT, costs)),
        "calculatedTotalCost": float(observation.total_cost) if costs else None,
    }
