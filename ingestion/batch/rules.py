"""What a valid field of an event's body is."""

from collections.abc import Mapping

from ingestion import lengths, values
from ingestion.attributes import timing
from ingestion.values import Value

MAX_ID = 800

Body = Mapping[str, Value]


class Refused(Exception):  # an outcome of validation, caught where it is collected
    """A field of an event breaks a rule."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def object_of(value: Value, name: str) -> Body:
    """The value, which must be a JSON object."""
    if not isinstance(value, dict):
        raise Refused(name, "must be a JSON object")
    return value


def text(body: Body, name: str, max_length: int | None = None, *, kept: int = lengths.ID) -> str | None:
    """An optional text: None when absent, '' for an explicit null.

    Args:
        body: the event's.
        name: the field.
        max_length: what is longer is refused.
        kept: what is longer is cut, where nothing is refused.
    """
    if name not in body:
        return None
    found = body[name]
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Refused(name, "must be a string")
    if max_length is not None and len(found) > max_length:
        raise Refused(name, f"must have at most {max_length} characters")
    return lengths.cut(values.clean(found), max_length or kept)


def identifier(body: Body, name: str) -> str:
    """An id, '' when absent or null."""
    found = text(body, name, MAX_ID) or ""
    if "\r" in found:
        raise Refused(name, "must not hold a carriage return")
    return found


def moment(body: Body, name: str) -> int | None:
    """An optional time in microseconds since 1970; null is absent."""
    found = body.get(name)
    if found is None:
        return None
    parsed = timing.parse(found) if isinstance(found, str) else None
    if parsed is None:
        raise Refused(name, "must be an ISO 8601 time")
    return parsed


def payload(body: Body, name: str) -> str:
    """Input or output as text; '' for what never erases an earlier one: absent, null, and what is empty."""
    found = body.get(name)
    if found is None or found is False or found in ("", 0):
        return ""
    return values.clean(values.text(found))
