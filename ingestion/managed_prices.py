"""The models that Heliograph knows by itself, from the list that `heliograph prices refresh` writes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from heliograph.domain.model_documents import tier_from
from heliograph.domain.models import Model, PricingTier, TokenizerConfig

MANAGED_PRICES = Path(__file__).with_name("managed_prices.json")

# Contract 5: names for the same thing share a price; one event sends only one of them.
ALIASES: dict[str, tuple[str, ...]] = {
    "input": (
        *("input_tokens", "prompt_tokens", "input_text", "input_text_tokens", "promptTokenCount"),
        *("prompt_token_count", "input_modality_1"),
    ),
    "output": (
        *("output_tokens", "completion_tokens", "output_text", "output_text_tokens", "candidatesTokenCount"),
        *("candidates_token_count", "output_modality_1"),
        # Predicted tokens cost what others do; OpenAI's details subtract them from the output.
        *("output_accepted_prediction_tokens", "output_rejected_prediction_tokens"),
    ),
    "input_cached_tokens": (
        *("input_cache_read", "cache_read_input_tokens", "input_cached_text_tokens", "cached_content_token_count"),
        "cachedContentTokenCount",
    ),
    "input_cache_creation": ("cache_creation_input_tokens", "cache_write_tokens", "input_cache_write"),
    "input_cache_creation_5m": (),
    "input_cache_creation_1h": (),
    "output_reasoning_tokens": ("output_reasoning", "reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count"),
    "input_audio_tokens": ("input_audio",),
    "input_cached_audio_tokens": ("input_cache_read_audio",),
    "output_audio_tokens": ("output_audio",),
    "input_image_tokens": ("input_image",),
    "output_image_tokens": ("output_image",),
    "web_search_queries": ("webSearchQueries", "grounding_queries", "groundingQueries", "web_search_requests"),
}
# What has the price of something else unless it has its own: reasoning is output, a cache is written for five minutes.
SAME_PRICE: dict[str, str] = {
    "output_reasoning_tokens": "output",
    "input_cache_creation_5m": "input_cache_creation",
}


def managed_models() -> list[Model]:
    """The managed definitions, the more specific ones first."""
    listed = json.loads(MANAGED_PRICES.read_text())
    made_at = datetime.fromisoformat(f"{listed['source']['generated_on']}T00:00:00+00:00")
    return [_model(document, made_at) for document in listed["models"]]


def _model(document: Mapping[str, Any], made_at: datetime) -> Model:
    starts = document.get("startDate")
    return Model(
        id=document["id"],
        name=document["modelName"],
        match_pattern=document["matchPattern"],
        tiers=tuple(_with_aliases(tier_from(tier)) for tier in document["pricingTiers"]),
        start_date=datetime.fromisoformat(starts) if starts else None,
        tokenizer_id=document.get("tokenizerId", ""),
        tokenizer=TokenizerConfig(**document.get("tokenizerConfig", {})),
        created_at=made_at,
        updated_at=made_at,
    )


def _with_aliases(tier: PricingTier) -> PricingTier:
    known = {key: tier.prices[source] for key, source in SAME_PRICE.items() if source in tier.prices}
    prices = {}
    for key, price in {**known, **tier.prices}.items():
        prices.update(dict.fromkeys((key, *ALIASES.get(key, ())), price))
    return replace(tier, prices=prices)
