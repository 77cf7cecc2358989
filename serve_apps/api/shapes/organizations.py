"""Organizations, their projects, members and keys as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field

from heliograph.domain.access import IssuedKey, ListedKey, Member, Organization, Project, Role
from heliograph.domain.errors import InvalidRequest
from serve_apps.api.parameters import Text, storable
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import Instant, JsonObject, JsonShape, iso, optional_iso

MIN_RETENTION_DAYS = 3
Name = Annotated[Text, Field(min_length=3, max_length=60)]


def _retention(days: int | None) -> int | None:
    if days is not None and days != 0 and days < MIN_RETENTION_DAYS:
        raise ValueError(f"must be 0, which keeps everything, or at least {MIN_RETENTION_DAYS} days")
    return days


def _storable(document: dict[str, Any] | None) -> dict[str, Any] | None:
    waiting: list[Any] = [document]
    while waiting:
        match waiting.pop():
            case str() as text:
                storable(text)
            case dict() as entries:
                waiting += [*entries, *entries.values()]
            case list() as entries:
                waiting += entries
    return document


Metadata = Annotated[dict[str, Any] | None, AfterValidator(_storable)]


class ProjectBody(Body):
    """A project to be created or changed; what is absent stays."""

    name: Name
    metadata: Metadata = None
    retention: Annotated[int | None, AfterValidator(_retention), Field(ge=0, le=100_000)] = None


class OrganizationBody(Body):
    """An organization to be created or changed."""

    name: Name
    metadata: Metadata = None


class MembershipBody(Body):
    """A role for a user."""

    user_id: Annotated[Text, Field(min_length=1)]
    role: Role


class LeavingBody(Body):
    """A user who is to lose a role."""

    user_id: Annotated[Text, Field(min_length=1)]


class KeyActionBody(Body):
    """What is to be done with all keys of some projects."""

    action: Literal["delete", "invalidate"]
    project_ids: Annotated[list[Text], Field(max_length=10_000)]


class KeyBody(Body):
    """A key pair to be issued: generated, or as it is given."""

    note: Annotated[Text, Field(max_length=1_000)] = ""
    public_key: Text | None = None
    secret_key: Text | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """Both halves, or none; raises InvalidRequest."""
        for field, value, prefix in (
            ("publicKey", self.public_key, "pk-lf-"),
            ("secretKey", self.secret_key, "sk-lf-"),
        ):
            if value is not None and not (value.startswith(prefix) and len(value) > len(prefix)):
                raise InvalidRequest(field, f"must begin with {prefix}, and go on")
        if (self.public_key is None) != (self.secret_key is None):
            raise InvalidRequest("publicKey", "give both the public and the secret key, or neither")
        return self.public_key or "", self.secret_key or ""


class OwnerShape(JsonShape):
    """The organization of a project."""

    id: str
    name: str


class ProjectShape(JsonShape):
    """A project; without `retentionDays` everything is kept."""

    id: str
    name: str
    organization: OwnerShape
    metadata: JsonObject
    retentionDays: NotRequired[int]


class OwnedProjectShape(JsonShape):
    """A project among those of its organization."""

    id: str
    name: str
    metadata: JsonObject
    createdAt: Instant
    updatedAt: Instant


class OwnedProjects(JsonShape):
    """The projects of an organization."""

    projects: Sequence[OwnedProjectShape]


class OrganizationShape(JsonShape):
    """An organization with its projects."""

    id: str
    name: str
    createdAt: Instant
    metadata: JsonObject
    projects: Sequence[OwnedProjectShape]


class AllOrganizations(JsonShape):
    """Every organization of this server."""

    organizations: Sequence[OrganizationShape]


class MemberShape(JsonShape):
    """A membership."""

    userId: str
    role: Role
    email: str
    name: str


class Memberships(JsonShape):
    """The memberships of an organization or a project."""

    memberships: Sequence[MemberShape]


class LeftShape(JsonShape):
    """Whose membership has ended."""

    message: str
    userId: str


class KeyShape(JsonShape):
    """A key pair without its secret."""

    id: str
    createdAt: Instant
    expiresAt: Instant | None
    lastUsedAt: Instant | None
    note: str | None
    publicKey: str
    displaySecretKey: str


class KeyList(JsonShape):
    """The keys of an organization or a project."""

    apiKeys: Sequence[KeyShape]


class IssuedKeyShape(JsonShape):
    """A key pair at the only moment at which its secret is shown."""

    id: str
    createdAt: Instant
    expiresAt: Instant | None
    note: str | None
    publicKey: str
    secretKey: str
    displaySecretKey: str


def project_shape(project: Project) -> ProjectShape:
    """The contract's project."""
    shown: ProjectShape = {
        "id": project.id,
        "name": project.name,
        "organization": {"id": project.organization_id, "name": project.organization_name},
        "metadata": project.metadata,
    }
    if project.retention_days is not None:
        shown["retentionDays"] = project.retention_days
    return shown


def organization_shape(organization: Organization, projects: list[Project]) -> OrganizationShape:
    """An organization with its projects."""
    return {
        "id": organization.id,
        "name": organization.name,
        "createdAt": iso(organization.created_at),
        "metadata": organization.metadata,
        "projects": [owned_project_shape(project) for project in projects],
    }


def owned_project_shape(project: Project) -> OwnedProjectShape:
    """A project among those of its organization."""
    return {
        "id": project.id,
        "name": project.name,
        "metadata": project.metadata,
        "createdAt": iso(project.created_at),
        "updatedAt": iso(project.updated_at),
    }


def member_shape(member: Member) -> MemberShape:
    """A membership."""
    return {
        "userId": member.user.id,
        "role": member.role,
        "email": member.user.email,
        "name": member.user.name,
    }


def key_shape(key: ListedKey) -> KeyShape:
    """A key without its secret."""
    return {
        "id": key.id,
        "createdAt": iso(key.created_at),
        "expiresAt": optional_iso(key.expires_at),
        "lastUsedAt": optional_iso(key.last_used_at),
        "note": key.note or None,
        "publicKey": key.public_key,
        "displaySecretKey": key.secret_display,
    }


def issued_key_shape(key: IssuedKey) -> IssuedKeyShape:
    """A key at the only moment at which its secret is shown."""
    return {
        "id": key.id,
        "createdAt": iso(key.created_at),
        "expiresAt": optional_iso(key.expires_at),
        "note": key.note or None,
        "publicKey": key.public_key,
        "secretKey": key.secret_key,
        "displaySecretKey": key.secret_display,
    }
