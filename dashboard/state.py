"""What a page shows, kept in its address so that any view can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import panel as pn
import param

RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
BUCKETS = {
    "1h": timedelta(minutes=1),
    "24h": timedelta(minutes=30),
    "7d": timedelta(hours=3),
    "30d": timedelta(hours=12),
    "90d": timedelta(days=1),
}
SORTABLE = ("timestamp", "name", "latency_ms", "total_tokens", "total_cost", "observation_count")
PAGE_SIZES = (25, 50, 100)


@dataclass(frozen=True)
class Period:
    """A stretch of time and the bucket in which its charts count."""

    after: datetime
    before: datetime
    bucket: timedelta

    @property
    def previous(self) -> "Period":
        """The equally long stretch just before."""
        return Period(self.after - (self.before - self.after), self.after, self.bucket)


class AddressState(param.Parameterized):
    """Parameters that are mirrored into the page's query string; defaults are left out of it."""

    def read(self, address: Mapping[str, str]) -> None:
        """Take the values from a query string; what does not fit is ignored."""
        for name, default in self._defaults().items():
            if name not in address:
                continue
            try:
                setattr(self, name, int(address[name]) if isinstance(default, int) else address[name])
            except ValueError:
                setattr(self, name, default)

    def write(self) -> str:
        """The query string of the present values, without those at their defaults."""
        changed = {name: str(getattr(self, name)) for name, default in self._defaults().items()}
        return urlencode({name: text for name, text in changed.items() if text != str(self._defaults()[name])})

    def _defaults(self) -> dict[str, object]:
        return {name: self.param[name].default for name in self.param if name != "name"}


class Scope(AddressState):
    """The controls that every page has."""

    range = param.Selector(default="7d", objects=list(RANGES))
    environment = param.String(default="")

    def period(self, now: datetime | None = None) -> Period:
        """The chosen stretch of time, ending now."""
        before = now or datetime.now(UTC)
        return Period(before - RANGES[self.range], before, BUCKETS[self.range])


class TraceList(AddressState):
    """Filters, order and page of the table of traces."""

    named = param.String(default="")
    user = param.String(default="")
    session = param.String(default="")
    tag = param.String(default="")
    level = param.Selector(default="", objects=["", "ERROR", "WARNING"])
    sort = param.Selector(default="timestamp", objects=list(SORTABLE))
    order = param.Selector(default="desc", objects=["desc", "asc"])
    page = param.Integer(default=1, bounds=(1, 1_000_000))
    size = param.Selector(default=50, objects=list(PAGE_SIZES))


class OpenTrace(AddressState):
    """Which trace is open and which of its observations is selected."""

    trace = param.String(default="")
    observation = param.String(default="")


class Address:
    """Ties the states of a page to the browser's address, for as long as the session lives."""

    def __init__(self, project_id: str, *states: AddressState) -> None:
        self.project_id = project_id
        self.states = states
        self._location = pn.state.location
        values = query_of(self._location.search if self._location else "")
        for state in states:
            state.read(values)
            state.param.watch(self._changed, [name for name in state.param if name != "name"])

    def query(self, *states: AddressState) -> str:
        """The query string of the project and the given states, for a link."""
        parts = [urlencode({"project": self.project_id}), *(state.write() for state in states)]
        return "?" + "&".join(part for part in parts if part)

    def _changed(self, *_: object) -> None:
        if self._location:
            self._location.search = self.query(*self.states)


def query_of(search: str) -> dict[str, str]:
    """The query string as a mapping; of a repeated name the last value counts."""
    return dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True, max_num_fields=50))
