"""API keys: issuing, finding, verifying and revoking them."""

import hmac
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select, true, update

from heliograph.domain.access import IssuedKey, KeyOwner, KeyScope, ListedKey, OfOrganization, Principal, StoredKey
from heliograph.domain.errors import Conflict, InvalidRequest, KeyRevoked, KeyUnknown
from heliograph.domain.identifiers import ApiKeyId, OrganizationId, ProjectId
from heliograph.domain.not_found import ApiKeyNotFound
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
        if row is None or (row.project is not None and row.project.deleted_at is not None):
            raise KeyUnknown
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= datetime.now(UTC)):
            raise KeyRevoked(public_key)
        return _stored(row)

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
        owner: KeyOwner,
        *,
        note: str = "",
        public_key: str = "",
        secret_key: str = "",
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Issue a key pair, generated unless both halves are given. The secret is shown only here.

        Raises:
            InvalidRequest: only one half is given.
            Conflict: the public key is taken.
        """
        if bool(public_key) != bool(secret_key):
            raise InvalidRequest("publicKey", "give both the public and the secret key, or neither")
        secret = secret_key or f"sk-lf-{uuid.uuid4()}"
        row = ApiKeyRow(
            public_key=public_key or f"pk-lf-{uuid.uuid4()}",
            secret_digest=self._digest(secret),
            secret_display=f"{secret[:6]}...{secret[-_SHOWN_CHARACTERS:]}",
            note=note,
            expires_at=expires_at,
        )
        if isinstance(owner, OfOrganization):
            row.organization_id = owner.organization_id
        else:
            row.project_id = owner
        async with self._database.transaction() as session:
            if public_key and await session.scalar(select(ApiKeyRow.id).where(ApiKeyRow.public_key == public_key)):
                raise Conflict("publicKey", "is taken already")
            session.add(row)
            await session.flush()
            await session.refresh(row)
            # Who was refused a moment ago is to be let in.
            await session.execute(_notice(row.public_key))
            return _issued(row, secret)

    async def public_keys_of(self, project_id: ProjectId) -> list[str]:
        """Return the public halves of a project's valid keys, oldest first."""
        is_valid = ApiKeyRow.revoked_at.is_(None) & func.coalesce(ApiKeyRow.expires_at > func.now(), true())
        query = select(ApiKeyRow.public_key).where(ApiKeyRow.project_id == project_id, is_valid)
        async with self._database.transaction() as session:
            return list(await session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id)))

    async def list_of(self, owner: KeyOwner) -> list[ListedKey]:
        """Return every key of a project or an organization, the ended ones too, oldest first."""
        query = select(ApiKeyRow).where(_owned_by(owner))
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id))
            return [_listed(row) for row in rows]

    async def revoke_of(self, owner: KeyOwner, key_id: str) -> None:
        """End a key of this owner; raises ApiKeyNotFound when it has none of that id that is not revoked already."""
        living = (_owned_by(owner), ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        async with self._database.transaction() as session:
            public_key = await session.scalar(select(ApiKeyRow.public_key).where(*living))
        if public_key is None:
            raise ApiKeyNotFound(key_id)
        await self.revoke(public_key)

    async def rotate(self, public_key: str, overlap: timedelta) -> IssuedKey:
        """Issue a successor of a valid key, with its owner, note and lifetime; the old one ends after the overlap.

        Raises:
            KeyUnknown, KeyRevoked: there is no such key, or it has ended.
        """
        stored = await self.find(public_key)
        principal = stored.principal
        is_of_project = principal.scope is KeyScope.PROJECT
        owner = principal.project_id if is_of_project else OfOrganization(principal.organization_id)
        lifetime = stored.expires_at - stored.created_at if stored.expires_at and stored.created_at else None
        now = datetime.now(UTC)
        issued = await self.create(owner, note=stored.note, expires_at=now + lifetime if lifetime else None)
        ends_at = now + overlap
        await self.expire(public_key, min(ends_at, stored.expires_at) if stored.expires_at else ends_at)
        return issued

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


async def announce(database: Database, projects: Sequence[ProjectId]) -> None:
    """Tell every process to look up the keys of these projects again."""
    notices = select(func.pg_notify(CHANGES_CHANNEL, ApiKeyRow.public_key)).where(ApiKeyRow.project_id.in_(projects))
    async with database.transaction() as session:
        await session.execute(notices)


def _notice(public_key: str) -> Select[tuple[object]]:
    return select(func.pg_notify(CHANGES_CHANNEL, public_key))


def _owned_by(owner: KeyOwner) -> ColumnElement[bool]:
    if isinstance(owner, OfOrganization):
        return ApiKeyRow.organization_id == owner.organization_id
    return ApiKeyRow.project_id == owner


def _listed(row: ApiKeyRow) -> ListedKey:
    return ListedKey(
        id=ApiKeyId(row.id),
        public_key=row.public_key,
        secret_display=row.secret_display,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def _issued(row: ApiKeyRow, secret: str) -> IssuedKey:
    return IssuedKey(
        public_key=row.public_key,
        secret_key=secret,
        project_id=ProjectId(row.project_id or ""),
        id=ApiKeyId(row.id),
        secret_display=row.secret_display,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _stored(row: ApiKeyRow) -> StoredKey:
    owning = row.project.organization_id if row.project is not None else row.organization_id
    principal = Principal(
        project_id=ProjectId(row.project_id or ""),
        organization_id=OrganizationId(owning or ""),
        public_key=row.public_key,
        api_key_id=ApiKeyId(row.id),
        scope=KeyScope.ORGANIZATION if row.project is None else KeyScope.PROJECT,
    )
    return StoredKey(
        principal=principal,
        secret_digest=row.secret_digest,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
