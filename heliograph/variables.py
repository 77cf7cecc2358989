"""Where an evaluator's inputs come from: a column of the target, and a JSONPath into it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from heliograph.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from jsonpath import JSONPath

# What an evaluator may ask for by name, and the column that it is read from unless a mapping says otherwise.
DEFAULT_SOURCES: Mapping[str, str] = {
    "input": "input",
    "output": "output",
    "expected": "expected_output",
    "context": "context",
    "metadata": "metadata",
    "expected_metadata": "experiment_item_metadata",
    "tool_calls": "tool_calls",
    "expected_tool_calls": "expected_tool_calls",
    "available_tools": "available_tools",
    "criteria": "criteria",
    "latency_seconds": "latency_seconds",
    "cost_usd": "total_cost",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "total_tokens": "total_tokens",
    "trace": "trace",
    "session": "session",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A column of the target and, where only a part of it is meant, a JSONPath (RFC 9535) into its JSON.

    A path that can match once (`$.answer`) gives that value; any other (`$.documents[*].text`) the list of its matches.
    Without a match the input is missing, and an evaluator that needs it skips the target.

    Raises:
        InvalidRequest: the path is none.
    """

    column: str
    json_path: str = ""

    def __post_init__(self) -> None:
        if self.json_path:
            _compiled(self.json_path)

    def read(self, row: Mapping[str, Any]) -> Any:
        """The value in a row; None when the column or the match is missing."""
        value = row.get(self.column)
        return selected(value, self.json_path) if self.json_path else value


def selected(value: object, json_path: str) -> Any:
    """What a JSONPath matches in a value, or in the JSON that a text holds; None without a match.

    Values of a column like `metadata` are JSON texts themselves, so a path goes through a text that holds JSON.
    """
    document = _document(value)
    if document is None:
        return None
    path = _compiled(json_path)
    matches = path.findall(document)
    if path.singular_query():
        return matches[0] if matches else None
    return matches or None


@lru_cache(maxsize=1_024)
def _compiled(json_path: str) -> "JSONPath":
    # Loaded where a path is used: the client itself stays quick to import.
    import jsonpath  # noqa: PLC0415

    try:
        # Strict: RFC 9535, and a path of it is never a compound one.
        return cast("JSONPath", jsonpath.JSONPathEnvironment(strict=True).compile(json_path))
    except jsonpath.JSONPathError as error:
        raise InvalidRequest("json_path", f"{json_path!r} is no JSONPath: {error}") from None


def _document(value: object) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    if isinstance(value, Mapping):
        return {key: _nested(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_nested(part) for part in value]
    return None


def _nested(value: object) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        document = _document(value)
        return value if document is None else document
    return _document(value) if isinstance(value, Mapping | list | tuple) else value
