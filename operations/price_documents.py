"""Documents of managed models, made of the providers, models and prices that `genai-prices` lists."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from heliograph.domain.model_documents import ONE_OF
from heliograph.domain.models import STANDARD, Circumstance, Operator

Plain = Mapping[str, Any]

# Where a call went is often written before the model's name.
_BEDROCK = r"(?:(?:bedrock|aws)/(?:converse/)?)?"
_REGION = r"(?:(?:us|eu|apac|ap|jp|au|ca|sa|in|global|us-gov)\.)?"
_AT_AWS = (
    "ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai"
    "|qwen|writer|zai"
)
# The makers, whose own names say enough, before the hosts, whose prefix must be there to tell them apart.
PREFIXES: dict[str, str] = {
    # First, since calls through a region's own endpoint may cost more than at the maker.
    "aws": rf"{_BEDROCK}(?={_REGION}(?:{_AT_AWS})\.)",
    "openai": r"(?:openrouter/)?(?:(?:openai|azure|azure_ai)/)?",
    "anthropic": rf"(?:openrouter/)?(?:(?:anthropic|vertex_ai|azure_ai)/)?{_BEDROCK}{_REGION}(?:anthropic\.)?",
    "google": r"(?:openrouter/)?(?:(?:google|gemini|vertex_ai)/)?(?:publishers/google/)?(?:models/)?",
    "mistral": r"(?:openrouter/)?(?:(?:mistral|mistralai|vertex_ai|azure_ai)/)?",
    "deepseek": r"(?:openrouter/)?(?:(?:deepseek|deepseek-ai)/)?",
    "x-ai": r"(?:openrouter/)?(?:(?:xai|x-ai|azure_ai)/)?",
    "cohere": r"(?:openrouter/)?(?:(?:cohere|cohere_chat|azure_ai)/)?",
    "perplexity": r"(?:openrouter/)?(?:perplexity/)?",
    "moonshotai": r"(?:openrouter/)?(?:(?:moonshot|moonshotai)/)?",
    "minimax": r"(?:openrouter/)?(?:minimax/)?",
    "zai": r"(?:openrouter/)?(?:(?:zai|z-ai|zai-org)/)?",
    "voyageai": r"(?:(?:voyage|voyageai)/)?",
    "groq": "groq/",
    "together": "(?:together|together_ai)/",
    "fireworks": r"(?:(?:fireworks|fireworks_ai)/)?(?=accounts/fireworks/)",
    "cerebras": "cerebras/",
}
HOSTS = frozenset({"aws", "groq", "together", "fireworks", "cerebras"})
# A snapshot of a listed model costs what the model does.
_SNAPSHOT = r"(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}))?(?:-v\d+(?::\d+)?)?$"
# What others make is listed under its maker.
_NOT_OF: dict[str, str] = {"google": "claude|llama|mistral|codestral|jamba"}


class Unit(NamedTuple):
    """The usage key of a price, and for how many units the price is."""

    key: str
    per: int


_MILLION, _THOUSAND = 1_000_000, 1_000
UNITS: dict[str, Unit] = {
    "input_mtok": Unit("input", _MILLION),
    "output_mtok": Unit("output", _MILLION),
    "cache_read_mtok": Unit("input_cached_tokens", _MILLION),
    "cache_write_mtok": Unit("input_cache_creation", _MILLION),
    "cache_write_5m_mtok": Unit("input_cache_creation_5m", _MILLION),
    "cache_write_1h_mtok": Unit("input_cache_creation_1h", _MILLION),
    "output_reasoning_mtok": Unit("output_reasoning_tokens", _MILLION),
    "output_citation_mtok": Unit("output_citation_tokens", _MILLION),
    "input_audio_mtok": Unit("input_audio_tokens", _MILLION),
    "output_audio_mtok": Unit("output_audio_tokens", _MILLION),
    "cache_audio_read_mtok": Unit("input_cached_audio_tokens", _MILLION),
    "input_image_mtok": Unit("input_image_tokens", _MILLION),
    "output_image_mtok": Unit("output_image_tokens", _MILLION),
    "cache_image_read_mtok": Unit("input_cached_image_tokens", _MILLION),
    "input_video_mtok": Unit("input_video_tokens", _MILLION),
    "output_video_mtok": Unit("output_video_tokens", _MILLION),
    "web_searches_kcount": Unit("web_search_queries", _THOUSAND),
    "storage_searches_kcount": Unit("file_search_queries", _THOUSAND),
    "requests_kcount": Unit("requests", _THOUSAND),
}

# Contract 5: how a call says in which way it is to be processed.
_SERVICE_TIER, _SPEED = "service_tier", "speed"
VARIANTS: dict[tuple[str, str], tuple[str, str]] = {
    ("service_tier", "flex"): ("Flex", _SERVICE_TIER),
    ("service_tier", "priority"): ("Priority", _SERVICE_TIER),
    ("service_tier", "fast"): ("Fast", _SERVICE_TIER),
    ("processing", "batch"): ("Batch", _SERVICE_TIER),
    ("speed", "fast"): ("Fast mode", _SPEED),
}
_DATED = {"kind": "StartDateConstraint"}
_INPUT_PATTERN = "input|prompt|cache"

# The encodings that OpenAI publishes, by the models that it names for them.
TOKENIZERS: tuple[tuple[str, str, str], ...] = (
    (r"gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|chatgpt-4o|o[134]\b", "o200k_base", "openai"),
    (r"gpt-4|gpt-3\.5|text-embedding-", "cl100k_base", "openai"),
)


def documents_of(providers: Iterable[Plain]) -> list[dict[str, Any]]:
    """The managed models, makers first; a price that changed gives a document for each date from which it held."""
    by_id = {provider["id"]: provider for provider in providers}
    return [
        document
        for provider_id, prefix in PREFIXES.items()
        # The longer names first: a snapshot that is listed by itself is not one of the model before it.
        for model in sorted(by_id[provider_id]["models"], key=lambda model: -len(model["id"]))
        if not re.search(_NOT_OF.get(provider_id, r"(?!)"), model["id"])
        for document in _documents(provider_id, prefix, model)
    ]


def _documents(provider_id: str, prefix: str, model: Plain) -> Iterator[dict[str, Any]]:
    name = model["id"] if provider_id not in HOSTS else f"{provider_id}/{model['id']}"
    pattern = f"(?i)^{prefix}{pattern_of(model['match'])}"
    for starts, prices in dated_prices(model["prices"]):
        tiers = tiers_of(prices, variants_at(starts, model["price_variants"] or ()))
        if not tiers:
            continue
        dated = {"startDate": f"{starts}T00:00:00+00:00"} if starts else {}
        yield {
            "id": "-".join(
                ("heliograph", re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-"), *([starts] if starts else []))
            ),
            "modelName": name,
            "matchPattern": pattern,
            **dated,
            **(_tokenizer(model["id"]) if provider_id == "openai" else {}),
            "pricingTiers": tiers,
        }


def _tokenizer(name: str) -> dict[str, Any]:
    found = next((each for each in TOKENIZERS if re.match(each[0], name)), None)
    if found is None or "audio" in name or "image" in name or "realtime" in name or "tts" in name:
        return {}
    _, encoding, tokenizer_id = found
    chat = {"tokens_per_message": 3, "tokens_per_name": 1} if "embedding" not in name else {}
    return {"tokenizerId": tokenizer_id, "tokenizerConfig": {"model": encoding, **chat}}


def pattern_of(clause: Plain) -> str:
    """The regular expression of a clause, for where the model's own name begins."""
    return _CLAUSES[clause["kind"]](clause)


def _any_of(clauses: Iterable[Plain]) -> str:
    names: list[str] = []
    others: list[str] = []
    for clause in clauses:
        if clause["kind"] == "ClauseEquals":
            names.append(_literal(clause["equals"]))
        else:
            others.append(pattern_of(clause))
    exact = [f"(?:{'|'.join(dict.fromkeys(names))}){_SNAPSHOT}"] if names else []
    return f"(?:{'|'.join(dict.fromkeys(exact + others))})"


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")


def _embedded(pattern: str) -> str:
    body = pattern.removeprefix("^")
    if "^" in body.replace("[^", "") or ("|" in re.sub(r"\(.*\)", "", body)):
        raise ValueError(pattern)
    return body if pattern.startswith("^") else ".*" + body


_CLAUSES: dict[str, Callable[[Plain], str]] = {
    "ClauseEquals": lambda clause: _literal(clause["equals"]) + _SNAPSHOT,
    "ClauseStartsWith": lambda clause: _literal(clause["starts_with"]),
    "ClauseContains": lambda clause: ".*" + _literal(clause["contains"]),
    "ClauseEndsWith": lambda clause: ".*" + _literal(clause["ends_with"]) + "$",
    "ClauseRegex": lambda clause: _embedded(clause["regex"]),
    "ClauseOr": lambda clause: _any_of(clause["or_"]),
    "ClauseAnd": lambda clause: "".join(f"(?={pattern_of(each)})" for each in clause["and_"]),
}


def dated_prices(prices: Any) -> Iterator[tuple[str, Plain]]:
    """Prices with the day from which they held, '' for those that always did. Times of day are left out."""
    for each in prices if isinstance(prices, list) else [{"constraint": None, "prices": prices}]:
        constraint = each["constraint"]
        if constraint is None:
            yield "", each["prices"]
        elif constraint["kind"] == _DATED["kind"]:
            yield constraint["start_date"], each["prices"]


def variants_at(starts: str, variants: Iterable[Plain]) -> list[Plain]:
    """The variants that hold for prices from that day on, one of each kind: the last that had begun, else the first."""
    chosen: dict[tuple[Any, ...], Plain] = {}
    known = [each for each in variants if (each["constraint"] or _DATED)["kind"] == _DATED["kind"]]
    for variant in sorted(known, key=_begins):
        if _begins(variant) <= starts:
            chosen[tuple(variant["when"].items())] = variant
        else:
            chosen.setdefault(tuple(variant["when"].items()), variant)
    return list(chosen.values())


def _begins(variant: Plain) -> str:
    return str(variant["constraint"]["start_date"]) if variant["constraint"] else ""


class _Way(NamedTuple):
    """A way of processing: what it is called, the parameter and its values that ask for it, and its prices."""

    label: str
    parameter: str
    values: list[str]
    prices: "Steps"

    @property
    def conditions(self) -> list[dict[str, Any]]:
        if not self.parameter:
            return []
        source = Circumstance.MODEL_PARAMETERS.value
        return [{"source": source, "key": self.parameter, "operator": ONE_OF, "values": self.values}]


def tiers_of(base: Plain, variants: Iterable[Plain]) -> list[dict[str, Any]]:
    """The default tier, then one for each way of processing, each of them also for long inputs where these cost more.

    All tiers have the keys of the default one, as the contract wants it.
    """
    standard = _known(base)
    if not standard:
        return []
    tiers = [tier for way in [*_ways(standard, variants), _Way(STANDARD, "", [], standard)] for tier in _tiers(way)]
    numbered = [{**tier, "priority": number} for number, tier in enumerate(tiers, 1)]
    return [_tier(STANDARD, [], _at(standard, 0)), *numbered]


def _tiers(way: _Way) -> Iterator[dict[str, Any]]:
    """Those of one way that have conditions; the longest inputs first."""
    for threshold in sorted({start for steps in way.prices.values() for start in steps if start}, reverse=True):
        long = {"usageDetailPattern": _INPUT_PATTERN, "operator": Operator.GT.value, "value": threshold}
        name = f"{way.label}, more than {threshold // 1000}k input tokens"
        yield _tier(name, [*way.conditions, long], _at(way.prices, threshold))
    if way.conditions:
        yield _tier(way.label, way.conditions, _at(way.prices, 0))


def _tier(name: str, conditions: list[dict[str, Any]], prices: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "priority": 0, "conditions": conditions, "prices": prices}


def _ways(standard: "Steps", variants: Iterable[Plain]) -> list[_Way]:
    found: list[_Way] = []
    for variant in variants:
        known = VARIANTS.get(next(iter(variant["when"].items()))) if len(variant["when"]) == 1 else None
        own = {key: steps for key, steps in _known(variant["prices"]).items() if key in standard}
        if known is None or not own:
            continue
        label, parameter = known
        prices = {**standard, **own}
        (value,) = variant["when"].values()
        same = next((way for way in found if way.parameter == parameter and way.prices == prices), None)
        if same:
            same.values.append(value)
        else:
            found.append(_Way(label, parameter, [value], prices))
    return found


# The price of a unit by the number of input tokens above which it holds, for each usage key.
Steps = dict[str, dict[int, Decimal]]


def _known(prices: Plain) -> Steps:
    return {
        UNITS[key].key: _per_unit(price, UNITS[key].per)
        for key, price in prices.items()
        if key in UNITS and price is not None
    }


def _per_unit(price: Any, per: int) -> dict[int, Decimal]:
    if isinstance(price, str):
        return {0: Decimal(price) / per}
    starts = {tier["start"]: Decimal(tier["price"]) / per for tier in price["tiers"]}
    return {0: Decimal(price["base"]) / per, **starts}


def _at(prices: Steps, threshold: int) -> dict[str, str]:
    return {
        key: f"{steps[max(start for start in steps if start <= threshold)].normalize():f}"
        for key, steps in prices.items()
    }
