"""Budgets: every reservation is stored before it is granted, so that no crash forgets money that may be spent."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.budgets import BudgetRequest, BudgetStatus
from storage.postgres.connection import Database
from storage.postgres.tables.budgets import BudgetHoldRow, BudgetRow


class Budgets:
    """All budgets, by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, budget_id: str, limit: int | None) -> None:
        """Begin a budget, or change the limit of one that there is; what was spent stays."""
        opening = insert(BudgetRow).values(id=budget_id, limit_units=limit)
        opening = opening.on_conflict_do_update(index_elements=["id"], set_={"limit_units": limit})
        async with self._database.transaction() as session:
            await session.execute(opening)

    async def status(self, budget_id: str) -> BudgetStatus | None:
        """How a budget stands; None where there is none."""
        return (await self.statuses([budget_id])).get(budget_id)

    async def statuses(self, budget_ids: Sequence[str]) -> Mapping[str, BudgetStatus]:
        """How budgets stand, by their ids; those that there are."""
        async with self._database.transaction() as session:
            rows = await session.scalars(select(BudgetRow).where(BudgetRow.id.in_(budget_ids)))
            return {row.id: BudgetStatus(row.limit_units, row.spent, row.reserved, row.unknown) for row in rows}

    async def carry_out(self, budget_id: str, requests: Sequence[BudgetRequest]) -> Mapping[str, int]:
        """Settle and reserve for several holders in one transaction.

        A request that was carried out already changes nothing and has its first answer; one of a holder that was
        forfeited counts what it has spent no more, for all that it held does.

        Returns:
            By holder, how many of its reservations were granted: the first ones, up to one that does not fit.
        """
        async with self._database.transaction() as session:
            budget = await session.get(BudgetRow, budget_id, with_for_update=True)
            if budget is None:
                return {request.holder: 0 for request in requests}
            holds = await self._holds(session, budget_id, [request.holder for request in requests])
            granted = {request.holder: _carry_out(budget, holds, request) for request in requests}
            changed = [
                {"budget_id": budget_id, "holder": hold.holder, "number": hold.number, "granted": hold.granted,
                 "units": hold.units}
                for hold in holds.values()
            ]  # fmt: skip
            if changed:
                await session.execute(_KEEP_HOLDS, changed)
            return granted

    async def forfeit(self, budget_id: str, holders: Sequence[str]) -> int:
        """Count as spent what these holders hold, who have died or ended; return how much it was.

        A holder that ended in order holds nothing.
        """
        removing = delete(BudgetHoldRow).where(BudgetHoldRow.budget_id == budget_id, BudgetHoldRow.holder.in_(holders))
        async with self._database.transaction() as session:
            # The budget first, as whoever reserves does: otherwise the two could wait for each other.
            await session.get(BudgetRow, budget_id, with_for_update=True)
            lost = sum(await session.scalars(removing.returning(BudgetHoldRow.units)))
            await session.execute(
                update(BudgetRow)
                .where(BudgetRow.id == budget_id)
                .values(
                    spent=BudgetRow.spent + lost,
                    reserved=BudgetRow.reserved - lost,
                    unknown=BudgetRow.unknown + lost,
                )
            )
        return lost

    @staticmethod
    async def _holds(session: AsyncSession, budget_id: str, holders: Sequence[str]) -> dict[str, BudgetHoldRow]:
        query = select(BudgetHoldRow).where(BudgetHoldRow.budget_id == budget_id, BudgetHoldRow.holder.in_(holders))
        found = await session.scalars(query)
        holds = {}
        for hold in found:
            # Written by one statement for all.
            session.expunge(hold)
            holds[hold.holder] = hold
        return holds


_INSERT = insert(BudgetHoldRow)
_KEEP_HOLDS = _INSERT.on_conflict_do_update(
    index_elements=["budget_id", "holder"],
    set_={name: _INSERT.excluded[name] for name in ("number", "granted", "units")},
)


def _carry_out(budget: BudgetRow, holds: dict[str, BudgetHoldRow], request: BudgetRequest) -> int:
    hold = holds.get(request.holder)
    if hold is None:
        if request.number > 1:
            return 0
        hold = BudgetHoldRow(budget_id=budget.id, holder=request.holder, number=0, granted=0, units=0)
        holds[request.holder] = hold
    if request.number <= hold.number:
        return hold.granted
    settled = min(request.settled, hold.units)
    budget.reserved -= settled
    budget.spent += request.spent
    hold.units -= settled
    hold.number, hold.granted = request.number, 0
    for units in request.reserved:
        if budget.limit_units is not None and budget.spent + budget.reserved + units > budget.limit_units:
            break
        budget.reserved += units
        hold.units += units
        hold.granted += 1
    return hold.granted
