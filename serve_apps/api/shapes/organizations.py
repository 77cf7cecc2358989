"""Organizations, their projects, members and keys as the API shows and takes them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from heliograph.domain.access import IssuedKey, ListedKey, Member, Organization, Project, Role
from heliograph.domain.errors import InvalidRequest
from serve_apps.api.parameters import Text, storable
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import iso, optional_iso

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


def project_shape(project: Project) -> dict[str, Any]:
    """The contract's project."""
    shown: dict[str, Any] = {
        "id": project.id,
        "name": project.name,
        "organization": {"id": project.organization_id, "name": project.organization_name},
        "metadata": project.metadata,
    }
    if project.retention_days is not None:
        shown["retentionDays"] = project.retention_days
    return shown


def organization_shape(organization: Organization, projects: list[Project]) -> dict[str, Any]:
    """An organization with its projects."""
    return {
        "id": organization.id,
        "name": organization.name,
        "createdAt": iso(organization.created_at),
        "metadata": organization.metadata,
        "projects": [owned_project_shape(project) for project in projects],
    }


def owned_project_shape(project: Project) -> dict[str, Any]:
    """A project among those of its organization."""
    return {
        "id": project.id,
        "name": project.name,
        "metadata": project.metadata,
        "createdAt": iso(project.created_at),
        "updatedAt": iso(project.updated_at),
    }


def member_shape(member: Member) -> dict[str, Any]:
    """A membership."""
    return {
        "userId": member.user.id,
        "role": member.role.value,
        "email": member.user.email,
        "name": member.user.name,
    }


def key_shape(key: ListedKey) -> dict[str, Any]:
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


def issued_key_shape(key: IssuedKey) -> dict[str, Any]:
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
