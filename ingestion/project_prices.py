"""The price books of all projects, as old as a few seconds."""

import asyncio
import re
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

import structlog

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model
from ingestion.pricing import PriceBook, managed_prices

log = structlog.get_logger(__name__)

# For so long after a change of a definition events may still be priced as before it.
REFRESH_SECONDS = 5.0


class Definitions(Protocol):
    """Where definitions are kept."""

    async def version(self) -> str:
        """A text that changes whenever a definition does. Raises Unavailable."""
        ...

    async def all(self) -> Sequence[Model]:
        """Every definition of every project. Raises Unavailable."""
        ...


class ProjectPrices:
    """Each project's own definitions before the managed ones, read from memory.

    While the store is away the last known ones hold; before the first reading no event can be priced.

    Args:
        definitions: where they are kept.
        refresh_seconds: how often they are looked at.
    """

    def __init__(self, definitions: Definitions, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self._definitions = definitions
        self._refresh_seconds = refresh_seconds
        self._version: str | None = None
        self._books: dict[str, PriceBook] = {}

    def of(self, project_id: ProjectId) -> PriceBook:
        """The book of a project; raises Unavailable before the first reading."""
        if self._version is None:
            raise Unavailable("The list of model definitions", self._refresh_seconds)
        return self._books.get(project_id) or managed_prices()

    async def run(self) -> None:
        """Follow the definitions for ever."""
        while True:
            await self.look()
            await asyncio.sleep(self._refresh_seconds)

    async def look(self) -> None:
        """Read the definitions if they have changed and can be read."""
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - whatever it is, the last known ones hold
            log.warning("model_definitions_not_read", reason=repr(error))

    async def refresh(self) -> None:
        """Read the definitions if they have changed; raises Unavailable."""
        version = await self._definitions.version()
        if version != self._version:
            self._books = _books(await self._definitions.all())
            self._version = version


def _books(models: Sequence[Model]) -> dict[str, PriceBook]:
    usable = sorted(filter(_is_usable, models), key=_project)
    return {project_id: PriceBook(list(own), managed_prices()) for project_id, own in groupby(usable, _project)}


def _project(model: Model) -> str:
    return model.project_id


def _is_usable(model: Model) -> bool:
    """Whether its patterns can be compiled: one that cannot must not stop the events of its project."""
    try:
        re.compile(model.match_pattern)
    except re.error as error:
        log.warning("model_definition_ignored", model=model.id, project=model.project_id, reason=str(error))
        return False
    return True
