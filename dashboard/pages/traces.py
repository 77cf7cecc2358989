"""The table of traces."""

import asyncio
from typing import Any

import panel_material_ui as pmui

from dashboard.components import formats
from dashboard.components.bulk import BulkBar
from dashboard.components.filter_panel import FilterPanel
from dashboard.components.listing import Listing, few
from dashboard.components.live_tail import LiveTail
from dashboard.components.pulse_strip import PulseStrip
from dashboard.components.saved_views import SavedViewBar
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenTrace, TraceList
from storage.clickhouse.columns import TRACE_COLUMNS

COLUMNS = [
    {"field": "timestamp", "title": "Time (UTC)"},
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "user_id", "title": "User"},
    {"field": "session_id", "title": "Session"},
    {"field": "latency_ms", "title": "Latency", "align": "right"},
    {"field": "total_tokens", "title": "Tokens", "align": "right"},
    {"field": "total_cost", "title": "Cost", "align": "right"},
    {"field": "observation_count", "title": "Observations", "align": "right"},
    {"field": "scores", "title": "Scores", "kind": "chips"},
    {"field": "level", "title": "Level", "kind": "level"},
    {"field": "tags", "title": "Tags", "kind": "chips"},
]
FILTERS = {"named": "Name contains", "user": "User", "session": "Session"}
LEVELS = {"Any level": "", "Errors": "ERROR", "Warnings": "WARNING"}


class TraceTable:
    """View of the list of traces; what is wanted is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = TraceList()
        self.shell = Shell(context, self.wanted)
        self.views = SavedViewBar(context, self.shell, self.wanted)
        suggestions = context.queries.suggestions("traces", self.shell.scope)
        self.filter = FilterPanel(TRACE_COLUMNS, self.wanted, suggestions)
        self.pulse = PulseStrip(context, self.shell, self.wanted)
        self.listing = Listing(
            self.wanted,
            COLUMNS,
            noun="traces",
            caption=f"Traces of {context.project.name}",
            is_selectable=True,
        )

        self.tail = LiveTail(self.wanted, self.shell.guarded(self._load), lambda: bool(self.listing.table.selected))

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = [*self.shell.scope_controls("tag", "model"), *self._filters()]
        self.bulk = BulkBar(self.context, self.listing.table, self.shell.guarded(self._load))
        beside = (
            self.filter.opener,
            self.pulse.measure,
            self.listing.columns,
            self.tail.switch,
            self.shell.own_switch(),
        )
        bar = self.views.view(*beside)
        self.shell.body[:] = [bar, self.filter.view(), self.pulse.view(), self.bulk.view(), self.listing.view()]
        refilter = self.listing.follow(
            self.shell.guarded(self._load_all), [*FILTERS, "level", "filter", "after", "before"]
        )
        self.shell.follow_scope(refilter)
        return self.shell.page("Traces", self._offer, first=self._open)

    def _filters(self) -> list[Any]:
        boxes = [
            pmui.TextInput.from_param(
                self.wanted.param[name], label=label, width=132, size="small", margin=(0, 10, 0, 0), sx=FIELD
            )
            for name, label in FILTERS.items()
        ]
        level = pmui.Select.from_param(
            self.wanted.param.level, label="Level", options=LEVELS, width=110, size="small", margin=0, sx=FIELD
        )
        return [*boxes, level]

    async def _open(self) -> None:
        await self.shell.open(self._load)

    async def _offer(self) -> None:
        await asyncio.gather(self.views.offer(), self.bulk.offer(), self.pulse.load())
        self.tail.start()

    async def _load_all(self) -> None:
        await self._load()
        await self.pulse.load()

    async def _load(self) -> None:
        scope, wanted = self.shell.scope, self.wanted
        asked = wanted.write(), scope.write()
        found = await self.context.queries.traces.page(scope, wanted)
        # A slower answer to an older question must not overwrite the newer one.
        if asked == (wanted.write(), scope.write()):
            link = self.shell.address.query(scope)
            rows = [_row(record, link) for record in found.rows.to_pylist(maps_as_pydicts="lossy")]
            self.listing.show(rows, found.total)


def _row(record: dict[str, Any], link: str) -> dict[str, Any]:
    scores = [f"{name} {formats.number(value)}" for name, value in record["score_values"].items()]
    scores += [f"{name} {label}" for name, label in record["score_labels"].items()]
    return {
        "href": f"/trace{link}&{OpenTrace(trace=record['id']).write()}",
        "id": record["id"],
        "timestamp": formats.moment(record["timestamp"]),
        "name": record["name"] or formats.ABSENT,
        "user_id": record["user_id"],
        "session_id": record["session_id"],
        "latency_ms": formats.duration(record["latency_ms"]),
        "total_tokens": formats.count(record["total_tokens"]),
        "total_cost": formats.cost(record["total_cost"]),
        "observation_count": formats.count(record["observation_count"]),
        "scores": few(scores),
        "level": record["level"] if record["level"] in {"ERROR", "WARNING"} else "",
        "tags": few(record["tags"]),
    }
