"""Payloads too large for a row: the preview that stands there instead, with a mark that names the whole."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

PREVIEW_CHARACTERS = 4_000
_END = "@@@"
# A row's text ends with one; within metadata that events have put together it may stand inside.
_MARK = re.compile(
    r"@@@heliographPayload:type=(?P<type>text|json)\|bytes=(?P<nbytes>\d{1,19})\|sha256=(?P<digest>[0-9a-f]{64})@@@"
)
PATTERN = "heliographPayload:type=[a-z]+\\|bytes=[0-9]+\\|sha256=([0-9a-f]{64})@@@"


class Oversized(NamedTuple):
    """A payload that leaves its row; `digest` names it among those of its trace."""

    project_id: str
    trace_id: str
    digest: str
    content: bytes


class Mark(NamedTuple):
    """What a mark tells of the whole: its SHA-256 in hex, its size in bytes, and whether it is JSON to be parsed."""

    digest: str
    nbytes: int
    is_json: bool


def digest_of(content: bytes) -> str:
    """What names the content among the payloads of its trace."""
    return sha256(content).hexdigest()


def marked(text: str, content: bytes, *, is_json: bool = False) -> str:
    """The beginning of the text, and the mark of the content that it was."""
    kind = "json" if is_json else "text"
    mark = f"@@@heliographPayload:type={kind}|bytes={len(content)}|sha256={digest_of(content)}@@@"
    return f"{text[:PREVIEW_CHARACTERS]}… {mark}"


def mark_of(text: str) -> Mark | None:
    """The mark with which a text ends; None for a text that is whole."""
    if not text.endswith(_END):
        return None
    found = list(marks_in(text))
    return found[-1] if found and _MARK.fullmatch(text[text.rindex("@@@heliographPayload") :]) else None


def marks_in(text: str) -> Iterator[Mark]:
    """Every mark in a text."""
    if _END in text:
        for found in _MARK.finditer(text):
            yield Mark(found["digest"], int(found["nbytes"]), found["type"] == "json")
