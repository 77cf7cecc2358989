"""Who changes what: the actor of a change, and the entries of the audit log."""

import json
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic.dataclasses import dataclass

from heliograph.domain.identifiers import OrganizationId, ProjectId


class ActorType(StrEnum):
    """What kind of caller has changed something; SYSTEM is the operator's command line and the server itself."""

    API_KEY = "API_KEY"
    USER = "USER"
    ADMIN_KEY = "ADMIN_KEY"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True)
class Actor:
    """Who acts: the id of an API key or a user, and the public key or address that people know it by."""

    type: ActorType
    id: str = ""
    name: str = ""

    def to_json(self) -> str:
        """As the audit log's triggers read it."""
        return json.dumps({"type": self.type, "id": self.id, "name": self.name})


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def act_as(actor: Actor) -> None:
    """Whatever this task and those that it starts change from now on, this actor has changed."""
    _acting.set(actor)


def current_actor() -> Actor | None:
    """Who acts in this task."""
    return _acting.get()


@dataclass(frozen=True)
class AuditEntry:
    """One change. `before` is None where something was created, `after` where it was deleted; secrets are hidden."""

    id: int
    at: datetime
    actor: Actor
    organization_id: OrganizationId | None
    project_id: ProjectId | None
    resource_type: str
    resource_id: str
    action: str
    before: Any
    after: Any
