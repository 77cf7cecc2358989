"""Plots of cost; a notebook can call them: `from dashboard.plots.cost import cost_by_model`."""

from bokeh.models import CustomJSTickFormatter
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.plots.frames import Frame, frame_of, stacked
from dashboard.plots.ranking import ranking


def cost_by_model(table: Frame, *, is_dark: bool = False, most: int = 6) -> figure:
    """Cost over time, stacked by model, the cheaper ones as one; columns `time` (UTC), `model`, `cost` (US dollars)."""
    plot = stacked(frame_of(table), "model", "cost", number="$0,0.0000", is_dark=is_dark, most=most)
    plot.yaxis.formatter = CustomJSTickFormatter(code=formats.AXIS_COST)
    return plot


def top_costs(table: Frame, *, is_dark: bool = False, most: int = 8) -> figure:
    """Who costs most, the dearest on top; columns `subject` (a text), `cost` (US dollars), `trace_count`."""
    frame = frame_of(table).sort_values("cost", ascending=False).head(most)
    names, costs = [str(name) for name in frame["subject"]], frame["cost"].tolist()
    tips = [("cost", list(map(formats.cost, costs))), ("traces", list(map(formats.count, frame["trace_count"])))]
    return ranking(names, costs, tips, axis=CustomJSTickFormatter(code=formats.AXIS_COST), is_dark=is_dark)
