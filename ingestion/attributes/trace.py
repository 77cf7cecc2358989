"""What an observation says about its trace: the trace's row is computed from it."""

from collections.abc import Iterable

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns
from ingestion.values import Value

# Contract 4.2, and OpenLLMetry's after it; values that are empty are passed over.
NAME_KEYS: Keys = ("langfuse.trace.name",)
USER_KEYS: Keys = (
    "langfuse.user.id",
    "user.id",
    "langfuse.observation.metadata.langfuse_user_id",
    "langfuse.trace.metadata.langfuse_user_id",
    "ai.telemetry.metadata.userId",
    "traceloop.association.properties.user_id",
)
SESSION_KEYS: Keys = (
    "langfuse.session.id",
    "session.id",
    "gen_ai.conversation.id",
    "langfuse.observation.metadata.langfuse_session_id",
    "langfuse.trace.metadata.langfuse_session_id",
    "ai.telemetry.metadata.sessionId",
    "traceloop.association.properties.session_id",
)
TAG_KEYS: Keys = (
    "langfuse.trace.tags",
    "langfuse.tags",
    "langfuse.observation.metadata.langfuse_tags",
    "langfuse.trace.metadata.langfuse_tags",
    "ai.telemetry.metadata.tags",
    "tag.tags",
)
PUBLIC_KEYS: Keys = ("langfuse.trace.public", "langfuse.public")
APP_ROOT_KEYS: Keys = ("langfuse.internal.is_app_root", "langfuse.internal.as_root")
# Attributes that address the trace itself, with the field they set.
PARTS: tuple[tuple[str, str], ...] = (("langfuse.trace.input", "input"), ("langfuse.trace.output", "output"))


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `trace_name`, `user_id`, `session_id`, `tags`, `public` and `is_app_root`."""
    for name, keys in (("trace_name", NAME_KEYS), ("user_id", USER_KEYS), ("session_id", SESSION_KEYS)):
        found = group.first_texts(keys)
        if found is not None:
            columns.put(name, group.rows, [_unquoted(text) if text[:1] == '"' else text for text in found])
    tags = group.first(TAG_KEYS)
    if tags is not None:
        columns.put("tags", group.rows, group.each(_tags, tags))
    public = group.first(PUBLIC_KEYS, _is_given)
    if public is not None:
        columns.put("public", group.rows, [None if value is None else _is_true(value) for value in public])
    app_roots = group.first(APP_ROOT_KEYS)
    if app_roots is not None:
        columns.put("is_app_root", group.rows, list(map(_is_true, app_roots)))


def parts(group: SpanGroup) -> Iterable[tuple[str, list[int], list[str]]]:
    """Fields that the spans set on their trace: the field's name, the spans' rows and the texts."""
    for key, name in PARTS:
        if group.has(key):
            texts = values.texts(group.column(key))
            given = [(row, text) for row, text in zip(group.rows, texts, strict=True) if text]
            yield name, [row for row, _ in given], [text for _, text in given]


def _unquoted(text: str) -> str:
    """Ids that came as metadata are JSON strings since SDK 5."""
    parsed = values.parsed_or_none(text)
    return parsed if isinstance(parsed, str) else text


def _tags(value: Value) -> list[str]:
    if isinstance(value, list):
        return [values.text(tag) for tag in value if tag is not None]
    text = values.text(value).strip()
    if text[:1] == '"':
        text = _unquoted(text)
    if text.startswith("["):
        parsed = values.parsed_or_none(text)
        if isinstance(parsed, list):
            return _tags(parsed)
    if "," in text:
        return [tag for tag in map(str.strip, text.split(",")) if tag]
    return [text] if text else []


def _is_given(value: Value) -> bool:
    return value is not None


def _is_true(value: Value) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")
