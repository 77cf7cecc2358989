"""Which part of an observation an attribute or a member of an event feeds."""

from functools import lru_cache

from heliograph.domain.masking import MaskedField
from ingestion.attributes import io, messages

_EITHER = (MaskedField.INPUT, MaskedField.OUTPUT, MaskedField.METADATA)
_INPUTS = frozenset(
    {
        *("langfuse.trace.input", "tool_arguments", *io.INPUT_KEYS, *messages.VERCEL_INPUT, *messages.ADK_INPUT),
        *(messages.INPUT_MESSAGES, messages.INSTRUCTIONS, messages.TOOL_INPUT, "genkit:input"),
    }
)
_OUTPUTS = frozenset(
    {
        *("langfuse.trace.output", "tool_response", *io.OUTPUT_KEYS, *messages.VERCEL_OUTPUT, *messages.ADK_OUTPUT),
        *(messages.OUTPUT_MESSAGES, messages.TOOL_OUTPUT, messages.PYDANTIC_AI_OUTPUT, "genkit:output"),
    }
)

Fields = tuple[MaskedField, ...]
# What holds messages of both directions, and what nobody knows.
ANY: Fields = _EITHER
# Names, messages of a status: only a rule for everything looks there.
NEITHER: Fields = ()


@lru_cache(maxsize=8192)
def of_attribute(key: str) -> Fields:
    """The fields that an attribute feeds."""
    if key in _INPUTS:
        return (MaskedField.INPUT,)
    if key in _OUTPUTS:
        return (MaskedField.OUTPUT,)
    for input_prefix, output_prefix in io.FLATTENED:
        if key.startswith(input_prefix + "."):
            return (MaskedField.INPUT,)
        if key.startswith(output_prefix + "."):
            return (MaskedField.OUTPUT,)
    if key in io.IO_KEYS:
        return ANY
    is_of_the_trace = key in _OF_THE_TRACE or (key.startswith("langfuse.") and ".metadata" not in key)
    return NEITHER if is_of_the_trace else (MaskedField.METADATA,)


_OF_THE_TRACE = frozenset({"user.id", "session.id"})
_MEMBERS: dict[str, Fields] = {
    "input": (MaskedField.INPUT,),
    "output": (MaskedField.OUTPUT,),
    "metadata": (MaskedField.METADATA,),
    **dict.fromkeys(
        ("name", "statusMessage", "userId", "sessionId", "tags", "release", "version", "model", "modelParameters"),
        NEITHER,
    ),
    **dict.fromkeys(("promptName", "externalId"), NEITHER),
}


def of_member(name: str) -> Fields:
    """The fields that a member of an event's body feeds."""
    return _MEMBERS.get(name, ANY)


def is_member(name: str) -> bool:
    """Whether it is a member that is known, and no word of the sender's own."""
    return name in _MEMBERS
