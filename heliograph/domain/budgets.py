"""Budgets: money that is reserved before it is spent. All amounts are units of 10⁻¹² US dollars."""

from dataclasses import dataclass
from typing import NamedTuple


class BudgetRequest(NamedTuple):
    """What one holder asks of a budget at once; requests of a holder are numbered from 1, and each is carried out once.

    Attributes:
        holder: who spends; what it holds when it dies counts as spent.
        reserved: upper bounds of calls that it would make, in their order.
        settled: the sum of the upper bounds of calls that have ended.
        spent: what these have cost.
    """

    holder: str
    number: int
    reserved: tuple[int, ...] = ()
    settled: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget as it stands; `spent` and `reserved` together are never more than the limit.

    Attributes:
        limit: None where there is none: then it only counts.
        unknown: the part of `spent` that was reserved by holders that died, and may not have been spent.
    """

    limit: int | None
    spent: int
    reserved: int
    unknown: int

    @property
    def left(self) -> int | None:
        """What may still be reserved."""
        return None if self.limit is None else max(0, self.limit - self.spent - self.reserved)
