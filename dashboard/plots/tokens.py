"""Plots of tokens; a notebook can call them: `from dashboard.plots.tokens import token_kinds`."""

from bokeh.models import NumeralTickFormatter
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.plots.frames import Frame, frame_of, stacked


def token_kinds(table: Frame, *, is_dark: bool = False, most: int = 5) -> figure:
    """Usage over time, stacked by kind (input, output, cached, …); columns `time` (UTC), `kind`, `tokens`."""
    plot = stacked(frame_of(table), "kind", "tokens", number="0,0", is_dark=is_dark, most=most)
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COUNT)
    return plot
