"""Plots of cost; a notebook can call them: `from dashboard.plots.cost import cost_by_model`."""

from bokeh.models import ColumnDataSource, CustomJSTickFormatter, HoverTool
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import SERIES
from dashboard.plots.frames import Frame, blank, frame_of, short, stacked


def cost_by_model(table: Frame, *, is_dark: bool = False, most: int = 6) -> figure:
    """Cost over time, stacked by model, the cheaper ones as one; columns `time` (UTC), `model`, `cost` (US dollars)."""
    plot = stacked(frame_of(table), "model", "cost", number="$0,0.0000", is_dark=is_dark, most=most)
    plot.yaxis.formatter = CustomJSTickFormatter(code=formats.AXIS_COST)
    return plot


def top_costs(table: Frame, *, is_dark: bool = False, most: int = 8) -> figure:
    """Who costs most, the dearest on top; columns `subject` (a text), `cost` (US dollars), `trace_count`."""
    frame = frame_of(table).sort_values("cost", ascending=False).head(most)
    names = [str(name) for name in frame["subject"]]
    # Bars stand at places of their own, since two shortened names may be the same.
    places = [float(len(names) - index) for index in range(len(names))]
    costs, traces = frame["cost"].tolist(), frame["trace_count"].tolist()
    texts = [formats.cost(value) for value in costs]
    source = ColumnDataSource({"place": places, "cost": costs, "name": names, "text": texts, "traces": traces})
    plot = blank(is_dark=is_dark, x_range=(0, (max(costs, default=0) or 1) * 1.05), y_range=(0.3, len(names) + 0.7))
    bars = plot.hbar(y="place", right="cost", height=0.66, source=source, color=SERIES[0], line_width=0)
    plot.yaxis.ticker = places
    plot.yaxis.major_label_overrides = {
        place: short(name, 18) for place, name in zip(map(int, places), names, strict=True)
    }
    plot.ygrid.grid_line_color = None
    plot.xaxis.ticker.desired_num_ticks = 4
    plot.xaxis.formatter = CustomJSTickFormatter(code=formats.AXIS_COST)
    tips = [("", "@name"), ("cost", "@text"), ("traces", "@traces{0,0}")]
    plot.add_tools(HoverTool(renderers=[bars], tooltips=tips))
    return plot
