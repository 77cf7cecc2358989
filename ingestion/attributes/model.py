"""The model an observation called."""

from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys

# Contract 4.2, model.
KEYS: Keys = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "ai.model.id",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    "model",
)
# Only for a genkit span of subtype `model`.
GENKIT_NAME: Keys = ("genkit:name",)
GENKIT_SUBTYPE = "genkit:metadata:subtype"

# Contract 4.6, step 6: an agent's span repeats what its model calls report themselves.
AGENT_OPERATION_KEY = "gen_ai.operation.name"
AGENT_OPERATIONS = frozenset({"invoke_agent", "agent_step"})


def names(group: SpanGroup) -> list[str] | None:
    """The models' names as provided, '' where none is."""
    found = group.first_texts(KEYS)
    if not group.has(GENKIT_SUBTYPE):
        return found
    subtypes = group.column(GENKIT_SUBTYPE)
    genkit = group.first_texts(GENKIT_NAME) or [""] * len(group)
    known = found or [""] * len(group)
    return [
        name or (other if subtype == "model" else "")
        for name, other, subtype in zip(known, genkit, subtypes, strict=True)
    ]


def repeats_its_children(group: SpanGroup) -> list[bool] | None:
    """Per span, whether its model, usage and cost are those of its children and must not be counted again."""
    if not group.has(AGENT_OPERATION_KEY):
        return None
    operations = group.column(AGENT_OPERATION_KEY)
    return [isinstance(operation, str) and operation in AGENT_OPERATIONS for operation in operations]
