"""What an observation event sets."""

from collections.abc import Mapping

from ingestion import lengths, values
from ingestion.attributes import environment, usage
from ingestion.batch.metadata import metadata_fields
from ingestion.batch.rules import Body, Refused, identifier, moment, object_of, payload, text
from ingestion.merge import Fields
from ingestion.pricing import provided
from ingestion.values import Value

# What an event of each type makes of its observation; the legacy types say it in the body.
TYPES: Mapping[str, str] = {
    "event-create": "EVENT",
    "span-create": "SPAN",
    "span-update": "SPAN",
    "generation-create": "GENERATION",
    "generation-update": "GENERATION",
    "agent-create": "AGENT",
    "tool-create": "TOOL",
    "chain-create": "CHAIN",
    "retriever-create": "RETRIEVER",
    "evaluator-create": "EVALUATOR",
    "embedding-create": "EMBEDDING",
    "guardrail-create": "GUARDRAIL",
    "observation-create": "",
    "observation-update": "",
}
_LEGACY_TYPES = ("SPAN", "GENERATION", "EVENT")
LEVELS = ("DEBUG", "DEFAULT", "WARNING", "ERROR")
USAGE, USAGE_DETAIL, COST, COST_DETAIL = "usage:", "usage_detail:", "cost:", "cost_detail:"
_MOMENTS = {"startTime": "start_time", "endTime": "end_time", "completionStartTime": "completion_start_time"}
# Of these, a null is as good as nothing.
_TEXTS_WITHOUT_NULL = {
    "statusMessage": "status_message", "parentObservationId": "parent_observation_id", "version": "version",
}  # fmt: skip
_TEXTS = {"name": "name", "model": "model"}
_USAGE_NAMES = {"promptTokens": "input", "completionTokens": "output", "totalTokens": "total"}
_USAGE_COSTS = {"inputCost": "input", "outputCost": "output", "totalCost": "total"}


def ids(body: Body) -> tuple[str, str]:
    """The ids of the observation and of its trace; the latter may be ''."""
    found = identifier(body, "id")
    if not found:
        raise Refused("body.id", "is required")
    return found, identifier(body, "traceId")


def fields(body: Body, kind: str) -> Fields:
    """The fields that the event sets."""
    found: dict[str, str | None] = {"type": TYPES[kind] or _legacy_type(body)}
    found |= {ours: text(body, theirs, kept=lengths.NAME) for theirs, ours in _TEXTS.items()}
    found |= {
        ours: text(body, theirs, kept=lengths.LIMITS[ours]) or None for theirs, ours in _TEXTS_WITHOUT_NULL.items()
    }
    for theirs, ours in _MOMENTS.items():
        stamp = moment(body, theirs)
        found[ours] = None if stamp is None else str(stamp)
    for name in ("input", "output"):
        found[name] = payload(body, name) or None
    found["environment"] = environment.normalised(text(body, "environment") or "") if body.get("environment") else None
    found["level"] = _level(body)
    found["model_parameters"] = _parameters(body)
    given = {name: value for name, value in found.items() if value is not None}
    return {**given, **_prompt(body), **_usage(body), **_costs(body), **metadata_fields(body)}


def _legacy_type(body: Body) -> str:
    found = body.get("type")
    if found not in _LEGACY_TYPES:
        raise Refused("body.type", f"must be one of {', '.join(_LEGACY_TYPES)}")
    return str(found)


def _level(body: Body) -> str | None:
    found = body.get("level")
    if found is None:
        return None
    if found not in LEVELS:
        raise Refused("level", f"must be one of {', '.join(LEVELS)}")
    return str(found)


def _parameters(body: Body) -> str | None:
    found = body.get("modelParameters")
    return values.to_json(object_of(found, "modelParameters")) if found else None


def _prompt(body: Body) -> Fields:
    name, version = text(body, "promptName"), body.get("promptVersion")
    if not name and version is None:
        return {}
    if not name or isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**32:
        raise Refused("promptName", "and promptVersion, a whole number, must be given together")
    return {"prompt_name": name, "prompt_version": str(version)}


def _usage(body: Body) -> Fields:
    old = body.get("usage")
    given = {} if old is None else dict(object_of(old, "usage"))
    counts = {_USAGE_NAMES.get(key, key): value for key, value in given.items() if key not in _USAGE_COSTS}
    counts.pop("unit", None)
    details = body.get("usageDetails")
    detailed = {} if details is None else usage.normalised(object_of(details, "usageDetails"))
    return {
        **{USAGE + values.clean(key): str(units) for key, units in usage.normalised(counts).items()},
        **{USAGE_DETAIL + values.clean(key): str(units) for key, units in detailed.items()},
    }


def _costs(body: Body) -> Fields:
    old = body.get("usage")
    given: Mapping[str, Value] = old if isinstance(old, dict) else {}
    named = {ours: given[theirs] for theirs, ours in _USAGE_COSTS.items() if theirs in given}
    details = body.get("costDetails")
    detailed = {} if details is None else object_of(details, "costDetails")
    return {
        **{COST + key: str(picos) for key, picos in provided(named).items()},
        **{COST_DETAIL + values.clean(key): str(picos) for key, picos in provided(detailed).items()},
    }
