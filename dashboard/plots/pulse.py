"""Plots of single traces; a notebook can call them: `from dashboard.plots.pulse import pulse`."""

from collections.abc import Callable
from datetime import UTC, datetime

from bokeh.events import SelectionGeometry
from bokeh.models import BoxSelectTool, ColumnDataSource, CustomJSTickFormatter, Range1d
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import ERROR, SERIES
from dashboard.plots.frames import Frame, frame_of, timeline

HEIGHT = 118
_MEASURES = {"latency_ms": formats.AXIS_DURATION, "cost": formats.AXIS_COST}


def pulse(
    table: Frame,
    measure: str,
    span: tuple[datetime, datetime],
    *,
    selected: Callable[[datetime, datetime], None] | None = None,
    is_dark: bool = False,
) -> figure:
    """Each trace as a point over time, those with errors in the colour of errors.

    Args:
        table: columns `time` (UTC), `latency_ms`, `cost` (US dollars) and `level`.
        measure: what is drawn upwards, on a logarithmic scale: `latency_ms` or `cost`.
        span: the time that is shown, aware.
        selected: is told which stretch of time somebody has drawn a box over.
        is_dark: for a dark page.
    """
    frame = frame_of(table)
    frame = frame[frame[measure].fillna(0) > 0]
    frame["colour"] = [ERROR if level == "ERROR" else SERIES[0] for level in frame["level"]]
    plot = timeline(is_dark=is_dark, height=HEIGHT, y_axis_type="log")
    plot.x_range = Range1d(*(each.astimezone(UTC).replace(tzinfo=None) for each in span))
    plot.scatter(
        "time", measure, source=ColumnDataSource(frame), color="colour", size=5, alpha=0.55, line_color=None,
        nonselection_alpha=0.15,
    )  # fmt: skip
    plot.yaxis.formatter = CustomJSTickFormatter(code=_MEASURES[measure])
    if selected is not None:
        tool = BoxSelectTool(dimensions="width")
        plot.add_tools(tool)
        plot.toolbar.active_drag = tool
        plot.on_event(SelectionGeometry, lambda event: _tell(event, selected))
    return plot


def _tell(event: SelectionGeometry, selected: Callable[[datetime, datetime], None]) -> None:
    if event.final and event.geometry["type"] == "rect":
        first, last = (datetime.fromtimestamp(event.geometry[side] / 1000, UTC) for side in ("x0", "x1"))
        selected(first, last)
