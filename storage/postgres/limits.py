"""The limits of projects, and the events that were counted for them."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, DATE, TEXT, insert
from sqlalchemy.types import BigInteger

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.limits import ProjectLimits, Usage, first_of_month
from storage.postgres.connection import Database
from storage.postgres.tables.limits import ProjectLimitsRow

# The newest change, and how many there are, since a deletion leaves no time behind.
_VERSION = select(func.count(), func.max(ProjectLimitsRow.updated_at)).select_from(ProjectLimitsRow)
# In order, so that replicas that add at the same time wait for each other and never in a circle.
_ADD = text("""
    INSERT INTO project_usage (project_id, day, events)
    SELECT * FROM unnest(:projects, :days, :counts) AS counted(project_id, day, events) ORDER BY 1, 2
    ON CONFLICT (project_id, day) DO UPDATE SET events = project_usage.events + excluded.events
""").bindparams(
    bindparam("projects", type_=ARRAY(TEXT)),
    bindparam("days", type_=ARRAY(DATE)),
    bindparam("counts", type_=ARRAY(BigInteger)),
)
_SUM = text("""
    SELECT project_id, coalesce(sum(events) FILTER (WHERE day = :today), 0), sum(events)
    FROM project_usage WHERE project_id = ANY(:projects) AND day >= :first GROUP BY project_id
""").bindparams(bindparam("projects", type_=ARRAY(TEXT)))


class LimitsOfProjects:
    """The limits of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> str:
        """Return a text that changes whenever a limit does."""
        async with self._database.transaction() as session:
            count, newest = (await session.execute(_VERSION)).one()
        return f"{count} {newest}"

    async def all(self) -> dict[ProjectId, ProjectLimits]:
        """Return the limits of every project that has some."""
        async with self._database.transaction() as session:
            rows = await session.scalars(select(ProjectLimitsRow))
            return {ProjectId(row.project_id): _limits(row) for row in rows}

    async def of(self, project_id: ProjectId) -> ProjectLimits:
        """Return the limits of one project."""
        async with self._database.transaction() as session:
            row = await session.get(ProjectLimitsRow, project_id)
            return ProjectLimits() if row is None else _limits(row)

    async def set(self, project_id: ProjectId, limits: ProjectLimits) -> None:
        """Replace the limits of a project; replicas follow within seconds."""
        values = {
            "requests_per_minute": dict(limits.requests_per_minute),
            "events_per_day": limits.events_per_day,
            "events_per_month": limits.events_per_month,
            "sample_rate": limits.sample_rate,
            # The clock, not the transaction's beginning: no later change may look older.
            "updated_at": func.clock_timestamp(),
        }
        statement = insert(ProjectLimitsRow).values(project_id=project_id, **values)
        async with self._database.transaction() as session:
            await session.execute(statement.on_conflict_do_update(index_elements=["project_id"], set_=values))


class EventCounts:
    """The acknowledged events of projects, by day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counts: Mapping[tuple[ProjectId, date], int]) -> None:
        """Add what one replica has counted, of all projects in one statement."""
        if not counts:
            return
        projects, days = zip(*counts, strict=True)
        values = {"projects": list(projects), "days": list(days), "counts": list(counts.values())}
        async with self._database.transaction() as session:
            await session.execute(_ADD, values)

    async def of(self, projects: list[ProjectId], today: date) -> dict[ProjectId, Usage]:
        """Return what these projects have sent today and in this month."""
        values = {"projects": projects, "today": today, "first": first_of_month(today)}
        async with self._database.transaction() as session:
            rows = (await session.execute(_SUM, values)).all()
        return {ProjectId(project_id): Usage(int(of_day), int(of_month)) for project_id, of_day, of_month in rows}


def _limits(row: ProjectLimitsRow) -> ProjectLimits:
    return ProjectLimits(row.requests_per_minute, row.events_per_day, row.events_per_month, row.sample_rate)
