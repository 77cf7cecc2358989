"""The bench on which an evaluator is tried on what was traced, before it is kept."""

import asyncio
from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import formats, panes, trials
from dashboard.components.palette import TYPE_COLOURS
from dashboard.components.variable_mapping import VariableMappingForm
from dashboard.components.widgets import DataTable
from dashboard.evaluator_trials import MAX_TARGETS, Trial, Tried
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenTrace, TrialTargets
from heliograph.domain.errors import HeliographError, InvalidRequest
from heliograph.domain.evaluation_jobs import Target
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.project_evaluators import Definition

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "time", "title": "Time (UTC)"},
    {"field": "input", "title": "Input"},
    {"field": "output", "title": "Output"},
    {"field": "model", "title": "Model"},
]
_ABOUT = {"Observations": "observation", "Items of experiments": "experiment", "Traces": "trace"}
_TYPES = {"Any type": "", **{kind.capitalize(): kind for kind in TYPE_COLOURS}}
_LOOK: dict[str, Any] = {"size": "small", "margin": (0, 12, 0, 0), "sx": FIELD}
_PREVIEW = 160


class TrialBench:
    """Chooses targets, tries what is written on them, and shows the verdicts.

    Args:
        context: of the page.
        shell: of the page.
        wanted: which targets are offered.
        written: the name and the definition as they are written now; raises InvalidRequest.
        variables: the variables that are to be filled now.
    """

    def __init__(
        self,
        context: PageContext,
        shell: Shell,
        wanted: TrialTargets,
        *,
        written: Callable[[], tuple[str, Definition]],
        variables: Callable[[], tuple[str, ...]],
    ) -> None:
        self._context, self._shell, self._wanted = context, shell, wanted
        self._written, self._variables = written, variables
        self._targets: dict[str, tuple[Target, str]] = {}
        self._running: asyncio.Task[None] | None = None
        self.mapping = VariableMappingForm()
        self.table = DataTable(
            on_sort=lambda _: None, columns=COLUMNS, caption="What it can be tried on", is_selectable=True,
            empty="Nothing of this kind was traced in this period: widen the period or clear the filters.",
            sizing_mode="stretch_width", margin=(12, 0),
        )  # fmt: skip
        self.run_button = pmui.Button(label="Try it", icon="play_arrow", color="primary", variant="contained", margin=0)
        self.stop_button = pmui.Button(
            label="Stop", icon="stop", variant="outlined", margin=(0, 0, 0, 8), visible=False
        )
        self.said = panes.html(margin=(12, 0, 16, 0))
        self.run_button.on_click(self._on_run)
        self.stop_button.on_click(lambda *_: self._running and self._running.cancel())
        self.table.param.watch(self._count, "selected")
        wanted.param.watch(self._reload, ["about", "kind", "called"])
        shell.scope.param.watch(self._reload, ["range", "environment"])

    def view(self, *beside: Any) -> pmui.Paper:
        """The bench; `beside` stands next to its button."""
        of = self._wanted.param
        about = pmui.Select.from_param(of.about, label="Try it on", options=_ABOUT, width=190, **_LOOK)
        kind = pmui.Select.from_param(of.kind, label="Type", options=_TYPES, width=150, **_LOOK)
        called = pmui.TextInput.from_param(of.called, label="Name contains", width=190, **_LOOK)
        filters = pn.Row(
            about,
            kind,
            called,
            sizing_mode="stretch_width",
            margin=(14, 0, 0, 0),
            styles={"flex-wrap": "wrap", "row-gap": "12px"},
        )
        actions = pn.Row(
            self.run_button,
            self.stop_button,
            *beside,
            sizing_mode="stretch_width",
            margin=0,
            styles={"flex-wrap": "wrap", "row-gap": "10px"},
        )
        return panes.card("Try it on what was traced", self.mapping.view(), filters, self.table, actions, self.said)

    async def load(self) -> None:
        """Offer the newest targets, the first three of them chosen."""
        self.follow()
        found = await self._context.queries.evaluators.candidates(
            self._shell.scope.period(), self._shell.scope.environment, self._wanted
        )
        rows = [self._row(record) for record in plain_rows(found)]
        self._targets = {row["id"]: (row.pop("target"), row["name"]) for row in rows}
        self.table.param.update(rows=rows, selected=[row["id"] for row in rows[:3]], is_busy=False)

    def follow(self) -> None:
        """Ask for what fills the variables that are written now."""
        self.mapping.offer(self._variables(), RuleTarget(self._wanted.about))

    def _row(self, record: dict[str, Any]) -> dict[str, Any]:
        is_trace = self._wanted.about == RuleTarget.TRACE
        trace_id = record["id"] if is_trace else record["trace_id"]
        target = Target(RuleTarget(self._wanted.about), record["id"], trace_id, 0)
        return {
            "id": f"{trace_id}/{record['id']}",
            "href": self._link(trace_id, "" if is_trace else record["id"]),
            "target": target,
            "name": record["name"] or record["id"],
            "time": formats.moment(record["timestamp" if is_trace else "start_time"]),
            "input": (record["input"] or record.get("input_preview") or "")[:_PREVIEW],
            "output": (record["output"] or record.get("output_preview") or "")[:_PREVIEW],
            "model": record.get("provided_model_name") or "",
        }

    def _link(self, trace_id: str, observation_id: str) -> str:
        opened = OpenTrace(trace=trace_id, observation=observation_id)
        return f"/trace{self._shell.address.query(self._shell.scope)}&{opened.write()}"

    async def _reload(self, *_: object) -> None:
        self.table.is_busy = True
        await self._shell.guarded(self.load)()

    def _count(self, *_: object) -> None:
        count = len(self.table.selected)
        self.run_button.param.update(label=f"Try it on {count}" if count else "Try it", disabled=not count)

    async def _on_run(self, *_: object) -> None:
        if self._running and not self._running.done():
            return
        self._running = asyncio.create_task(self._run())
        await asyncio.wait([self._running])

    async def _run(self) -> None:
        # The button stays enabled: browsers send back what they are told, and may do so after the end of a short trial.
        self.stop_button.visible = True
        tried: list[Tried] = []
        chosen = [self._targets[key][0] for key in self.table.selected if key in self._targets]
        self.said.object = '<p class="quiet" role="status">Judging…</p>'
        try:
            if len(chosen) > MAX_TARGETS:
                raise InvalidRequest("targets", f"are {MAX_TARGETS} at most: choose fewer")
            name, definition = self._written()
            async for one in self._context.changes.trials.run(Trial(name, definition, self.mapping.mapping()), chosen):
                tried.append(one)
                self.said.object = str(self._results(tried, len(chosen)))
        except asyncio.CancelledError:
            self.said.object = str(self._results(tried, len(chosen)) + panes.refusal("Stopped."))
        except HeliographError as error:
            self.said.object = str(panes.refusal(str(error)))
        finally:
            self.stop_button.visible = False

    def _results(self, tried: list[Tried], asked: int) -> Markup:
        names = dict(self._targets.values())
        return trials.results(tried, asked, names=lambda target: names.get(target, target.id), link=self._link)
