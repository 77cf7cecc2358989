"""Rules made ready to be applied: each finds in a text what it hides."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import re2

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.masking import MAX_EXPRESSION, MAX_REPLACEMENT, MaskedField, MaskingRule, RuleKind
from ingestion.masking import presidio
from ingestion.masking.detectors import Span, detector
from ingestion.masking.expressions import options

DEFAULT_REPLACEMENT = "***"


class Finder(Protocol):
    """Finds what is to be hidden."""

    @property
    def hint(self) -> str | None:
        """An expression that matches within everything it finds anything in, wherever that stands; None: ask always."""
        ...

    def spans(self, text: str) -> Iterable[Span]:
        """What is to be hidden, from left to right, without overlaps."""
        ...


@dataclass(frozen=True)
class Hiding:
    """A rule at work."""

    rule: MaskingRule
    finder: Finder
    replacement: str


class ExpressionFinder:
    """Finds matches of a regular expression; of one with groups, the groups alone."""

    def __init__(self, expression: str) -> None:
        self._compiled = _compiled(expression)
        self.hint = hint_of(expression)

    def spans(self, text: str) -> Iterable[Span]:
        """The matches, or their groups."""
        reached = 0
        for match in self._compiled.finditer(text):
            groups = [match.span(number) for number in range(1, self._compiled.groups + 1)]
            for start, end in sorted(groups) if groups else [match.span()]:
                if start >= reached and end > start:
                    yield start, end
                    reached = end


class DetectorFinder:
    """Finds what a built-in detector knows."""

    def __init__(self, name: str) -> None:
        self._detector = detector(name)
        self._compiled = _compiled(self._detector.expression)
        self.hint = hint_of(self._detector.expression)

    def spans(self, text: str) -> Iterable[Span]:
        """Those matches that pass the detector's checks."""
        for match in self._compiled.finditer(text):
            yield from self._detector.spans(text, match)


def hiding(rule: MaskingRule) -> Hiding:
    """The rule, ready to be applied.

    Raises:
        InvalidRequest: its target is no expression, names no detector, or needs what is not installed.
    """
    if len(rule.replacement) > MAX_REPLACEMENT:
        raise InvalidRequest("replacement", f"must have at most {MAX_REPLACEMENT} characters")
    if rule.kind is RuleKind.EXPRESSION:
        return Hiding(rule, ExpressionFinder(rule.target), rule.replacement or DEFAULT_REPLACEMENT)
    if rule.kind is RuleKind.DETECTOR:
        return Hiding(rule, DetectorFinder(rule.target), rule.replacement or f"[{rule.target}]")
    if rule.kind is RuleKind.PRESIDIO:
        return Hiding(rule, presidio.finder(rule.target), rule.replacement or DEFAULT_REPLACEMENT)
    raise InvalidRequest("kind", "a callback hides nothing by itself")


def looks_into(hidings: Sequence[Hiding], *fields: MaskedField) -> list[Hiding]:
    """Those that look into one of the fields."""
    return [one for one in hidings if one.rule.field in (MaskedField.ALL, *fields)]


def _compiled(expression: str) -> Any:
    if not 0 < len(expression) <= max(MAX_EXPRESSION, _LONGEST_DETECTOR):
        raise InvalidRequest("target", f"must have 1 to {MAX_EXPRESSION} characters")
    try:
        compiled = re2.compile(expression, options())
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise InvalidRequest("target", f"is no regular expression of RE2: {reason}") from None
    if compiled.search("") is not None:
        raise InvalidRequest("target", "finds something in the empty text, and so everywhere")
    return compiled


_LONGEST_DETECTOR = 2000
_TOKEN = re.compile(r"\\Q|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\^|\$", re.DOTALL)
# What looks at the surroundings of a match, which are others where several texts are looked at as one.
_SURROUNDINGS = {r"\b", r"\B", r"\A", r"\z", "^", "$"}


def hint_of(expression: str) -> str | None:
    """The expression without what it says of its surroundings; None where that cannot be told."""
    tokens = _TOKEN.findall(expression)
    if r"\Q" in tokens:
        return None
    loose = _TOKEN.sub(lambda token: "(?:)" if token[0] in _SURROUNDINGS else token[0], expression)
    try:
        compiled = re2.compile(loose, options())
    except re2.error:
        return None
    return None if compiled.search("") is not None else loose
