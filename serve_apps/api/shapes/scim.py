"""SCIM 2.0 (RFC 7643 and 7644) as far as it is spoken here: users, who are members of one organization."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal

from pydantic import BeforeValidator, Field

from heliograph.domain.access import Member, Role
from heliograph.domain.errors import InvalidRequest
from serve_apps.api.parameters import Parameters, Text
from serve_apps.api.shapes.lists import Entry
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import Instant, JsonShape, iso

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
MAX_COUNT = 1_000
_FILTER = re.compile(r'\s*userName\s+eq\s+"([^"]*)"\s*', re.IGNORECASE)


def _role(value: object) -> object:
    """Providers send a role as text, or as an object with it as its value."""
    return value.get("value") if isinstance(value, dict) else value


# Some providers write the truth as text.
_Truth = Annotated[bool, BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)]
_Roles = list[Annotated[Role, BeforeValidator(_role)]]


class UsersAsked(Parameters):
    """Which users are asked for; places count from 1."""

    filter: Annotated[str, Field(max_length=1_000)] = ""
    start_index: int = 1
    count: int = 100

    @property
    def email(self) -> str | None:
        """The address that is filtered by; raises InvalidRequest for any other filter."""
        if not self.filter:
            return None
        found = _FILTER.fullmatch(self.filter)
        if found is None:
            raise InvalidRequest("filter", 'only userName eq "address" is understood')
        return found[1].strip().lower()

    @property
    def first(self) -> int:
        """The first place, from 1."""
        return max(self.start_index, 1)

    @property
    def size(self) -> int:
        """How many at most."""
        return min(max(self.count, 0), MAX_COUNT)


class NameBody(Body):
    """The parts of a name."""

    formatted: Text = ""
    given_name: Text = ""
    family_name: Text = ""


class UserBody(Body):
    """A user to be provisioned; a password is not taken."""

    user_name: Annotated[Text, Field(min_length=3, max_length=320, pattern=r"^\s*[^@\s]+@[^@\s]+\s*$")]
    name: NameBody = NameBody()
    display_name: Text | None = None
    active: _Truth = True
    roles: _Roles | None = None

    @property
    def full_name(self) -> str:
        """As it is shown."""
        parts = (self.name.given_name, self.name.family_name)
        return self.name.formatted or " ".join(filter(None, parts)) or self.display_name or self.user_name.strip()


class UserChangeBody(Body):
    """What replaces a user: whether they are a member, and in which role."""

    active: _Truth = True
    roles: _Roles | None = None


class Operation(Body):
    """One step of a patch."""

    op: Annotated[Literal["add", "replace", "remove"], BeforeValidator(lambda op: str(op).lower())]
    path: str = ""
    value: Any = None


class PatchBody(Body):
    """A patch; of its steps those on `active` and `roles` have an effect."""

    operations: Annotated[list[Operation], Field(min_length=1, max_length=100, validation_alias="Operations")]

    @property
    def change(self) -> dict[str, Any]:
        """What is set, in the shape of UserChangeBody."""
        found: dict[str, Any] = {}
        for operation in self.operations:
            if operation.op == "remove":
                continue
            if operation.path:
                found[operation.path] = operation.value
            elif isinstance(operation.value, dict):
                found |= operation.value
        return {name: found[name] for name in ("active", "roles") if name in found}


class NameShape(JsonShape):
    """The name of a user."""

    formatted: str


class EmailShape(JsonShape):
    """The address of a user."""

    primary: Literal[True]
    value: str
    type: Literal["work"]


class UserMeta(JsonShape):
    """When a user became a member."""

    resourceType: Literal["User"]
    created: Instant
    lastModified: Instant


class ScimUser(JsonShape):
    """A member as a user of SCIM; one who is no member any more is not active."""

    schemas: Sequence[str]
    id: str
    userName: str
    name: NameShape
    displayName: str
    emails: Sequence[EmailShape]
    roles: Sequence[Role]
    active: bool
    meta: UserMeta


class ScimList(JsonShape, Generic[Entry]):
    """A page of a list; places count from 1."""

    schemas: Sequence[str]
    totalResults: int
    startIndex: int
    itemsPerPage: int
    Resources: Sequence[Entry]


def user_shape(member: Member, *, is_active: bool = True) -> ScimUser:
    """A member as a user of SCIM."""
    user, joined = member.user, iso(member.joined_at)
    return {
        "schemas": [USER],
        "id": user.id,
        "userName": user.email,
        "name": {"formatted": user.name},
        "displayName": user.name,
        "emails": [{"primary": True, "value": user.email, "type": "work"}],
        "roles": [member.role] if is_active else [],
        "active": is_active,
        "meta": {"resourceType": "User", "created": joined, "lastModified": joined},
    }


def list_shape(resources: Sequence[Entry], total: int, start: int = 1) -> ScimList[Entry]:
    """A page of a list."""
    return {
        "schemas": [f"{_MESSAGES}:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
