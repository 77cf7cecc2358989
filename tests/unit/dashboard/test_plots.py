from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from bokeh.models import GlyphRenderer, HoverTool

from dashboard.components import plots

TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
SERIES = pa.table({"time": TIMES, "traces": [1, 2, 3, 4], "observations": [4, 5, 6, 7], "errors": [0, 1, 0, 2]})


def _column(renderer: GlyphRenderer, name: str) -> list[float]:
    return [float(value) for value in renderer.data_source.data[name]]


def test_traffic_draws_traces_and_observations() -> None:
    plot = plots.traffic(SERIES)
    assert [line.glyph.y for line in plot.renderers] == ["observations", "traces"]
    assert _column(plot.renderers[0], "traces") == [1, 2, 3, 4]


def test_frames_of_pandas_are_taken_as_well_as_arrow() -> None:
    assert _column(plots.errors(SERIES.to_pandas()).renderers[0], "errors") == [0, 1, 0, 2]


def test_bars_are_a_little_narrower_than_the_bucket() -> None:
    assert plots.errors(SERIES).renderers[0].glyph.width == pytest.approx(0.8 * 3_600_000)


def test_cost_is_stacked_with_the_dearest_models_first_and_the_rest_as_one() -> None:
    rows = [(at, f"model {number}", float(number)) for at in TIMES for number in range(1, 9)]
    frame = pd.DataFrame(rows, columns=["time", "model", "cost"])
    plot = plots.cost_by_model(frame, most=2)
    assert [item.label.value for item in plot.legend[0].items] == ["model 8", "model 7", "other"]
    assert _column(plot.renderers[2], "model_2") == [21.0] * 4


def test_names_of_models_cannot_reach_into_the_tooltip() -> None:
    frame = pd.DataFrame({"time": TIMES, "model": "@cost{safe}", "cost": 1.0})
    tips = plots.cost_by_model(frame).select_one(HoverTool).tooltips
    assert tips[1] == ("@@cost{safe}", "@model_0{$0,0.0000}")


@pytest.mark.parametrize("draw", [plots.traffic, plots.errors, plots.latency, plots.cost_by_model])
def test_nothing_to_draw_is_an_empty_plot(draw: plots.Plot) -> None:
    empty = pd.DataFrame(
        {name: [] for name in ("time", "traces", "observations", "errors", "model", "cost", "p50", "p95")}
    )
    assert draw(empty, is_dark=True) is not None


def test_sparkline_spans_its_box() -> None:
    assert 'points="0.0,30.0 60.0,17.0 120.0,4.0"' in plots.sparkline([0, 1, 2])
    assert plots.sparkline([1]) == ""
