"""The difference of two texts, line by line, as escaped HTML."""

import difflib
import json

from markupsafe import Markup

from heliograph.domain.prompts import Body

CONTEXT_LINES = 3
_MARKS = {"+": "added", "-": "removed", " ": "kept"}


def difference(before: str, after: str) -> Markup:
    """What changed, with some lines around each change; equal texts are said to be equal."""
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=CONTEXT_LINES)
    # The first two lines name files.
    lines = list(compared)[2:]
    if not lines:
        return Markup('<p class="absent">The two are the same.</p>')
    return Markup('<div class="diff" role="table" aria-label="Difference">{}</div>').format(
        Markup("").join(_line(line) for line in lines)
    )


def text_of(body: Body) -> str:
    """A prompt's body as the text that is compared and edited: itself, or its messages as JSON."""
    return body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)


def _line(line: str) -> Markup:
    if line.startswith("@@"):
        return Markup('<div class="place">{}</div>').format(line)
    return Markup('<div class="{}"><span>{}</span>{}</div>').format(_MARKS.get(line[:1], "kept"), line[:1], line[1:])
