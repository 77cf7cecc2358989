"""The table of the users of the traced applications."""

from typing import Any

import panel_material_ui as pmui

from dashboard.components import formats
from dashboard.components.filter_panel import FilterPanel
from dashboard.components.listing import Listing
from dashboard.components.saved_views import SavedViewBar
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import GroupList, TraceList
from storage.clickhouse.columns import TRACE_COLUMNS

COLUMNS = [
    {"field": "subject", "title": "User", "kind": "strong"},
    {"field": "last_at", "title": "Last seen (UTC)"},
    {"field": "first_at", "title": "First seen (UTC)"},
    {"field": "session_count", "title": "Sessions", "align": "right"},
    {"field": "trace_count", "title": "Traces", "align": "right"},
    {"field": "errors", "title": "Errors", "align": "right"},
    {"field": "tokens", "title": "Tokens", "align": "right"},
    {"field": "cost", "title": "Cost", "align": "right"},
    {"field": "cost_per_trace", "title": "Cost per trace", "align": "right"},
]


class UserTable:
    """View of the users with traces in the period; what is wanted is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = GroupList()
        self.shell = Shell(context, self.wanted)
        self.views = SavedViewBar(context, self.shell, self.wanted)
        suggestions = context.queries.suggestions("traces", self.shell.scope)
        self.filter = FilterPanel(TRACE_COLUMNS, self.wanted, suggestions)
        self.listing = Listing(self.wanted, COLUMNS, noun="users", caption=f"Users of {context.project.name}")

    def page(self) -> pmui.Page:
        """The page."""
        named = pmui.TextInput.from_param(
            self.wanted.param.named, label="User contains", width=220, size="small", margin=0, sx=FIELD
        )
        self.shell.controls[:] = [*self.shell.scope_controls("tag", "model"), named]
        bar = self.views.view(self.filter.opener, self.listing.columns, self.shell.own_switch())
        self.shell.body[:] = [bar, self.filter.view(), self.listing.view()]
        refilter = self.listing.follow(self.shell.guarded(self._load), ["named", "filter"])
        self.shell.follow_scope(refilter)
        return self.shell.page("Users", self.views.offer, first=self._open)

    async def _open(self) -> None:
        await self.shell.open(self._load)

    async def _load(self) -> None:
        scope = self.shell.scope
        found = await self.context.queries.activity.users(scope, self.wanted)
        link = self.shell.address.query(scope)
        self.listing.show([_row(record, link) for record in found.rows.to_pylist()], found.total)


def _row(record: dict[str, Any], link: str) -> dict[str, Any]:
    return {
        "href": f"/traces{link}&{TraceList(user=record['subject']).write()}",
        "subject": record["subject"],
        "first_at": formats.moment(record["first_at"]),
        "last_at": formats.moment(record["last_at"]),
        "session_count": formats.count(record["session_count"]),
        "trace_count": formats.count(record["trace_count"]),
        "errors": formats.count(record["errors"]) if record["errors"] else "",
        "tokens": formats.count(record["tokens"]),
        "cost": formats.cost(record["cost"]),
        "cost_per_trace": formats.cost(record["cost"] / record["trace_count"]),
    }
