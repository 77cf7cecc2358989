"""The table of traces."""

import math
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import formats
from dashboard.components.widgets import DataTable
from dashboard.queries import TracePage
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import PAGE_SIZES, SORTABLE, OpenTrace, TraceList

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
FILTERS = {"named": "Name contains", "user": "User", "session": "Session", "tag": "Tag"}
LEVELS = {"Any level": "", "Errors": "ERROR", "Warnings": "WARNING"}
MAX_CHIPS = 3


class TraceTable:
    """View of the list of traces; what is wanted is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = TraceList()
        self.shell = Shell(context, self.wanted)
        self.table = DataTable(
            on_sort=self._sort,
            columns=[{**column, "sortable": column["field"] in SORTABLE} for column in COLUMNS],
            caption=f"Traces of {context.project.name}",
            empty="No trace matches these filters in this period.",
            sizing_mode="stretch_width",
            margin=0,
        )
        self.total = pmui.Typography("", variant="body2", margin=(8, 0), sizing_mode="stretch_width")
        self.pager = pmui.Pagination(count=1, value=0, margin=(4, 0))

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = [*self.shell.scope_controls(), *self._filters()]
        self.shell.controls.styles = {"flex-wrap": "wrap", "row-gap": "12px"}
        size = pmui.Select.from_param(
            self.wanted.param.size, label="Rows", options=list(PAGE_SIZES), width=90, size="small", margin=(0, 12)
        )
        self.pager.param.watch(lambda event: setattr(self.wanted, "page", event.new + 1), "value")
        foot = pn.Row(self.total, size, self.pager, sizing_mode="stretch_width", margin=(12, 0, 24, 0), align="center")
        self.shell.body[:] = [pn.Column(self.table, foot, sizing_mode="stretch_width", margin=(18, 0, 0, 0))]
        self.shell.scope.param.watch(self._from_first_page, ["range", "environment"])
        self.wanted.param.watch(self._from_first_page, [*FILTERS, "level", "sort", "order", "size"])
        self.wanted.param.watch(self._reload, "page")
        return self.shell.page("Traces", self._open)

    def _filters(self) -> list[Any]:
        boxes = [
            pmui.TextInput.from_param(
                self.wanted.param[name], label=label, width=150, size="small", margin=(0, 12, 0, 0), sx=FIELD
            )
            for name, label in FILTERS.items()
        ]
        level = pmui.Select.from_param(
            self.wanted.param.level, label="Level", options=LEVELS, width=120, size="small", margin=0, sx=FIELD
        )
        return [*boxes, level]

    async def _open(self) -> None:
        if not await self.context.queries.has_traces():
            await self.shell.show_first_steps()
            return
        await self._load()
        self.shell.offer_environments(list(await self.context.queries.environments(self.shell.scope.period())))

    def _sort(self, field: str) -> None:
        if field not in SORTABLE:
            return
        is_reversal = self.wanted.sort == field and self.wanted.order == "desc"
        self.wanted.param.update(sort=field, order="asc" if is_reversal else "desc")

    async def _from_first_page(self, *_: object) -> None:
        if self.wanted.page == 1:
            await self._reload()
        else:
            self.wanted.page = 1

    async def _reload(self, *_: object) -> None:
        await self.shell.guarded(self._load)()

    async def _load(self) -> None:
        self.table.is_busy = True
        scope, wanted = self.shell.scope, self.wanted
        asked = wanted.write(), scope.write()
        found = await self.context.queries.traces(scope.period(), scope.environment, wanted)
        # A slower answer to an older question must not overwrite the newer one.
        if asked == (wanted.write(), scope.write()):
            self._show(found)

    def _show(self, found: TracePage) -> None:
        wanted = self.wanted
        pages = max(1, math.ceil(found.total / wanted.size))
        first = (wanted.page - 1) * wanted.size
        shown = f"{first + 1:,}–{first + found.rows.num_rows:,} of " if found.rows.num_rows else ""
        self.total.object = f"{shown}{formats.count(found.total)} traces"
        # The pager's value must lie within its count at every moment, also between the two.
        chosen = min(wanted.page, pages) - 1
        if chosen < self.pager.count:
            self.pager.value = chosen
        self.pager.count = pages
        self.pager.value = chosen
        link = self.shell.address.query(self.shell.scope)
        rows = [_row(record, link) for record in found.rows.to_pylist(maps_as_pydicts="lossy")]
        self.table.param.update(sort=wanted.sort, order=wanted.order, rows=rows, is_busy=False)


def _row(record: dict[str, Any], link: str) -> dict[str, Any]:
    scores = [f"{name} {value:g}" for name, value in record["score_values"].items()]
    scores += [f"{name} {label}" for name, label in record["score_labels"].items()]
    return {
        "href": f"/trace{link}&{OpenTrace(trace=record['id']).write()}",
        "timestamp": formats.moment(record["timestamp"]),
        "name": record["name"] or formats.ABSENT,
        "user_id": record["user_id"],
        "session_id": record["session_id"],
        "latency_ms": formats.duration(record["latency_ms"]),
        "total_tokens": formats.count(record["total_tokens"]),
        "total_cost": formats.cost(record["total_cost"]),
        "observation_count": formats.count(record["observation_count"]),
        "scores": _few(scores),
        "level": record["level"] if record["level"] in {"ERROR", "WARNING"} else "",
        "tags": _few(record["tags"]),
    }


def _few(texts: list[str]) -> list[str]:
    return texts if len(texts) <= MAX_CHIPS else [*texts[:MAX_CHIPS], f"+{len(texts) - MAX_CHIPS}"]
