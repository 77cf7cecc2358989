"""The name of an observation."""

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns

# Contract 4.2, observation name; the span's own name comes last.
KEYS: Keys = ("gen_ai.tool.name", "genkit:name", "logfire.msg", "ai.toolCall.name")
OPERATION: Keys = ("ai.operationId",)
FUNCTION: Keys = ("ai.telemetry.functionId",)


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `name`."""
    names = [span.name.decode("utf-8", "replace") for span in group.spans]
    operations = group.first_texts(OPERATION)
    if operations is not None:
        functions = group.first_texts(FUNCTION) or [""] * len(names)
        qualified = [
            f"{function}:{operation}" if function else operation
            for function, operation in zip(functions, operations, strict=True)
        ]
        names = [better or name for better, name in zip(qualified, names, strict=True)]
    found = group.first(KEYS)
    if found is not None:
        names = [better or name for better, name in zip(values.texts(found), names, strict=True)]
    columns.put("name", group.rows, names)
