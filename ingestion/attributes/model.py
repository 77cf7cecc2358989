"""The model an observation called."""

from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.values import Value

# Contract 4.2, model.
KEYS: Keys = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "ai.model.id",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    # Beyond the contract: OpenInference names the model of an embedding apart.
    "embedding.model_name",
    "model",
)
# Only for a genkit span of subtype `model`.
GENKIT_NAME: Keys = ("genkit:name",)
GENKIT_SUBTYPE = "genkit:metadata:subtype"

# Contract 4.2: an agent's span has none, it names the model of its children.
AGENT_OPERATION_KEY = "gen_ai.operation.name"
AGENT_OPERATIONS = frozenset({"invoke_agent", "agent_step"})


def names(group: SpanGroup) -> list[str] | None:
    """The models' names as provided, '' where none is."""
    found = _reported(group)
    if found is None or not group.has(AGENT_OPERATION_KEY):
        return found
    operations = group.column(AGENT_OPERATION_KEY)
    return ["" if is_agent(operation) else name for name, operation in zip(found, operations, strict=True)]


def is_agent(operation: Value) -> bool:
    """Whether a span of this operation stands for the model calls below it."""
    return isinstance(operation, str) and operation in AGENT_OPERATIONS


def _reported(group: SpanGroup) -> list[str] | None:
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
