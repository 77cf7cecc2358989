"""What every table shares: the registry, the names of constraints, and the usual columns."""

import secrets
import string
from datetime import datetime
from typing import Annotated

from sqlalchemy import DateTime, MetaData, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

_ALPHABET = string.ascii_lowercase + string.digits
_ID_LENGTH = 24


def fresh_id() -> str:
    """Make a random id in the shape that Langfuse's clients know: a letter and 24 letters or digits."""
    return "c" + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


class Table(DeclarativeBase):
    """The registry of all tables, with predictable names for their constraints."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


Id = Annotated[str, mapped_column(primary_key=True, default=fresh_id)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
