"""The vectors of texts that a project has embedded, by the hash of model and text."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import select

from heliograph.domain.identifiers import ProjectId
from storage.postgres.connection import Database
from storage.postgres.model_answers import AT_ONCE, keep_latest
from storage.postgres.tables.model_answers import EmbeddingRow

_FLOATS = np.dtype("<f4")


class Embeddings:
    """Those of one project.

    Args:
        database: where they are.
        project_id: of the project.
        since: older ones are not known.
    """

    def __init__(self, database: Database, project_id: ProjectId, since: datetime) -> None:
        self._database, self._project_id, self._since = database, project_id, since

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """The vectors that there are, by their keys."""
        row, found = EmbeddingRow, dict[str, Sequence[float]]()
        own = (row.project_id == self._project_id) & (row.created_at >= self._since)
        async with self._database.transaction() as session:
            for start in range(0, len(keys), AT_ONCE):
                query = select(row.key, row.vector).where(own, row.key.in_(keys[start : start + AT_ONCE]))
                for key, vector in (await session.execute(query)).all():
                    found[key] = np.frombuffer(vector, _FLOATS).tolist()
        return found

    async def keep(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Return when they are kept."""
        rows = [
            {"project_id": self._project_id, "key": key, "vector": np.asarray(vector, _FLOATS).tobytes()}
            for key, vector in vectors.items()
        ]
        await keep_latest(self._database, EmbeddingRow, rows, content="vector")
