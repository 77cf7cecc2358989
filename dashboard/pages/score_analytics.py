"""What many scores say together: how they are distributed and move, and how far two of them agree."""

from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import panes, score_figures
from dashboard.plots import analytics as plots
from dashboard.queries.score_analytics import Analysed
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import ScoreComparison, ScoreList

SOURCES = {"Any source": "", "API": "API", "Evaluator": "EVAL", "Annotation": "ANNOTATION"}
MATCHES = {"The same target": "target", "Anywhere in a trace": "trace"}
NO_TRUTH = "Nothing"
_LOOK: dict[str, Any] = {"size": "small", "margin": (0, 10, 0, 0), "sx": FIELD}
_WRAP = {**panes.GRID, "flex-wrap": "wrap"}
_HALF = {"flex": "1 1 420px", "min-width": "min(400px, 100%)"}


class ScoreAnalyticsView:
    """View of the figures of one score, and of its agreement with another; which is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ScoreComparison()
        self.shell = Shell(context, self.wanted)
        self._found: Analysed | None = None
        self._score = pmui.Select(label="Score", options=[], width=170, **_LOOK)
        self._truth = pmui.Select(label="Compared with, as the truth", options={NO_TRUTH: ""}, width=200, **_LOOK)

    def page(self) -> pmui.Page:
        """The page."""
        of = self.wanted.param
        source = pmui.Select.from_param(of.source, label="Its source", options=SOURCES, width=120, **_LOOK)
        truth_source = pmui.Select.from_param(
            of.truth_source, label="Source of it", options=SOURCES, width=120, **_LOOK
        )
        match = pmui.Select.from_param(of.match, label="About", options=MATCHES, width=160, **_LOOK)
        # The names are known only when the page is loaded, so these two follow by hand.
        self._score.param.watch(lambda event: setattr(self.wanted, "score", event.new or ""), "value")
        self._truth.param.watch(lambda event: setattr(self.wanted, "truth", event.new or ""), "value")
        scope = self.shell.scope_controls()
        self.shell.controls[:] = [*scope, self._score, source, self._truth, truth_source, match]
        self.shell.follow_scope(self._reload)
        self.wanted.param.watch(self._reload, ["score", "source", "truth", "truth_source", "match"])
        self.shell.bar.param.watch(self._draw, "is_dark")
        return self.shell.page("Score analytics", self._open)

    async def _open(self) -> None:
        await self.shell.open(self._load)

    async def _reload(self, *_: object) -> None:
        await self.shell.guarded(self._load)()

    async def _load(self) -> None:
        scope, queries = self.shell.scope, self.context.queries.score_analytics
        period = scope.period()
        known = (await queries.names(period, scope.environment))["name"].to_pylist()
        names = sorted({*known, *filter(None, (self.wanted.score, self.wanted.truth))})
        if not names:
            self.shell.body[:] = [panes.html(score_figures.NO_NAMES, margin=(20, 0))]
            return
        if not self.wanted.score:
            # The most frequent one; choosing it loads the page again.
            self._score.options = names
            self.wanted.score = known[0]
            return
        self._score.param.update(options=names, value=self.wanted.score)
        self._truth.param.update(options={NO_TRUTH: "", **{name: name for name in names}}, value=self.wanted.truth)
        self._found = await queries.analysed(period, scope.environment, self.wanted)
        self._draw()

    def _draw(self, *_: object) -> None:
        found, is_dark = self._found, self.shell.is_dark
        if found is None:
            return
        distribution = plots.distribution_by_version(found.distribution, is_dark=is_dark)
        charts = [
            panes.chart("Mean with 95% interval, by version", plots.trend_by_version(found.trend, is_dark=is_dark)),
            panes.chart("Distribution, by version", distribution),
        ]
        versions = panes.card("Versions", panes.html(score_figures.versions(found.distribution)))
        parts = [_beside(charts), versions, *self._compared(found, is_dark=is_dark), self._link()]
        self.shell.body[:] = [pn.Column(*parts, sizing_mode="stretch_width", margin=(18, 0, 24, 0), styles=panes.GRID)]

    def _compared(self, found: Analysed, *, is_dark: bool) -> list[Any]:
        if found.agreement is None or found.calibration is None:
            return [panes.card("Agreement", panes.html(score_figures.CHOOSE))]
        pair = score_figures.shown_pair(found.agreement)
        if pair is None:
            return [panes.card("Agreement", panes.html(score_figures.NO_PAIRS))]
        charts = []
        if pair.labels:
            kappa = score_figures.estimate(pair.labels.kappa)
            matrix = plots.confusion(pair.labels, truth=self.wanted.truth, judged=self.wanted.score, is_dark=is_dark)
            charts.append(
                panes.chart(f"Confusion matrix: kappa {kappa}, {score_figures.standing(pair.counts)}", matrix)
            )
        if trusted := score_figures.trusted(found.calibration):
            charts.append(
                panes.chart("As judged, and corrected by what people said", plots.estimates(trusted, is_dark=is_dark))
            )
        return [
            _beside(charts),
            panes.card("Agreement", panes.html(score_figures.pairs(found.agreement))),
            panes.card("Calibration against the truth", panes.html(score_figures.calibrations(found.calibration))),
        ]

    def _link(self) -> pn.pane.HTML:
        href = f"/scores{self.shell.address.query(self.shell.scope)}&{ScoreList(score=self.wanted.score).write()}"
        return panes.html(Markup('<p class="quiet"><a href="{}">Each of these scores</a></p>').format(href))


def _beside(charts: list[pmui.Paper]) -> pn.Row:
    for chart in charts:
        chart.styles = _HALF
    return pn.Row(*charts, sizing_mode="stretch_width", margin=0, styles=_WRAP)
