"""The tables of limits: what each project may send and ask, and what it has sent."""

from datetime import date

from sqlalchemy import BigInteger, Date, Float, ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Table


class ProjectLimitsRow(Table):
    """The limits of one project; a project without a row has none."""

    __tablename__ = "project_limits"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    requests_per_minute: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    events_per_day: Mapped[int | None] = mapped_column(BigInteger)
    events_per_month: Mapped[int | None] = mapped_column(BigInteger)
    sample_rate: Mapped[float] = mapped_column(Float(53), server_default=text("1"))
    updated_at: Mapped[Created]


class ProjectUsageRow(Table):
    """How many events of a project were acknowledged on a day, in UTC; each replica adds what it has counted."""

    __tablename__ = "project_usage"

    project_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
