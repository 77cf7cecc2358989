"""What a trace event sets."""

from ingestion import lengths
from ingestion.attributes import environment
from ingestion.batch.metadata import metadata_field, metadata_fields
from ingestion.batch.rules import Body, Refused, identifier, moment, payload, text
from ingestion.merge import Fields
from ingestion.values import to_json

MAX_NAME = 1000
TAG = "tag:"
# Our field by the contract's; an explicit null overwrites.
_TEXTS = {"name": "name", "userId": "user_id", "sessionId": "session_id", "release": "release", "version": "version"}


def entity_id(body: Body) -> str:
    """The trace's id."""
    found = identifier(body, "id")
    if not found:
        raise Refused("body.id", "is required")
    return found


def fields(body: Body) -> Fields:
    """The fields that the event sets."""
    found = {ours: text(body, theirs, MAX_NAME if theirs == "name" else None) for theirs, ours in _TEXTS.items()}
    found["environment"] = _environment(body)
    stamp = moment(body, "timestamp")
    found["timestamp"] = None if stamp is None else str(stamp)
    found["public"] = _public(body)
    for name in ("input", "output"):
        found[name] = payload(body, name) or None
    given = {name: value for name, value in found.items() if value is not None}
    external = text(body, "externalId")
    if external:
        given[metadata_field(("externalId",))] = to_json(external)
    return {**given, **dict.fromkeys(map(TAG.__add__, _tags(body)), ""), **metadata_fields(body)}


def _environment(body: Body) -> str | None:
    found = text(body, "environment")
    return environment.normalised(found) if found else None


def _public(body: Body) -> str | None:
    found = body.get("public")
    if found is None:
        return None
    if not isinstance(found, bool):
        raise Refused("public", "must be true or false")
    return "true" if found else "false"


def _tags(body: Body) -> list[str]:
    found = body.get("tags")
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise Refused("tags", "must be an array of strings")
    return [lengths.cut(str(tag), lengths.ID) for tag in found]
