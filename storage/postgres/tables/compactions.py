"""The table of compactions: how far each lane's log is archived."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Table


class CompactionRow(Table):
    """One lane: the last position that the archive holds, and the end of the range that is being written."""

    __tablename__ = "compactions"

    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cursor_epoch: Mapped[int | None] = mapped_column(BigInteger)
    cursor_segment: Mapped[int | None] = mapped_column(BigInteger)
    target_epoch: Mapped[int | None] = mapped_column(BigInteger)
    target_segment: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[Created]
