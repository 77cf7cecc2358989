"""The scores of a period: how they moved, how they are distributed, and each of them."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import details, formats, panes, tables
from dashboard.components.listing import Listing
from dashboard.plots import scores as plots
from dashboard.queries.scores import ScorePage
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenTrace, ScoreComparison, ScoreList

COLUMNS = [
    {"field": "timestamp", "title": "Time (UTC)"},
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "value", "title": "Value", "align": "right"},
    {"field": "data_type", "title": "Type"},
    {"field": "source", "title": "Source"},
    {"field": "about", "title": "About"},
    {"field": "environment", "title": "Environment"},
    {"field": "version", "title": "Evaluator"},
    {"field": "comment", "title": "Comment"},
]
ANY_NAME = "All names"
SOURCES = {"Any source": "", "API": "API", "Evaluator": "EVAL", "Annotation": "ANNOTATION"}
KINDS = {
    "Any type": "", "Number": "NUMERIC", "True or false": "BOOLEAN", "Category": "CATEGORICAL", "Text": "TEXT",
    "Correction": "CORRECTION",
}  # fmt: skip


class ScoreTable:
    """View of the scores of a period; what is wanted is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ScoreList()
        self.shell = Shell(context, self.wanted)
        self.listing = Listing(self.wanted, COLUMNS, noun="scores", caption=f"Scores of {context.project.name}")
        self.charts = pn.Row(sizing_mode="stretch_width", margin=(18, 0, 0, 0), styles=panes.GRID)
        self._found: ScorePage | None = None

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = [*self.shell.scope_controls("evaluator"), *self._filters()]
        self.shell.body[:] = [self.charts, self.listing.view()]
        refilter = self.listing.follow(self.shell.guarded(self._load), ["score", "source", "kind"])
        self.shell.follow_scope(refilter)
        self.shell.bar.param.watch(self._draw, "is_dark")
        return self.shell.page("Scores", self._open)

    def _filters(self) -> list[Any]:
        look = {"size": "small", "margin": (0, 12, 0, 0), "sx": FIELD}
        self._name = pmui.Select(label="Name", options={ANY_NAME: ""}, value="", width=200, **look)
        self._name.param.watch(lambda event: setattr(self.wanted, "score", event.new), "value")
        source = pmui.Select.from_param(self.wanted.param.source, label="Source", options=SOURCES, width=140, **look)
        kind = pmui.Select.from_param(self.wanted.param.kind, label="Type", options=KINDS, width=150, **look)
        self._analytics = pmui.Button(
            label="Analytics", icon="insights", href=f"/score-analytics{self.shell.bar.query}", variant="outlined",
            margin=0, sx=FIELD,
        )  # fmt: skip
        return [self._name, source, kind, self._analytics]

    async def _open(self) -> None:
        await self.shell.open(self._load)

    async def _load(self) -> None:
        scope = self.shell.scope
        found = await self.context.queries.scores.page(scope, self.wanted)
        self._found = found
        compared = ScoreComparison(score=self.wanted.score).write()
        self._analytics.href = f"/score-analytics{self.shell.address.query(scope)}&{compared}"
        names = sorted({*found.names["name"].to_pylist(), *([self.wanted.score] if self.wanted.score else [])})
        self._name.param.update(options={ANY_NAME: "", **{name: name for name in names}}, value=self.wanted.score)
        link = self.shell.address.query(scope)
        rows = [_row(record, link) for record in found.listed.rows.to_pylist(maps_as_pydicts="lossy")]
        self.listing.show(rows, found.listed.total)
        self._draw()

    def _draw(self, *_: object) -> None:
        found, is_dark = self._found, self.shell.is_dark
        if found is None:
            return
        trend = plots.score_trend(found.trend, found.versions, is_dark=is_dark)
        self.charts[:] = [panes.chart("Mean with 95% interval", trend), self._distribution(found, is_dark=is_dark)]

    def _distribution(self, found: ScorePage, *, is_dark: bool) -> pmui.Paper:
        if not self.wanted.score:
            return panes.card("By name", panes.html(tables.score_names(found.names)))
        if found.labels.num_rows:
            return panes.chart("Distribution", plots.score_labels(found.labels, is_dark=is_dark))
        return panes.chart("Distribution", plots.score_histogram(found.histogram, is_dark=is_dark))


def _row(record: dict[str, Any], link: str) -> dict[str, Any]:
    about = "run" if record["dataset_run_id"] else "session" if record["session_id"] else "trace"
    opened = OpenTrace(trace=record["trace_id"], observation=record["observation_id"])
    return {
        "href": f"/trace{link}&{opened.write()}" if record["trace_id"] else "",
        "timestamp": formats.moment(record["timestamp"]),
        "name": record["name"],
        "value": details.score_value(record),
        "data_type": record["data_type"].lower(),
        "source": record["source"].lower(),
        "about": "observation" if record["observation_id"] else about,
        "environment": record["environment"],
        "version": record["evaluator_version"][:8],
        "comment": record["comment"],
    }
