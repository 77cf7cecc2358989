"""The overview: the numbers of a period and how they moved."""

import panel as pn
import panel_material_ui as pmui

from dashboard.components import formats, panes, plots
from dashboard.components.panes import Card
from dashboard.queries import OverviewData, Totals
from dashboard.shell import PageContext, Shell

_GAP = 14


class Overview:
    """View of the overview's data; what to show is in the shell's scope."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.shell = Shell(context)
        self._data: OverviewData | None = None

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = self.shell.scope_controls()
        self.shell.scope.param.watch(self._reload, ["range", "environment"])
        self.shell.bar.param.watch(self._draw, "is_dark")
        return self.shell.page("Overview", self._open)

    async def _open(self) -> None:
        if not await self.context.queries.has_traces():
            await self.shell.show_first_steps()
            return
        await self._load()
        self.shell.offer_environments(list(await self.context.queries.environments(self.shell.scope.period())))

    async def _reload(self, *_: object) -> None:
        await self.shell.guarded(self._load)()

    async def _load(self) -> None:
        scope = self.shell.scope
        self._data = await self.context.queries.overview(scope.period(), scope.environment)
        self._draw()

    def _draw(self, *_: object) -> None:
        if self._data is None:
            return
        data, is_dark = self._data, self.shell.is_dark
        drawn = [
            panes.chart("Traffic", plots.traffic(data.series, is_dark=is_dark)),
            panes.chart("Cost by model", plots.cost_by_model(data.models, is_dark=is_dark)),
            panes.chart("Trace latency", plots.latency(data.latency, is_dark=is_dark)),
            panes.chart("Errors", plots.errors(data.series, is_dark=is_dark)),
        ]
        grid = pn.Column(
            *(
                pn.Row(
                    *drawn[at : at + 2],
                    sizing_mode="stretch_width",
                    margin=(_GAP, 0, 0, 0),
                    styles={"gap": f"{_GAP}px"},
                )
                for at in (0, 2)
            ),
            sizing_mode="stretch_width",
            margin=0,
        )
        self.shell.body[:] = [panes.html(panes.cards(cards(data)), margin=(18, 0, 0, 0)), grid]


def cards(data: OverviewData) -> list[Card]:
    """The cards of the overview's numbers."""
    now, before = data.totals, data.previous
    trend = {
        name: [float(value or 0) for value in data.series[name].to_pylist()] for name in data.series.column_names[1:]
    }
    rates = [
        errors / count if count else 0.0 for errors, count in zip(trend["errors"], trend["observations"], strict=True)
    ]
    p95 = [float(value or 0) for value in data.latency["p95"].to_pylist()]
    return [
        Card("Traces", formats.compact(now.traces), now.traces, before.traces, trend["traces"]),
        Card(
            "Observations",
            formats.compact(now.observations),
            now.observations,
            before.observations,
            trend["observations"],
        ),
        Card("Cost", formats.cost(now.cost), now.cost, before.cost, trend["cost"], is_growth_bad=True),
        Card("Tokens", formats.compact(now.tokens), now.tokens, before.tokens, trend["tokens"]),
        Card(
            "Error rate", formats.percent(now.error_rate), now.error_rate, before.error_rate, rates, is_growth_bad=True
        ),
        Card("Latency p95", formats.duration(now.latency_p95_ms), *_latency(now, before), p95, is_growth_bad=True),
    ]


def _latency(now: Totals, before: Totals) -> tuple[float, float]:
    return now.latency_p95_ms or 0.0, before.latency_p95_ms or 0.0
