"""Who may do what: organizations' projects, users, roles and API keys."""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic.dataclasses import dataclass

from heliograph.domain.identifiers import ApiKeyId, OrganizationId, ProjectId, UserId


class Role(StrEnum):
    """What a member may do, from most to least; a project's role overrides its organization's."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    VIEWER = "VIEWER"
    NONE = "NONE"


class KeyScope(StrEnum):
    """What an API key belongs to."""

    PROJECT = "PROJECT"
    ORGANIZATION = "ORGANIZATION"


@dataclass(frozen=True)
class Principal:
    """The authenticated caller of one request."""

    project_id: ProjectId
    organization_id: OrganizationId
    public_key: str
    api_key_id: ApiKeyId
    scope: KeyScope = KeyScope.PROJECT


@dataclass(frozen=True)
class StoredKey:
    """A valid API key as it is stored: without its secret, of which only a keyed digest exists."""

    principal: Principal
    secret_digest: str = field(repr=False)
    note: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class ListedKey:
    """A key pair as it is shown to people: of its secret only the ends."""

    public_key: str
    secret_display: str
    note: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class IssuedKey:
    """A key pair just made: the only moment at which its secret can be read."""

    public_key: str
    secret_key: str = field(repr=False)
    project_id: ProjectId


@dataclass(frozen=True)
class Organization:
    """An organization: it owns projects."""

    id: OrganizationId
    name: str


@dataclass(frozen=True)
class Project:
    """A project: the tenant that every event, score and prompt belongs to."""

    id: ProjectId
    name: str
    organization_id: OrganizationId
    organization_name: str
    metadata: dict[str, Any]
    retention_days: int | None
    created_at: datetime


@dataclass(frozen=True)
class User:
    """Someone who can sign in."""

    id: UserId
    email: str
    name: str


@dataclass(frozen=True)
class FirstAccess:
    """What the first start created. A secret is empty when the thing existed before and cannot be shown again."""

    project: Project
    public_key: str
    user: User
    secret_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
