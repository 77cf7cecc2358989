"""One session: its traces in their order, as a conversation."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import details, panes
from dashboard.components.collecting import Collecting
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenSession, OpenTrace
from heliograph.domain.annotations import Annotated, AnnotatedType


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
        told = panes.html()
        session = Annotated(AnnotatedType.SESSION, self.opened.session)
        collecting = Collecting(self.context, lambda: [session], lambda markup: setattr(told, "object", str(markup)))
        actions = pn.Row(*await collecting.queues(), margin=(10, 0, 0, 0), styles={"flex-wrap": "wrap", "gap": "10px"})
        self.shell.body[:] = [heading, actions, told, *turns]
