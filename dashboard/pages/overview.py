"""The overview: the numbers of a period and how they moved."""

import panel as pn
import panel_material_ui as pmui

from dashboard.components import formats, panes
from dashboard.components.panes import Card
from dashboard.plots import cost, latency, scores, tokens, traffic
from dashboard.queries.overview import Figures, Numbers, Totals
from dashboard.shell import PageContext, Shell


class Overview:
    """View of the overview's numbers and figures; what to show is in the shell's scope."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.shell = Shell(context)
        self._cards = panes.html(margin=(18, 0, 0, 0))
        self._charts = pn.Column(panes.loading(), sizing_mode="stretch_width", margin=0)
        self._numbers: Numbers | None = None
        self._figures: Figures | None = None

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = [*self.shell.scope_controls(), self.shell.own_switch()]
        self.shell.follow_scope(self._reload)
        self.shell.bar.param.watch(self._draw, "is_dark")
        return self.shell.page("Overview", self._load_figures, first=self._open)

    async def _open(self) -> None:
        await self.shell.open(self._load_numbers)

    async def _reload(self, *_: object) -> None:
        await self.shell.guarded(self._load)()

    async def _load(self) -> None:
        await self._load_numbers()
        await self._load_figures()

    async def _load_numbers(self) -> None:
        scope = self.shell.scope
        asked = scope.write()
        numbers = await self.context.queries.overview.numbers(scope)
        # A slower answer to an older question must not overwrite the newer one.
        if asked == scope.write():
            self._numbers = numbers
            self._cards.object = str(panes.cards(cards(numbers)))
            self.shell.body[:] = [self._cards, self._charts]

    async def _load_figures(self) -> None:
        """Ask for what is drawn only when the numbers, which are read first, are there: it keeps the stores busy."""
        scope = self.shell.scope
        asked = scope.write()
        figures = await self.context.queries.overview.figures(scope)
        if asked == scope.write():
            self._figures = figures
            self._draw()

    def _draw(self, *_: object) -> None:
        if self._numbers is None or self._figures is None:
            return
        charts = drawn(self._numbers, self._figures, is_dark=self.shell.is_dark)
        self._charts[:] = [
            pn.Row(*charts[at : at + 2], sizing_mode="stretch_width", margin=(14, 0, 0, 0), styles=panes.GRID)
            for at in range(0, len(charts), 2)
        ]


def drawn(numbers: Numbers, figures: Figures, *, is_dark: bool) -> list[pmui.Paper]:
    """The charts in the order in which they are read."""
    return [
        panes.chart("Traffic", traffic.traffic(numbers.series, is_dark=is_dark)),
        panes.chart("Cost by model", cost.cost_by_model(figures.models, is_dark=is_dark)),
        panes.chart("Trace latency", latency.latency(numbers.latency, is_dark=is_dark)),
        panes.chart("How traces spread over latencies", latency.latency_heat_map(figures.bands, is_dark=is_dark)),
        panes.chart("Errors", traffic.errors(numbers.series, is_dark=is_dark)),
        panes.chart("Tokens by kind", tokens.token_kinds(figures.tokens, is_dark=is_dark)),
        panes.chart(
            "Scores, with 95% intervals", scores.score_trend(figures.scores, figures.versions, is_dark=is_dark)
        ),
        panes.chart("Users who cost most", cost.top_costs(figures.users, is_dark=is_dark)),
    ]


def cards(numbers: Numbers) -> list[Card]:
    """The cards of the overview's numbers."""
    now, before = numbers.totals, numbers.previous
    trend = {
        name: [float(value or 0) for value in numbers.series[name].to_pylist()]
        for name in numbers.series.column_names[1:]
    }
    rates = [
        errors / count if count else 0.0 for errors, count in zip(trend["errors"], trend["observations"], strict=True)
    ]
    p95 = [float(value or 0) for value in numbers.latency["p95"].to_pylist()]
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
