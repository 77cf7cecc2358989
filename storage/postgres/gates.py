"""Gates of projects."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.gates import Gate
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import GateNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.gates import GateRow


class Gates:
    """The gates of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = GateRow.project_id == project_id

    async def all(self) -> list[Gate]:
        """Return every gate, by name."""
        async with self._database.transaction() as session:
            rows = await session.scalars(select(GateRow).where(self._own).order_by(GateRow.name))
            return [_gate(row) for row in rows]

    async def get(self, name: str) -> Gate:
        """Return one gate; raises GateNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(GateRow).where(self._own, GateRow.name == name))
        if row is None:
            raise GateNotFound(name)
        return _gate(row)

    async def put(self, gate: Gate) -> None:
        """Keep a gate in place of the one of that name."""
        policy = gate.model_dump(mode="json")
        putting = insert(GateRow).values(id=fresh_id(), project_id=self._project_id, name=gate.name, policy=policy)
        putting = putting.on_conflict_do_update(
            index_elements=["project_id", "name"], set_={"policy": policy, "updated_at": func.now()}
        )
        async with self._database.transaction() as session:
            await session.execute(putting)

    async def remove(self, name: str) -> None:
        """Remove a gate; raises GateNotFound."""
        removing = delete(GateRow).where(self._own, GateRow.name == name).returning(GateRow.id)
        async with self._database.transaction() as session:
            if await session.scalar(removing) is None:
                raise GateNotFound(name)


def _gate(row: GateRow) -> Gate:
    return Gate.model_validate(row.policy)
