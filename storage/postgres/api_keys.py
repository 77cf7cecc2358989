"""API keys: issuing, finding, verifying and revoking them."""

import hmac
import uuid
from datetime import UTC, datetime

from sqlalchemy import Select, func, select, true, update

from heliograph.domain.access import IssuedKey, KeyScope, ListedKey, Principal, StoredKey
from heliograph.domain.errors import InvalidRequest, KeyRevoked, KeyUnknown
from heliograph.domain.identifiers import ApiKeyId, OrganizationId, ProjectId
from storage.postgres.connection import Database
from storage.postgres.tables.api_keys import ApiKeyRow

# The channel on which every process hears that a key is no longer valid.
CHANGES_CHANNEL = "api_keys"
_SHOWN_CHARACTERS = 4


class ApiKeys:
    """The API keys of all projects; of a secret only HMAC-SHA256 under the server's pepper is stored."""

    def __init__(self, database: Database, pepper: str) -> None:
        self._database = database
        self._pepper = pepper.encode()

    async def find(self, public_key: str) -> StoredKey:
        """Find a valid key, whoever asks for it: the secret is not checked here.

        Raises:
            KeyUnknown: there is no such key, or its project is deleted.
            KeyRevoked: it was revoked or has expired.
        """
        async with self._database.transaction() as session:
            row = await session.scalar(select(ApiKeyRow).where(ApiKeyRow.public_key == public_key))
        if row is None or row.project is None or row.project.deleted_at is not None:
            raise KeyUnknown
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= datetime.now(UTC)):
            raise KeyRevoked(public_key)
        return _stored(row, ProjectId(row.project.id), OrganizationId(row.project.organization_id))

    async def verify(self, public_key: str, secret: str) -> Principal:
        """Return whom the key pair stands for; a wrong secret looks like an unknown key."""
        stored = await self.find(public_key)
        if not self.matches(stored, secret):
            raise KeyUnknown
        return stored.principal

    def matches(self, stored: StoredKey, secret: str) -> bool:
        """Compare in constant time; some microseconds, so that it needs no cache of its own."""
        return hmac.compare_digest(self._digest(secret), stored.secret_digest)

    async def create(
        self,
        project_id: ProjectId,
        *,
        note: str = "",
        public_key: str = "",
        secret_key: str = "",
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Issue a key pair for a project, generated unless both halves are given. The secret is shown only here."""
        if bool(public_key) != bool(secret_key):
            raise InvalidRequest("publicKey", "give both the public and the secret key, or neither")
        issued = IssuedKey(
            public_key=public_key or f"pk-lf-{uuid.uuid4()}",
            secret_key=secret_key or f"sk-lf-{uuid.uuid4()}",
            project_id=project_id,
        )
        async with self._database.transaction() as session:
            session.add(
                ApiKeyRow(
                    public_key=issued.public_key,
                    secret_digest=self._digest(issued.secret_key),
                    secret_display=f"{issued.secret_key[:6]}...{issued.secret_key[-_SHOWN_CHARACTERS:]}",
                    note=note,
                    project_id=project_id,
                    expires_at=expires_at,
                )
            )
            # Who was refused a moment ago is to be let in.
            await session.execute(_notice(issued.public_key))
        return issued

    async def public_keys_of(self, project_id: ProjectId) -> list[str]:
        """Return the public halves of a project's valid keys, oldest first."""
        is_valid = ApiKeyRow.revoked_at.is_(None) & func.coalesce(ApiKeyRow.expires_at > func.now(), true())
        query = select(ApiKeyRow.public_key).where(ApiKeyRow.project_id == project_id, is_valid)
        async with self._database.transaction() as session:
            return list(await session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id)))

    async def list_of(self, project_id: ProjectId) -> list[ListedKey]:
        """Return every key of a project, the ended ones too, oldest first."""
        query = select(ApiKeyRow).where(ApiKeyRow.project_id == project_id)
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id))
            return [_listed(row) for row in rows]

    async def revoke(self, public_key: str) -> None:
        """End a key and tell every process; to revoke it twice is to revoke it once."""
        revoked_at = func.coalesce(ApiKeyRow.revoked_at, func.now())
        await self._change(public_key, revoked_at=revoked_at)

    async def expire(self, public_key: str, expires_at: datetime | None) -> None:
        """Let a key end at a moment, or never, and tell every process. A revoked key stays revoked."""
        await self._change(public_key, expires_at=expires_at)

    async def _change(self, public_key: str, **values: object) -> None:
        changing = update(ApiKeyRow).where(ApiKeyRow.public_key == public_key).values(**values)
        async with self._database.transaction() as session:
            if await session.scalar(changing.returning(ApiKeyRow.id)) is None:
                raise KeyUnknown
            await session.execute(_notice(public_key))

    def _digest(self, secret: str) -> str:
        return hmac.digest(self._pepper, secret.encode("utf-8", "surrogatepass"), "sha256").hex()


def _notice(public_key: str) -> Select[tuple[object]]:
    return select(func.pg_notify(CHANGES_CHANNEL, public_key))


def _listed(row: ApiKeyRow) -> ListedKey:
    return ListedKey(
        public_key=row.public_key,
        secret_display=row.secret_display,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def _stored(row: ApiKeyRow, project_id: ProjectId, organization_id: OrganizationId) -> StoredKey:
    principal = Principal(
        project_id=project_id,
        organization_id=organization_id,
        public_key=row.public_key,
        api_key_id=ApiKeyId(row.id),
        scope=KeyScope.PROJECT,
    )
    return StoredKey(
        principal=principal,
        secret_digest=row.secret_digest,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
