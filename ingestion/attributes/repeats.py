"""Spans whose usage and cost repeat those of their children, and must not be counted again."""

from ingestion.attributes.group import SpanGroup
from ingestion.attributes.model import AGENT_OPERATION_KEY, AGENT_OPERATIONS

# By scope ('' is any) and key, the operations that stand for what lies below them.
RULES: tuple[tuple[str, str, frozenset[str]], ...] = (
    # Contract 4.6, step 6.
    ("", AGENT_OPERATION_KEY, AGENT_OPERATIONS),
    # Beyond the contract: the Vercel AI SDK's outer spans sum up the `.doGenerate`, `.doStream` or `.doEmbed` below.
    (
        "ai",
        "ai.operationId",
        frozenset(
            {"ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject", "ai.embed", "ai.embedMany"}
        ),
    ),
)


def reasons(group: SpanGroup) -> list[str] | None:
    """Per span, why its usage and cost are not counted, or '' when they are; None when all are."""
    found: list[str] | None = None
    for scope, key, operations in RULES:
        if not group.has(key) or scope not in ("", group.frame.scope_name):
            continue
        said = [_reason(key, value) if value in operations else "" for value in map(str, group.column(key))]
        found = said if found is None else [one or other for one, other in zip(found, said, strict=True)]
    return found if found is not None and any(found) else None


def _reason(key: str, operation: str) -> str:
    return f"{key} is {operation}: what lies below it reports the same"
