"""The bodies of the oldest clients, one object a request, as the events they stand for."""

import uuid
from collections.abc import Mapping

from ingestion.batch.rules import Refused
from ingestion.values import Value

Described = tuple[str, Mapping[str, Value]]
# What these clients call what is called otherwise since.
_NAMES = {"prompt": "input", "completion": "output"}


def trace(body: Mapping[str, Value]) -> Described:
    """A trace; without an id it gets one."""
    return "trace-create", {"id": str(uuid.uuid4()), **_without_nothing(body, "id")}


def observation(kind: str, is_update: bool, body: Mapping[str, Value]) -> Described:  # noqa: FBT001  # told by the method
    """A span, generation or event; an update names it as `spanId` or `generationId`."""
    renamed = {_NAMES.get(key, key): value for key, value in body.items()}
    if not is_update:
        return f"{kind}-create", {"id": str(uuid.uuid4()), **_without_nothing(renamed, "id")}
    found = renamed.pop(f"{kind}Id", None) or renamed.get("id")
    if not found:
        raise Refused(f"{kind}Id", "is required")
    return f"{kind}-update", {**renamed, "id": found}


def _without_nothing(body: Mapping[str, Value], name: str) -> dict[str, Value]:
    return {key: value for key, value in body.items() if key != name or value}
