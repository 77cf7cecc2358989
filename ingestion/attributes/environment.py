"""The environment, release and version under which an observation ran, and the service it ran in."""

import re
from functools import lru_cache

from ingestion import values
from ingestion.attributes.group import Frame, SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns
from ingestion.values import Value

DEFAULT = "default"

# Contract 4.2, environment: for each key the span's attribute, then the resource's.
ENVIRONMENT_KEYS: Keys = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
# Contract 4.2, release and version.
RELEASE_KEYS: Keys = ("langfuse.release",)
VERSION_KEYS: Keys = ("langfuse.version",)
VERSION_RESOURCE_KEYS: Keys = ("service.version",)

# OpenRouter reports requests of its own that failed without the environment that the request named: only of
# Langfuse's judges is it taken from the request, prefix included, so that their traces stay among the internal ones.
OPENROUTER = {"service.name": "openrouter", "openrouter.source": "openrouter"}
OPENROUTER_REQUEST = "completion.rawRequest"
OPENROUTER_ENVIRONMENT = "trace.environment"
OPENROUTER_RECOVERED = "langfuse-llm-as-a-judge"

# Under this scope the platform traces what it does itself: its environments keep the reserved prefix.
OWN_SCOPE = "heliograph-evaluation"

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
    columns.put("environment", group.rows, _environments(group))
    shared = _of_frame(group.frame)
    for name, keys in (("release", RELEASE_KEYS), ("version", VERSION_KEYS)):
        fallback = shared[name]
        found = group.first_texts(keys)
        if found is None:
            columns.fill(name, group.rows, fallback)
        else:
            columns.put(name, group.rows, [text or fallback for text in found] if fallback else found)
    for name in ("service_name", "service_version", "scope_name", "scope_version"):
        columns.fill(name, group.rows, shared[name])


@lru_cache(maxsize=256)
def _of_frame(frame: Frame) -> dict[str, str]:
    return {
        "release": frame.resource_text(*RELEASE_KEYS),
        "version": frame.resource_text(*VERSION_RESOURCE_KEYS),
        "service_name": frame.resource_text("service.name"),
        "service_version": frame.resource_text("service.version"),
        "scope_name": frame.scope_name,
        "scope_version": frame.scope_version,
    }


def _environments(group: SpanGroup) -> list[str]:
    resource = group.frame.resource
    found = [""] * len(group)
    for key in ENVIRONMENT_KEYS:
        if group.has(key):
            found = [name or text for name, text in zip(found, values.texts(group.column(key)), strict=True)]
        if resource.get(key):
            fallback = values.text(resource[key])
            found = [name or fallback for name in found]
    if any(found):
        known = values.text if group.frame.scope_name == OWN_SCOPE else _of_sender
        return group.each(known, list(found))
    recovered = _of_openrouter(group)
    return [DEFAULT] * len(found) if recovered is None else recovered


def _of_sender(name: Value) -> str:
    return normalised(values.text(name))


def _of_openrouter(group: SpanGroup) -> list[str] | None:
    flat = f"{OPENROUTER_REQUEST}.{OPENROUTER_ENVIRONMENT}"
    if not group.shape.present((flat, OPENROUTER_REQUEST)):
        return None
    is_openrouter = [True] * len(group)
    for key, expected in OPENROUTER.items():
        own = group.column(key) if group.has(key) else group.constant(group.frame.resource.get(key))
        is_openrouter = [known and value == expected for known, value in zip(is_openrouter, own, strict=True)]
    named = group.column(flat) if group.has(flat) else list(map(_requested, group.column(OPENROUTER_REQUEST)))
    return [
        OPENROUTER_RECOVERED if known and name == OPENROUTER_RECOVERED else DEFAULT
        for known, name in zip(is_openrouter, named, strict=True)
    ]


def _requested(request: Value) -> Value:
    found = values.parsed_or_none(request)
    for name in OPENROUTER_ENVIRONMENT.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
