"""What a selection asks for, before anything is read."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from heliograph.client.columns import Where
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.selections import SelectedTable, Selection

Moment = str | datetime | timedelta | None
_AGO = re.compile(r"(?P<number>\d+)(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(value: Moment, name: str, now: datetime) -> datetime | None:
    """A time from what people write: `"30d"` or a timedelta ago, an ISO text, a datetime; without a zone it is UTC."""
    match value:
        case None:
            return None
        case timedelta():
            return now - value
        case str() if found := _AGO.fullmatch(value):
            return now - timedelta(**{_UNITS[found["unit"]]: int(found["number"])})
        case str():
            try:
                return moment(datetime.fromisoformat(value), name, now)
            except ValueError:
                raise InvalidRequest(name, f"{value!r} is no time: write 30d, 12h, or 2026-01-31T12:00Z") from None
        case _:
            return value if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """Rows of a table."""

    table: SelectedTable
    selection: Selection

    @classmethod
    def of(
        cls,
        table: SelectedTable,
        *,
        since: Moment,
        until: Moment,
        where: Where | None,
        select: Sequence[str] | None,
    ) -> "Asked":
        """A selection from what people write; raises InvalidRequest."""
        now = datetime.now(UTC)
        bounds = {"since": moment(since, "since", now), "until": moment(until, "until", now)}
        return cls(table, Selection(**bounds)).where(where).select(select)

    def where(self, where: Where | None) -> "Asked":
        """The rows that meet this, too."""
        if where is None:
            return self
        have = self.selection.where
        return self._with(where=where.expression if have is None else (Where(have) & where).expression)

    def select(self, names: Iterable[str] | None) -> "Asked":
        """These columns; None is the cheap ones."""
        if isinstance(names, str):
            raise InvalidRequest("select", f"takes a list of names: write [{names!r}]")
        return self._with(select=None if names is None else tuple(names))

    def limit(self, rows: int) -> "Asked":
        """At most so many of the newest."""
        have = self.selection.limit
        return self._with(limit=rows if have is None else min(rows, have))

    def sample(self, share: float) -> "Asked":
        """This share of the rows."""
        return self._with(sample=share)

    def within(self, since: str | None, until: str | None) -> "Asked":
        """The part of a partition."""
        return self._with(since=since, until=until)

    def body(self, **more: Any) -> dict[str, Any]:
        """What is sent."""
        return self.selection.model_dump(mode="json", exclude_none=True) | more

    @property
    def path(self) -> str:
        """Where it is sent."""
        return f"/data/{self.table}"

    def _with(self, **changes: Any) -> "Asked":
        try:
            changed = Selection.model_validate(self.selection.model_dump() | changes)
        except ValueError as error:
            raise InvalidRequest(next(iter(changes)), str(error).splitlines()[-2].strip()) from error
        return replace(self, selection=changed)
