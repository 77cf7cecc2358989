"""What is asked of a table: which rows, which of their columns, how many; and SQL over all of them."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from heliograph.domain.filters import MAX_CONDITIONS, Expression, leaves

MAX_PARTITIONS = 256
MAX_SQL_CHARACTERS = 20_000
ARROW_STREAM = "application/vnd.apache.arrow.stream"


class SelectedTable(StrEnum):
    """What can be selected from."""

    OBSERVATIONS = "observations"
    TRACES = "traces"
    SCORES = "scores"


class Selection(BaseModel):
    """Rows of one table.

    Attributes:
        since: from this moment on, of the table's own time (`start_time` or `timestamp`).
        until: before this moment.
        where: what the rows meet.
        select: columns, in this order; without them those that are cheap to read.
        limit: so many of the newest, newest first; without one all of them, in no order.
        sample: this share of the rows, chosen by a hash of their id: a larger share holds the smaller one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    where: Expression | None = None
    select: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)] | None = None
    limit: Annotated[int, Field(ge=0, le=1 << 40)] | None = None
    sample: Annotated[float, Field(gt=0, le=1)] | None = None

    @field_validator("where")
    @classmethod
    def _few(cls, where: Expression | None) -> Expression | None:
        if where is not None and sum(1 for _ in leaves(where)) > MAX_CONDITIONS:
            raise ValueError(f"holds more than {MAX_CONDITIONS} conditions")
        return where


class Partitioning(Selection):
    """A selection that is to be read in parts of about the same size."""

    partitions: Annotated[int, Field(ge=1, le=MAX_PARTITIONS)] = 8


class SqlQuery(BaseModel):
    """One SELECT over the tables of a project."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=MAX_SQL_CHARACTERS)]
