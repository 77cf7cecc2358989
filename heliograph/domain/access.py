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


def _scopes(**by_noun: str) -> frozenset[str]:
    return frozenset(f"{noun}:{verb}" for noun, verbs in by_noun.items() for verb in verbs.split())


_ORGANIZATION_SCOPES = _scopes(
    projects="create transfer_org",
    organization="CRUD_apiKeys update delete",
    organizationMembers="read CUD",
    langfuseCloudBilling="CRUD",
    auditLogs="read",
)
_PROJECT_SCOPES = _scopes(
    projectMembers="read CUD",
    apiKeys="read CUD",
    objects="publish bookmark tag",
    traces="delete",
    scores="CUD",
    scoreConfigs="CUD read",
    annotationQueues="read CUD",
    annotationQueueAssignments="read CUD",
    project="read update delete",
    integrations="CRUD",
    datasets="read CUD",
    prompts="CUD read",
    promptProtectedLabels="CUD",
    dashboards="read CUD",
    models="CUD",
    batchExports="create read",
    evalTemplate="CUD read",
    evalJob="read CUD",
    evalJobExecution="read",
    evalDefaultModel="read CUD",
    llmApiKeys="read create update delete",
    llmSchemas="CUD read",
    llmTools="CUD read",
    playground="execute",
    comments="CUD read",
    promptExperiments="CUD read",
    auditLogs="read",
    TableViewPresets="CUD read",
    automations="CUD read",
    alerts="read CUD",
)
_NOT_OF_MEMBERS = _scopes(
    projectMembers="CUD",
    apiKeys="CUD",
    traces="delete",
    annotationQueueAssignments="CUD",
    project="update delete",
    integrations="CRUD",
    promptProtectedLabels="CUD",
    models="CUD",
    llmApiKeys="create update delete",
    auditLogs="read",
    automations="CUD",
)
_OF_VIEWERS = _scopes(
    project="read",
    prompts="read",
    evalTemplate="read",
    scoreConfigs="read",
    evalJob="read",
    evalJobExecution="read",
    evalDefaultModel="read",
    datasets="read",
    llmApiKeys="read",
    llmSchemas="read",
    llmTools="read",
    comments="read",
    annotationQueues="read",
    promptExperiments="read",
    dashboards="read",
    TableViewPresets="read",
    automations="read",
    alerts="read",
)

# What a role may do in its organization.
ORGANIZATION_SCOPES: dict[Role, frozenset[str]] = {
    Role.OWNER: _ORGANIZATION_SCOPES,
    Role.ADMIN: _ORGANIZATION_SCOPES - _scopes(organization="CRUD_apiKeys delete", langfuseCloudBilling="CRUD"),
    Role.MEMBER: _scopes(organizationMembers="read"),
    Role.VIEWER: frozenset(),
    Role.NONE: frozenset(),
}
# What a role may do in a project.
PROJECT_SCOPES: dict[Role, frozenset[str]] = {
    Role.OWNER: _PROJECT_SCOPES,
    Role.ADMIN: _PROJECT_SCOPES - _scopes(project="delete"),
    Role.MEMBER: _PROJECT_SCOPES - _NOT_OF_MEMBERS,
    Role.VIEWER: _OF_VIEWERS,
    Role.NONE: frozenset(),
}


class KeyScope(StrEnum):
    """What an API key belongs to."""

    PROJECT = "PROJECT"
    ORGANIZATION = "ORGANIZATION"


@dataclass(frozen=True)
class Principal:
    """The authenticated caller of one request; `project_id` is empty for the key of an organization."""

    project_id: ProjectId
    organization_id: OrganizationId
    public_key: str
    api_key_id: ApiKeyId
    scope: KeyScope = KeyScope.PROJECT


@dataclass(frozen=True)
class OfOrganization:
    """An organization as the owner of keys, where a project could be one, too."""

    organization_id: OrganizationId


KeyOwner = ProjectId | OfOrganization


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

    id: ApiKeyId
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
    # Empty for the key of an organization.
    project_id: ProjectId
    id: ApiKeyId
    secret_display: str
    note: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Organization:
    """An organization: it owns projects."""

    id: OrganizationId
    name: str
    metadata: dict[str, Any]
    created_at: datetime


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
    updated_at: datetime


@dataclass(frozen=True)
class User:
    """Someone who can sign in."""

    id: UserId
    email: str
    name: str


@dataclass(frozen=True)
class Member:
    """A user with a role in an organization or a project."""

    user: User
    role: Role
    joined_at: datetime


@dataclass(frozen=True)
class Invitation:
    """Someone who may become a member of an organization, and of one of its projects with another role."""

    id: str
    email: str
    organization_id: OrganizationId
    role: Role
    project_id: ProjectId | None
    project_role: Role | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class FirstAccess:
    """What the first start created. A secret is empty when the thing existed before and cannot be shown again."""

    project: Project
    public_key: str
    user: User
    secret_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
