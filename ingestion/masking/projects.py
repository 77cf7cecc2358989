"""The masking rules of all projects, as old as a few seconds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Protocol

import structlog

from heliograph.domain.errors import InvalidRequest, Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskingRule, RuleKind
from ingestion.masking.finders import hiding
from ingestion.masking.masker import ALWAYS, Masker
from ingestion.masking.texts import Note

log = structlog.get_logger(__name__)

# For so long after a change of a rule events may still be masked as before it.
REFRESH_SECONDS = 2.0


class Rules(Protocol):
    """Where rules are kept."""

    async def version(self) -> str:
        """A text that changes whenever a rule does. Raises Unavailable."""
        ...

    async def all(self) -> Sequence[MaskingRule]:
        """Every rule of every project, in their order. Raises Unavailable."""
        ...


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


class ProjectMasking:
    """Each project's rules, read from memory.

    While the store is away the last known ones hold. Before the first reading nothing can be taken, and of a project
    whose rules cannot be applied neither: what a rule should have hidden must not be stored.

    Args:
        rules: where they are kept.
        refresh_seconds: how often they are looked at.
    """

    def __init__(self, rules: Rules, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self._rules = rules
        self._refresh_seconds = refresh_seconds
        self._version: str | None = None
        self._none = Masking()
        self._of: dict[str, Masking | None] = {}

    def of(self, project_id: ProjectId) -> Masking:
        """The masking of a project; raises Unavailable while its rules cannot be applied."""
        if self._version is None:
            raise Unavailable("The list of masking rules", self._refresh_seconds)
        found = self._of.get(project_id, self._none)
        if found is None:
            raise Unavailable("A masking rule of this project", self._refresh_seconds)
        return found

    async def run(self) -> None:
        """Follow the rules for ever."""
        while True:
            await self.look()
            await asyncio.sleep(self._refresh_seconds)

    async def look(self) -> None:
        """Read the rules if they have changed and can be read."""
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - whatever it is, the last known ones hold
            log.warning("masking_rules_not_read", reason=repr(error))

    async def refresh(self) -> None:
        """Read the rules if they have changed; raises Unavailable."""
        version = await self._rules.version()
        if version != self._version:
            by_project = sorted(await self._rules.all(), key=attrgetter("project_id"))
            self._of = {
                project_id: _applicable(project_id, list(own))
                for project_id, own in groupby(by_project, attrgetter("project_id"))
            }
            self._version = version


def _applicable(project_id: str, rules: Sequence[MaskingRule]) -> Masking | None:
    try:
        return masking_of(rules)
    except InvalidRequest as error:
        log.warning("masking_rule_not_applicable", project=project_id, reason=str(error))
        return None
