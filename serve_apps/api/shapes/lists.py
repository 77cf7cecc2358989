"""What answers have in common: pages of lists, lists that are walked by cursors, and acknowledgements."""

from collections.abc import Sequence
from typing import Generic, Literal, NotRequired, TypeVar

from serve_apps.api.shapes.values import JsonShape

Entry = TypeVar("Entry")


class PageMeta(JsonShape):
    """Which page it is, and how many there are."""

    page: int
    limit: int
    totalItems: int
    totalPages: int


class PageOf(JsonShape, Generic[Entry]):
    """One page of a list."""

    data: Sequence[Entry]
    meta: PageMeta


class CursorMeta(JsonShape):
    """Where the next page begins; the last page has no cursor."""

    cursor: NotRequired[str]


class PartOf(JsonShape, Generic[Entry]):
    """A part of a list, and the cursor that leads to the next one."""

    data: Sequence[Entry]
    meta: CursorMeta


class ListOf(JsonShape, Generic[Entry]):
    """A whole list."""

    data: Sequence[Entry]


class Told(JsonShape):
    """What was done, in words."""

    message: str


class Done(JsonShape):
    """It was done."""

    success: Literal[True]


class DoneAndTold(JsonShape):
    """It was done, and in words what."""

    success: Literal[True]
    message: str


class Nothing(JsonShape):
    """There is nothing to be said of it."""


class Retried(JsonShape):
    """How many are tried again."""

    retried: int


class Identified(JsonShape):
    """The id of what was created, changed or deleted."""

    id: str
