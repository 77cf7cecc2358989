"""Masking rules: what of a project's events must not be stored."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_RULES = 50
MAX_EXPRESSION = 1000
MAX_REPLACEMENT = 200


class RuleKind(StrEnum):
    """How a rule finds what it hides."""

    EXPRESSION = "expression"
    DETECTOR = "detector"
    PRESIDIO = "presidio"
    CALLBACK = "callback"


class MaskedField(StrEnum):
    """Where a rule looks."""

    INPUT = "input"
    OUTPUT = "output"
    METADATA = "metadata"
    ALL = "all"


@dataclass(frozen=True)
class MaskingRule:
    """One rule of a project.

    Attributes:
        id: identifies the rule.
        kind: how it finds what it hides.
        target: the regular expression, the detector's name, Presidio's entities with commas between, or a URL.
        field: where it looks; a callback sees whole requests.
        replacement: what stands in the place of what is hidden; '' for the usual one.
        is_fail_closed: whether nothing is taken while the callback fails.
        headers: of the request, those that the callback is given.
        project_id: whose rule it is.
    """

    id: str
    kind: RuleKind
    target: str
    field: MaskedField = MaskedField.ALL
    replacement: str = ""
    is_fail_closed: bool = False
    headers: tuple[str, ...] = ()
    project_id: str = ""
    created_at: datetime | None = None
