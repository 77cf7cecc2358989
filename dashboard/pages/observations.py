"""The table of observations, over all traces."""

from typing import Any

import panel_material_ui as pmui

from dashboard.components import formats
from dashboard.components.filter_panel import FilterPanel
from dashboard.components.listing import Listing, few
from dashboard.components.saved_views import SavedViewBar
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OBSERVATION_TYPES, ObservationList, OpenTrace
from storage.clickhouse.columns import LISTED_OBSERVATION_COLUMNS

COLUMNS = [
    {"field": "start_time", "title": "Start (UTC)"},
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "type", "title": "Type", "kind": "type"},
    {"field": "model", "title": "Model"},
    {"field": "latency", "title": "Latency", "align": "right"},
    {"field": "total_tokens", "title": "Tokens", "align": "right"},
    {"field": "total_cost", "title": "Cost", "align": "right"},
    {"field": "prompt", "title": "Prompt"},
    {"field": "level", "title": "Level", "kind": "level"},
    {"field": "trace", "title": "Trace"},
    {"field": "tags", "title": "Tags", "kind": "chips"},
]
TYPES = {"Any type": "", **{name.capitalize(): name for name in OBSERVATION_TYPES}}
LEVELS = {"Any level": "", "Errors": "ERROR", "Warnings": "WARNING", "Default": "DEFAULT", "Debug": "DEBUG"}
_LOOK: dict[str, Any] = {"size": "small", "margin": (0, 10, 0, 0), "sx": FIELD}


class ObservationTable:
    """View of the list of observations; what is wanted is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ObservationList()
        self.shell = Shell(context, self.wanted)
        self.views = SavedViewBar(context, self.shell, self.wanted)
        suggestions = context.queries.suggestions("observations", self.shell.scope)
        self.filter = FilterPanel(LISTED_OBSERVATION_COLUMNS, self.wanted, suggestions)
        self.listing = Listing(
            self.wanted, COLUMNS, noun="observations", caption=f"Observations of {context.project.name}"
        )

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = [*self.shell.scope_controls("tag", "model"), *self._filters()]
        bar = self.views.view(self.filter.opener, self.listing.columns, self.shell.own_switch())
        self.shell.body[:] = [bar, self.filter.view(), self.listing.view()]
        asked = ["named", "type", "level", "prompt", "filter"]
        refilter = self.listing.follow(self.shell.guarded(self._load), asked)
        self.shell.follow_scope(refilter)
        return self.shell.page("Observations", self.views.offer, first=self._open)

    def _filters(self) -> list[Any]:
        wanted = self.wanted.param
        return [
            pmui.TextInput.from_param(wanted.named, label="Name contains", width=140, **_LOOK),
            pmui.Select.from_param(wanted.type, label="Type", options=TYPES, width=130, **_LOOK),
            pmui.Select.from_param(wanted.level, label="Level", options=LEVELS, width=110, **_LOOK),
            pmui.TextInput.from_param(wanted.prompt, label="Prompt contains", width=140, **_LOOK),
        ]

    async def _open(self) -> None:
        await self.shell.open(self._load)

    async def _load(self) -> None:
        scope, wanted = self.shell.scope, self.wanted
        asked = wanted.write(), scope.write()
        found = await self.context.queries.observations.page(scope, wanted)
        # A slower answer to an older question must not overwrite the newer one.
        if asked == (wanted.write(), scope.write()):
            link = self.shell.address.query(scope)
            self.listing.show([_row(record, link) for record in found.rows.to_pylist()], found.total)


def _row(record: dict[str, Any], link: str) -> dict[str, Any]:
    opened = OpenTrace(trace=record["trace_id"], observation=record["id"])
    taken = (record["end_time"] - record["start_time"]).total_seconds() * 1000 if record["end_time"] else None
    return {
        "href": f"/trace{link}&{opened.write()}",
        "start_time": formats.moment(record["start_time"]),
        "name": record["name"] or formats.ABSENT,
        "type": record["type"],
        "model": record["provided_model_name"],
        "latency": formats.duration(taken),
        "total_tokens": formats.count(record["total_tokens"]) if record["total_tokens"] else "",
        "total_cost": formats.cost(record["total_cost"]) if record["total_cost"] else "",
        "prompt": f"{record['prompt_name']} v{record['prompt_version']}" if record["prompt_name"] else "",
        "level": record["level"] if record["level"] in {"ERROR", "WARNING"} else "",
        "trace": record["trace_name"] or record["trace_id"],
        "tags": few(record["tags"]),
    }
