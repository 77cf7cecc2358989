"""The price books of all projects, as old as a few seconds."""

import re
from collections.abc import Sequence
from itertools import groupby

import structlog

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model
from ingestion.followed import Followed, Source
from ingestion.pricing import PriceBook, managed_prices

log = structlog.get_logger(__name__)

# For so long after a change of a definition events may still be priced as before it.
REFRESH_SECONDS = 5.0


class ProjectPrices(Followed[Model]):
    """Each project's own definitions before the managed ones; before the first reading no event can be priced."""

    def __init__(self, definitions: Source[Model], refresh_seconds: float = REFRESH_SECONDS) -> None:
        super().__init__(definitions, refresh_seconds)
        self._books: dict[str, PriceBook] = {}

    def of(self, project_id: ProjectId) -> PriceBook:
        """The book of a project; raises Unavailable before the first reading."""
        if not self.is_known:
            raise Unavailable("The list of model definitions", self._refresh_seconds)
        return self._books.get(project_id) or managed_prices()

    def _adopt(self, definitions: Sequence[Model]) -> None:
        self._books = _books(definitions)


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
