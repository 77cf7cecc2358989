"""Sessions that tell PostgreSQL who acts, for the audit log, before they change anything."""

from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.orm import ORMExecuteState, Session

from heliograph.domain.audit import current_actor

_TOLD = "actor_told"


class Acting(Session):
    """A session whose first change is preceded by the name of the actor; reads cost nothing."""


@event.listens_for(Acting, "before_flush")
def _before_flush(session: Session, *_: Any) -> None:
    _tell(session)


@event.listens_for(Acting, "do_orm_execute")
def _before_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        _tell(state.session)


def _tell(session: Session) -> None:
    actor = current_actor()
    if actor is None or _TOLD in session.info:
        return
    session.info[_TOLD] = True
    # Until the end of the transaction, which is that of the session.
    session.connection().execute(select(func.set_config("heliograph.actor", actor.to_json(), True)))
