"""JSON that clients bring along: what PostgreSQL keeps of it, and the files that it refers to."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from heliograph.domain.media import MediaField

_REFERENCE = re.compile(r"@@@langfuseMedia:type=[^|@]*\|id=([^|@]*)\|source=[^|@]*@@@")


def _storable(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return value


Document = Annotated[Any, AfterValidator(_storable)]


@dataclass(frozen=True)
class MediaPlace:
    """Where a document refers to a file."""

    field: MediaField
    reference: str
    path: str
    media_id: str


def media_places(field: MediaField, document: Any) -> Iterator[MediaPlace]:
    """Every reference in the texts of a document, in its order."""
    for path, text in _texts(document):
        if "@@@langfuseMedia:" in text:
            for match in _REFERENCE.finditer(text):
                yield MediaPlace(field, match[0], path, match[1])


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    stack: list[tuple[str, Any]] = [("$", document)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            stack.extend(reversed([(f"{path}[{_quoted(key)}]", inner) for key, inner in value.items()]))
        elif isinstance(value, list):
            stack.extend(reversed([(f"{path}[{place}]", inner) for place, inner in enumerate(value)]))


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def media_ids(places: Iterable[MediaPlace]) -> list[str]:
    """The files that are referred to, each once."""
    return list(dict.fromkeys(place.media_id for place in places))
