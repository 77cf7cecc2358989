"""What a valid score is: contract 3.4, field by field."""

import math
from collections.abc import Mapping, Sequence

from ingestion import values
from ingestion.attributes import timing
from ingestion.values import Value

NUMERIC, BOOLEAN, CATEGORICAL, TEXT, CORRECTION = "NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"
DATA_TYPES = (NUMERIC, BOOLEAN, CATEGORICAL, TEXT, CORRECTION)
# EVAL is what our own evaluators write, not what a client may claim.
SOURCES = ("API", "ANNOTATION")
# A batch may say so (contract 3.4).
BATCH_SOURCES = (*SOURCES, "EVAL")
TARGETS = ("traceId", "sessionId", "datasetRunId")
CORRECTED_FIELD = "output"

_MAX_ID = 800
_MAX_TEXT = 500
_ID_FIELDS = frozenset({"id", *TARGETS, "observationId"})

Item = Mapping[str, Value]
TypedValue = tuple[str, float, str]


class Rejected(Exception):  # an outcome of validation, caught where it is collected
    """A field of the score breaks a rule."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def text(item: Item, field: str) -> str:
    """An optional text; absent and null are ''."""
    found = item.get(field)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Rejected(field, "must be a string")
    if field in _ID_FIELDS and (len(found) > _MAX_ID or "\r" in found):
        raise Rejected(field, f"must have at most {_MAX_ID} characters and no carriage return")
    return values.clean(found)


def name(item: Item, data_type: str) -> str:
    """The score's name; a correction always corrects the output."""
    if data_type == CORRECTION:
        return CORRECTED_FIELD
    found = text(item, "name")
    if not found:
        raise Rejected("name", "is required")
    return found


def typed_value(item: Item) -> TypedValue:
    """The data type, given or inferred, with the number and the text that are stored for the value."""
    value = item.get("value")
    if value is None:
        raise Rejected("value", "is required")
    data_type = item.get("dataType") or _inferred(value)
    if data_type == NUMERIC:
        return NUMERIC, _number(value), ""
    if data_type == BOOLEAN:
        return _boolean(value)
    if data_type in (CATEGORICAL, TEXT, CORRECTION):
        return str(data_type), 0.0, _string(value, str(data_type))
    raise Rejected("dataType", f"must be one of {', '.join(DATA_TYPES)}")


def _inferred(value: Value) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    return NUMERIC if isinstance(value, int | float) else CATEGORICAL


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejected("value", "must be a number for a NUMERIC score")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Rejected("value", "must be a finite number")
    return number


def _boolean(value: Value) -> TypedValue:
    if not isinstance(value, int | float) or value not in (0, 1):
        raise Rejected("value", "must be 0 or 1 for a BOOLEAN score")
    return BOOLEAN, float(value), "True" if value else "False"


def _string(value: Value, data_type: str) -> str:
    if not isinstance(value, str):
        raise Rejected("value", f"must be a string for a {data_type} score")
    if data_type == TEXT and not 1 <= len(value) <= _MAX_TEXT:
        raise Rejected("value", f"must have 1 to {_MAX_TEXT} characters for a TEXT score")
    return values.clean(value)


def source(item: Item, data_type: str, sources: Sequence[str] = SOURCES) -> str:
    """Who gave the score."""
    found = text(item, "source") or SOURCES[0]
    if found not in sources:
        raise Rejected("source", f"must be one of {', '.join(sources)}")
    if found == "ANNOTATION" and data_type != CORRECTION and not item.get("configId"):
        raise Rejected("configId", "is required for an ANNOTATION score")
    return found


def timestamp(item: Item) -> int:
    """Microseconds since 1970, 0 when absent."""
    found = text(item, "timestamp")
    parsed = timing.parse(found) if found else 0
    if parsed is None:
        raise Rejected("timestamp", "must be an ISO 8601 time")
    return parsed


def metadata(item: Item) -> dict[str, str]:
    """The metadata as texts from which reading gives the same values again."""
    found = item.get("metadata")
    if found is None:
        return {}
    entries = found if isinstance(found, dict) else {"metadata": found}
    return {values.clean(key): values.clean(values.readable_text(entry)) for key, entry in entries.items()}


def check_target(item: Item, data_type: str) -> None:
    """Exactly one thing is scored: a trace or one of its observations, a session, or an experiment."""
    given = [field for field in TARGETS if item.get(field)]
    if len(given) != 1:
        raise Rejected("traceId", f"exactly one of {', '.join(TARGETS)} is required")
    if item.get("observationId") and given != ["traceId"]:
        raise Rejected("observationId", "requires traceId")
    if data_type == CORRECTION and given != ["traceId"]:
        raise Rejected("traceId", "is required for a CORRECTION score")
