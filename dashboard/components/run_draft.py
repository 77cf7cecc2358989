"""A new evaluation run: its form, its estimate, and the button that starts it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes, runs
from dashboard.components.run_form import RunForm
from dashboard.shell import PageContext
from dashboard.state import RunDraft, Scope
from pipelines.evaluation_plan import Planned


class RunDrafting:
    """A run is started as it was estimated: what changes in the form needs another estimate.

    Args:
        context: of the page.
        draft: what the form begins with.
        offers: the models that judges can be, by provider.
        link: the query string of links.
        started: is called with the id of a run that has begun.
    """

    def __init__(
        self,
        context: PageContext,
        draft: RunDraft,
        offers: Mapping[str, Sequence[str]],
        *,
        link: str,
        started: Callable[[str], Awaitable[None]],
    ) -> None:
        self._changes, self._started = context.changes.evaluations, started
        suggesting = partial(context.queries.suggestions, scope=Scope(range="30d"))
        self._form = RunForm(draft, offers, link, suggesting=suggesting, changed=self._forget)
        self._estimate, self._said = panes.html(margin=(14, 0, 0, 0)), panes.html()
        look = {"margin": (14, 12, 24, 0)}
        self._ask = pmui.Button(label="Estimate", icon="calculate", variant="outlined", **look)
        self._start = pmui.Button(
            label="Start the run", icon="play_arrow", color="primary", variant="contained", disabled=True, **look
        )
        self._planned: Planned | None = None
        self._ask.on_click(panes.telling(self._said, self._plan))
        self._start.on_click(panes.telling(self._said, self._begin))

    def view(self) -> pn.Column:
        """Form, estimate and buttons."""
        words = panes.html('<h2>New evaluation run</h2><p class="quiet">Nothing is spent before it is started.</p>')
        buttons = pn.Row(self._ask, self._start, sizing_mode="stretch_width", margin=0)
        parts = [words, self._form.view(), self._estimate, self._said, buttons]
        return pn.Column(*parts, sizing_mode="stretch_width", margin=0)

    async def begin(self) -> None:
        """Be ready to be filled in."""
        await self._form.begin()

    def _forget(self) -> None:
        self._planned, self._start.disabled = None, True
        self._estimate.object = ""

    async def _plan(self) -> None:
        self._forget()
        self._planned = planned = await self._changes.plan(self._form.asked())
        self._estimate.object = str(runs.estimate_against(planned.estimate, planned.asked.budget_usd))
        self._start.disabled = not planned.estimate.rows

    async def _begin(self) -> None:
        if self._planned is None:
            return
        self._start.disabled = True
        run = await self._changes.start(self._planned)
        await self._started(run.id)
