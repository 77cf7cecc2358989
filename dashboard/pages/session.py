"""One session: its traces in their order, as a conversation."""

from typing import Any

import panel_material_ui as pmui

from dashboard.components import details, panes
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenSession, OpenTrace


class SessionView:
    """View of one session; which one is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenSession()
        self.shell = Shell(context, self.opened)

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Session", self._load)

    async def _load(self) -> None:
        found = await self.context.queries.activity.turns(self.opened.session)
        traces: list[dict[str, Any]] = found.rows.to_pylist(maps_as_pydicts="lossy")
        link = self.shell.address.query(self.shell.scope)
        heading = panes.html(details.session_heading(self.opened.session, traces, found.total))
        turns = [
            panes.html(details.turn(trace, f"/trace{link}&{OpenTrace(trace=trace['id']).write()}")) for trace in traces
        ]
        self.shell.body[:] = [heading, *turns]
