"""Connections to providers of models, with their secrets sealed."""

import json
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain import llm_connections
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.llm_connections import Adapter, LlmConnection, NewLlmConnection, OpenedLlmConnection
from heliograph.domain.not_found import LlmConnectionNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.llm_connections import LlmConnectionRow
from storage.seal import Seal


class LlmConnections:
    """The connections of one project."""

    def __init__(self, database: Database, project_id: ProjectId, seal: Seal) -> None:
        self._database = database
        self._project_id = project_id
        self._seal = seal
        self._own = LlmConnectionRow.project_id == project_id

    async def page(self, page: Page) -> tuple[list[LlmConnection], int]:
        """Return one page, oldest first, and how many there are."""
        query = select(LlmConnectionRow).where(self._own).order_by(LlmConnectionRow.created_at, LlmConnectionRow.id)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(LlmConnectionRow).where(self._own))
            rows = await session.scalars(query.limit(page.size).offset(page.offset))
            return [_connection(row) for row in rows], total or 0

    async def put(self, new: NewLlmConnection) -> tuple[LlmConnection, bool]:
        """Keep a connection in place of the provider's earlier one, and return whether there was none."""
        llm_connections.check(new)
        known = select(LlmConnectionRow.id).where(self._own, LlmConnectionRow.provider == new.provider)
        values = self._values(new)
        putting = insert(LlmConnectionRow).values(project_id=self._project_id, provider=new.provider, **values)
        putting = putting.on_conflict_do_update(
            index_elements=["project_id", "provider"], set_={**values, "updated_at": func.now()}
        )
        async with self._database.transaction() as session:
            is_new = await session.scalar(known.with_for_update()) is None
            row = (await session.scalars(putting.returning(LlmConnectionRow))).one()
            return _connection(row), is_new

    async def delete(self, connection_id: str) -> None:
        """Remove a connection; raises LlmConnectionNotFound."""
        removing = delete(LlmConnectionRow).where(self._own, LlmConnectionRow.id == connection_id)
        async with self._database.transaction() as session:
            if await session.scalar(removing.returning(LlmConnectionRow.id)) is None:
                raise LlmConnectionNotFound(connection_id)

    async def opened(self, provider: str) -> OpenedLlmConnection:
        """Return a provider's connection with its secrets, for who calls it from the server.

        Raises:
            LlmConnectionNotFound: the project has none of that provider.
            SecretUnreadable: the key that sealed it is not configured any more.
        """
        async with self._database.transaction() as session:
            row = await session.scalar(select(LlmConnectionRow).where(self._own, LlmConnectionRow.provider == provider))
        if row is None:
            raise LlmConnectionNotFound(provider)
        owner = self._owner(provider)
        headers: dict[str, str] = json.loads(self._seal.open(row.headers_ciphertext, owner))
        return OpenedLlmConnection(_connection(row), self._seal.open(row.secret_ciphertext, owner), headers)

    def _values(self, new: NewLlmConnection) -> dict[str, Any]:
        owner = self._owner(new.provider)
        return {
            "adapter": new.adapter,
            "secret_ciphertext": self._seal.seal(new.secret_key, owner),
            "secret_display": llm_connections.display(new.secret_key),
            "base_url": new.base_url,
            "custom_models": list(new.custom_models),
            "with_default_models": new.with_default_models,
            "headers_ciphertext": self._seal.seal(json.dumps(new.extra_headers), owner),
            "extra_header_keys": sorted(new.extra_headers),
            "config": new.config,
        }

    def _owner(self, provider: str) -> str:
        """What a ciphertext is bound to: copied to another row it does not open."""
        return f"{self._project_id}/{provider}"


def _connection(row: LlmConnectionRow) -> LlmConnection:
    return LlmConnection(
        id=row.id,
        project_id=ProjectId(row.project_id),
        provider=row.provider,
        adapter=Adapter(row.adapter),
        secret_display=row.secret_display,
        base_url=row.base_url,
        custom_models=tuple(row.custom_models),
        with_default_models=row.with_default_models,
        extra_header_keys=tuple(row.extra_header_keys),
        config=row.config,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
