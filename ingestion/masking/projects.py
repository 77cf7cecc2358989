"""The masking rules of all projects, as old as a few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Protocol

import structlog

from heliograph.domain.errors import InvalidRequest, Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskingRule, RuleKind
from ingestion.followed import Followed, Source
from ingestion.masking.finders import hiding
from ingestion.masking.masker import ALWAYS, Masker
from ingestion.masking.texts import Note

log = structlog.get_logger(__name__)

# For so long after a change of a rule events may still be masked as before it.
REFRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Masking:
    """What a project's rules come to.

    Attributes:
        masker: applies those that find something in texts.
        callbacks: those that ask somebody else.
        is_slow: whether they need more time than the event loop has.
    """

    masker: Masker = ALWAYS
    callbacks: tuple[MaskingRule, ...] = ()
    is_slow: bool = False


class Maskings(Protocol):
    """The masking of every project."""

    def of(self, project_id: ProjectId) -> Masking:
        """The masking of a project. Raises Unavailable while its rules are not known."""
        ...


@dataclass(frozen=True)
class NoRules:
    """No project has rules."""

    masking: Masking = field(default_factory=Masking)

    def of(self, project_id: ProjectId) -> Masking:
        """What is always hidden."""
        del project_id
        return self.masking


def masking_of(rules: Sequence[MaskingRule], note: Note | None = None) -> Masking:
    """The masking that these rules come to; raises InvalidRequest when one of them cannot be applied."""
    hidings = [hiding(rule) for rule in rules if rule.kind is not RuleKind.CALLBACK]
    return Masking(
        Masker(hidings, note) if hidings else ALWAYS,
        tuple(rule for rule in rules if rule.kind is RuleKind.CALLBACK),
        any(rule.kind is RuleKind.PRESIDIO for rule in rules),
    )


class ProjectMasking(Followed[MaskingRule]):
    """Each project's rules.

    Before the first reading nothing can be taken, and of a project whose rules cannot be applied neither: what a rule
    should have hidden must not be stored.
    """

    def __init__(self, rules: Source[MaskingRule], refresh_seconds: float = REFRESH_SECONDS) -> None:
        super().__init__(rules, refresh_seconds)
        self._none = Masking()
        self._of: dict[str, Masking | None] = {}

    def of(self, project_id: ProjectId) -> Masking:
        """The masking of a project; raises Unavailable while its rules cannot be applied."""
        if not self.is_known:
            raise Unavailable("The list of masking rules", self._refresh_seconds)
        found = self._of.get(project_id, self._none)
        if found is None:
            raise Unavailable("A masking rule of this project", self._refresh_seconds)
        return found

    def _adopt(self, definitions: Sequence[MaskingRule]) -> None:
        by_project = sorted(definitions, key=attrgetter("project_id"))
        self._of = {
            project_id: _applicable(project_id, list(own))
            for project_id, own in groupby(by_project, attrgetter("project_id"))
        }


def _applicable(project_id: str, rules: Sequence[MaskingRule]) -> Masking | None:
    try:
        return masking_of(rules)
    except InvalidRequest as error:
        log.warning("masking_rule_not_applicable", project=project_id, reason=str(error))
        return None
