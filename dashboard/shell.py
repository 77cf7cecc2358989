"""The frame around every page: bar, controls, theme, and what stands there instead when there is nothing to show."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import structlog
from bokeh.themes import Theme
from markupsafe import Markup

from dashboard.bokeh_sessions import fill
from dashboard.changes import ProjectChanges
from dashboard.components import panes
from dashboard.components.palette import PLOT_TEXT, THEME
from dashboard.components.scope_row import FIELD, ScopeRow
from dashboard.components.widgets import ShellBar, SideNav
from dashboard.queries.project import ProjectQueries
from dashboard.state import Address, AddressState, Scope
from dashboard.viewer import Viewer
from heliograph.domain.access import Project
from heliograph.domain.errors import HeliographError, Unavailable

log = structlog.get_logger()

__all__ = ["FIELD", "PageContext", "Shell", "framed", "panes_notice", "unreachable"]

# What the browser shows until the session has drawn the page.
_TEMPLATE = Path(__file__).parent / "components" / "page.html"
_BAR = {"minHeight": "56px", "margin": 0}
# Selectors inside the page's own component, which is why they are not a style sheet.
_PAGE_LOOK = {
    "& .header.MuiAppBar-root": {
        "backgroundColor": "background.paper", "color": "text.primary", "backgroundImage": "none", "boxShadow": "none",
        "borderBottom": "1px solid", "borderColor": "divider",
    },
    "& .header .MuiToolbar-root": {**_BAR, "px": "24px"},
    "& .header .MuiLinearProgress-root": {"position": "absolute", "bottom": "-2px", "height": "2px"},
    "& .main": {"backgroundColor": "background.default"},
    "& .main .MuiToolbar-root": _BAR,
}  # fmt: skip
# Beside the sections, and never wider than what is left of the window.
_CONTENT = {"flex": "1 1 0", "width": "auto", **panes.NARROW}


@dataclass(frozen=True)
class PageContext:
    """What a page is given: the project it may show, its questions and changes, its address, where it is served."""

    viewer: Viewer
    project: Project
    queries: ProjectQueries
    changes: ProjectChanges
    path: str
    url: str


class Shell:
    """The frame of one page."""

    def __init__(self, context: PageContext, *states: AddressState) -> None:
        self.context = context
        self.scope = Scope()
        self.address = Address(context.project.id, self.scope, *states)
        self.controls = pn.Row(sizing_mode="stretch_width", margin=0, styles={**panes.WRAP, "row-gap": "12px"})
        self.body = pn.Column(sizing_mode="stretch_width", margin=0, styles=panes.NARROW)
        self.bar = ShellBar(
            projects=[{"id": project.id, "name": project.name} for project in context.viewer.projects],
            project_id=context.project.id,
            page=context.path,
            email=context.viewer.user.email,
            query=self.address.query(self.scope),
            is_dark=pn.state.cookies.get("heliograph_theme") == "dark",
            sizing_mode="stretch_width",
            margin=0,
        )
        self.nav = SideNav(page=context.path, query=self.bar.query, margin=0)
        self.scope.param.watch(self._follow, ["range", "environment", "tag", "model", "evaluator", "own"])

    @property
    def is_dark(self) -> bool:
        """Whether the page is shown in the dark theme."""
        return bool(self.bar.is_dark)

    def scope_controls(self, *narrowed_by: str) -> list[Any]:
        """The time range, the environment, and what else of the control row the page can use."""
        self._row = ScopeRow(self.scope, narrowed_by)
        return self._row.controls()

    def own_switch(self) -> Any:
        """Whether the platform's own traces are shown, too; after `scope_controls`."""
        return self._row.own

    def follow_scope(self, reload: Callable[..., Awaitable[None]]) -> None:
        """Load again whenever the control row changes."""
        self.scope.param.watch(reload, list(self._row.names))

    async def open(self, load: Callable[[], Awaitable[None]]) -> None:
        """Fill the page, and offer what can be chosen; a project without traces shows how to send the first instead."""
        has_traces, _ = await asyncio.gather(self.context.queries.has_traces(), load())
        if has_traces:
            self.afterwards(self.offer_choices)
        else:
            await self.show_first_steps()

    def afterwards(self, load: Callable[[], Awaitable[None]]) -> None:
        """Load more once the browser has the page, which is at once if it has it."""
        pn.state.onload(self.guarded(load))

    async def offer_choices(self) -> None:
        """Fill the choices of the control row with what there is."""
        self._row.offer(await self.context.queries.choices(self.scope, self._row.names))

    def page(
        self, title: str, load: Callable[[], Awaitable[None]], *, first: Callable[[], Awaitable[None]] | None = None
    ) -> pmui.Page:
        """The whole page: `load` fills it once the browser has it, `first` before, while it fetches what draws it."""
        if not self.body:
            self.body[:] = [panes.loading()]
        content = pn.Column(self.controls, self.body, sizing_mode="stretch_width", margin=(20, 24), styles=_CONTENT)
        page = framed(self.bar, self.nav, content, title=title)
        page.dark_theme = self.is_dark
        self.bar.param.watch(lambda event: setattr(page, "dark_theme", event.new), "is_dark")
        if first is not None:
            fill(pn.state.curdoc, self.guarded(first))
        pn.state.onload(self.guarded(load))
        return page

    def guarded(self, load: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The same, but a failure becomes a message on the page and an entry in the log."""

        async def guarded_load() -> None:
            try:
                await load()
            except Unavailable as error:
                self.body[:] = [panes.html(unreachable(error.service))]
            except HeliographError as error:
                self.body[:] = [panes.html(panes_notice(str(error)))]
            except Exception as error:
                log.exception("page_failed", path=self.context.path, project_id=self.context.project.id)
                self.body[:] = [panes.html(unreachable(type(error).__name__))]

        return guarded_load

    async def show_first_steps(self) -> None:
        """Instead of a page: how to send the first trace."""
        public_key = await self.context.queries.settings.public_key()
        self.controls.visible = False
        self.body[:] = [panes.first_steps(self.context.url, public_key)]

    def _follow(self, *_: object) -> None:
        self.bar.query = self.nav.query = self.address.query(self.scope)


def framed(bar: ShellBar, nav: SideNav, content: Any, *, title: str) -> pmui.Page:
    """A page in the product's look."""
    if pn.state.curdoc:
        # Without a theme of the document's own, the page's gives plots its fonts, which are made for larger ones.
        pn.state.curdoc.theme = Theme(json={"attrs": PLOT_TEXT})
        look = THEME["dark" if bar.is_dark else "light"]["palette"]
        # The address under which the components will ask for their script: Panel has no public way to say it.
        bundle = pmui.Page._render_esm(server=True)  # noqa: SLF001
        pn.state.curdoc.template_variables.update(look=look, bundle=bundle)
    main = pn.Row(
        nav, content, sizing_mode="stretch_width", margin=0, styles={"min-height": "calc(100vh - 58px)", **panes.NARROW}
    )
    return pmui.Page(
        header=[bar], main=[main], title="", meta_title=f"{title} · Heliograph", meta_icon="/assets/mark.svg",
        theme_toggle=False, theme_config=THEME, sx=_PAGE_LOOK, busy_indicator="linear", template=_TEMPLATE,
    )  # fmt: skip


def panes_notice(reason: str) -> Markup:
    """What a page shows when what it is about cannot be shown."""
    return Markup('<p class="notice" role="alert">{}</p>').format(reason)


def unreachable(reason: str) -> Markup:
    """What a page shows when its data cannot be had."""
    return panes_notice(
        f"This page could not be loaded ({reason}). The stores may be restarting: reload in a moment, and look at"
        " `heliograph status` if it stays."
    )
