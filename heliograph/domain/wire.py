"""What client and server tell each other in one shape, in the contract's spelling."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

UNSTORABLE = "contains NUL or half a surrogate pair"
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class Wire(BaseModel):
    """A value that travels as JSON: camelCase there, snake_case here; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class Storable(BaseModel):
    """A value that PostgreSQL can keep: no text in it holds NUL or half a surrogate pair."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        if not all(map(is_storable, _texts(given))):
            raise ValueError(UNSTORABLE)
        return given


class Stored(Wire, Storable):
    """What travels in one shape, and is kept or sought in PostgreSQL."""


def storable(text: str) -> str:
    """A text with a mark in place of what PostgreSQL cannot keep."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep a text."""
    return not _UNSTORABLE.search(text)


def _texts(given: object) -> Iterator[str]:
    """Every text within plain JSON values, names of fields included."""
    left = [given]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple)):
            left += value
