"""The tables of budgets: what may be spent, what was, and what holders have reserved."""

from sqlalchemy import BigInteger, ForeignKey, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Table


class BudgetRow(Table):
    """One budget, in 10⁻¹² dollars. `reserved` is the sum of what its holders hold."""

    __tablename__ = "budgets"

    id: Mapped[str] = mapped_column(primary_key=True)
    limit_units: Mapped[int | None] = mapped_column(BigInteger)
    spent: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    reserved: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    unknown: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[Created]


class BudgetHoldRow(Table):
    """What one holder has reserved, and the answer to its last request, should it ask again."""

    __tablename__ = "budget_holds"

    budget_id: Mapped[str] = mapped_column(ForeignKey("budgets.id", ondelete="CASCADE"), primary_key=True)
    holder: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    granted: Mapped[int] = mapped_column(Integer)
    units: Mapped[int] = mapped_column(BigInteger)
