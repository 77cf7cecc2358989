"""The environment, release and version under which an observation ran, and the service it ran in."""

import re
from functools import lru_cache

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns

DEFAULT = "default"

# Contract 4.2, environment: for each key the span's attribute, then the resource's.
ENVIRONMENT_KEYS: Keys = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
# Contract 4.2, release and version.
RELEASE_KEYS: Keys = ("langfuse.release",)
VERSION_KEYS: Keys = ("langfuse.version",)
VERSION_RESOURCE_KEYS: Keys = ("service.version",)

_MAX_LENGTH = 40
_RESERVED_PREFIX = re.compile(r"^(?:langfuse[-_]?)+")
_VALID = re.compile(r"[a-z0-9\-_]+")


@lru_cache(maxsize=4096)
def normalised(environment: str) -> str:
    """Lower case, without the reserved prefix, at most 40 characters; `default` when nothing valid is left."""
    name = _RESERVED_PREFIX.sub("", environment.lower())[:_MAX_LENGTH]
    return name if _VALID.fullmatch(name) else DEFAULT


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `environment`, `release`, `version`, `service_name`, `service_version`, `scope_name`, `scope_version`."""
    frame = group.frame
    columns.put("environment", group.rows, _environments(group))
    for name, keys, resource_keys in (
        ("release", RELEASE_KEYS, RELEASE_KEYS),
        ("version", VERSION_KEYS, VERSION_RESOURCE_KEYS),
    ):
        fallback = frame.resource_text(*resource_keys)
        found = group.first_texts(keys)
        if found is None:
            columns.fill(name, group.rows, fallback)
        else:
            columns.put(name, group.rows, [text or fallback for text in found] if fallback else found)
    columns.fill("service_name", group.rows, frame.resource_text("service.name"))
    columns.fill("service_version", group.rows, frame.resource_text("service.version"))
    columns.fill("scope_name", group.rows, frame.scope_name)
    columns.fill("scope_version", group.rows, frame.scope_version)


def _environments(group: SpanGroup) -> list[str]:
    resource = group.frame.resource
    found = [""] * len(group)
    for key in ENVIRONMENT_KEYS:
        if group.has(key):
            found = [name or text for name, text in zip(found, values.texts(group.column(key)), strict=True)]
        if resource.get(key):
            fallback = values.text(resource[key])
            found = [name or fallback for name in found]
    if not any(found):
        return [DEFAULT] * len(found)
    return group.each(lambda name: normalised(values.text(name)), list(found))
