"""Observations in the shape of the first API generation."""

from typing import Any

from heliograph.domain.observations import Observation
from heliograph.domain.usage import INPUT, OUTPUT, cost_of
from ingestion.pricing import PriceBooks
from serve_apps.api.shapes.prices import unit_prices
from serve_apps.api.shapes.values import dollars, iso, optional_dollars, optional_iso, parsed, parsed_values

_UNIT = "TOKENS"


def observation_v1(observation: Observation, prices: PriceBooks) -> dict[str, Any]:
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


def _model(observation: Observation, prices: PriceBooks) -> dict[str, Any]:
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


def _usage(observation: Observation) -> dict[str, Any]:
    tokens = (observation.input_tokens, observation.output_tokens, observation.total_tokens)
    return {
        "usageDetails": dict(observation.usage_details),
        # Beyond the contract: what the cost does not cover, since its model has no price for it.
        "unpricedUsage": observation.unpriced_usage,
        "usage": {"unit": _UNIT, "input": tokens[0], "output": tokens[1], "total": tokens[2]},
        "unit": _UNIT,
        "promptTokens": tokens[0],
        "completionTokens": tokens[1],
        "totalTokens": tokens[2],
    }


def _costs(observation: Observation) -> dict[str, Any]:
    costs = observation.cost_details
    return {
        "costDetails": dollars(costs),
        "calculatedInputCost": optional_dollars(cost_of(INPUT, costs)),
        "calculatedOutputCost": optional_dollars(cost_of(OUTPUT, costs)),
        "calculatedTotalCost": float(observation.total_cost) if costs else None,
    }
