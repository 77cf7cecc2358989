from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from bokeh.models import GlyphRenderer, HoverTool, Span

from dashboard.components.sparkline import sparkline
from dashboard.plots import cost, latency, scores, tokens, traffic
from dashboard.plots.frames import Plot

COLUMNS = (
    *("time", "traces", "observations", "errors", "model", "cost", "p50", "p95", "kind", "tokens", "subject"),
    *("trace_count", "name", "n", "mean", "deviation", "start", "end", "label", "low", "high"),
)
TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
SERIES = pa.table({"time": TIMES, "traces": [1, 2, 3, 4], "observations": [4, 5, 6, 7], "errors": [0, 1, 0, 2]})


def _column(renderer: GlyphRenderer, name: str) -> list[float]:
    return [float(value) for value in renderer.data_source.data[name]]


def test_traffic_draws_traces_and_observations() -> None:
    plot = traffic.traffic(SERIES)
    assert [line.glyph.y for line in plot.renderers] == ["observations", "traces"]
    assert _column(plot.renderers[0], "traces") == [1, 2, 3, 4]


def test_frames_of_pandas_are_taken_as_well_as_arrow() -> None:
    assert _column(traffic.errors(SERIES.to_pandas()).renderers[0], "errors") == [0, 1, 0, 2]


def test_bars_are_a_little_narrower_than_the_bucket() -> None:
    assert traffic.errors(SERIES).renderers[0].glyph.width == pytest.approx(0.8 * 3_600_000)


def test_cost_is_stacked_with_the_dearest_models_first_and_the_rest_as_one() -> None:
    rows = [(at, f"model {number}", float(number)) for at in TIMES for number in range(1, 9)]
    frame = pd.DataFrame(rows, columns=["time", "model", "cost"])
    plot = cost.cost_by_model(frame, most=2)
    assert [item.label.value for item in plot.legend[0].items] == ["model 8", "model 7", "other"]
    assert _column(plot.renderers[2], "model_2") == [21.0] * 4


def test_names_of_models_cannot_reach_into_the_tooltip() -> None:
    frame = pd.DataFrame({"time": TIMES, "model": "@cost{safe}", "cost": 1.0})
    tips = cost.cost_by_model(frame).select_one(HoverTool).tooltips
    assert tips[1] == ("@@cost{safe}", "@model_0{$0,0.0000}")


@pytest.mark.parametrize(
    "draw",
    [
        traffic.traffic, traffic.errors, latency.latency, cost.cost_by_model, cost.top_costs, tokens.token_kinds,
        scores.score_trend, scores.score_histogram, scores.score_labels, latency.latency_heat_map,
    ],
)  # fmt: skip
def test_nothing_to_draw_is_an_empty_plot(draw: Plot) -> None:
    empty = pd.DataFrame({name: [] for name in COLUMNS})
    assert draw(empty, is_dark=True) is not None


def test_nobody_who_cost_anything_is_an_empty_plot_whatever_else_is_known_of_users() -> None:
    moment = pa.timestamp("us", "UTC")
    kinds = {"subject": pa.string(), "cost": pa.decimal128(38, 12), "trace_count": pa.uint64(), "last_seen": moment}
    assert cost.top_costs(pa.table({name: pa.array([], kind) for name, kind in kinds.items()})) is not None


def test_latencies_that_more_traces_took_are_stronger_in_the_heat_map() -> None:
    bands = pa.table({"time": TIMES[:2], "low": [100.0, 1000.0], "high": [178.0, 1778.0], "traces": [25, 100]})
    cells = latency.latency_heat_map(bands).renderers[0]
    assert _column(cells, "strength") == pytest.approx([0.56, 1.0])
    assert list(cells.data_source.data["band"]) == ["100 ms – 178 ms", "1.00 s – 1.78 s"]


def test_sparkline_spans_its_box() -> None:
    assert 'points="0.0,30.0 60.0,17.0 120.0,4.0"' in sparkline([0, 1, 2])
    assert sparkline([1]) == ""


def test_scores_are_drawn_with_their_95_percent_interval_and_a_rule_at_each_new_version() -> None:
    table = pa.table(
        {"time": TIMES, "name": ["helpful"] * 4, "n": [100] * 4, "mean": [0.5] * 4, "deviation": [0.1, 0.1, 0.1, 0.0]}
    )
    plot = scores.score_trend(table, pa.table({"time": TIMES[:2]}))
    ribbon = plot.renderers[0]
    assert _column(ribbon, "low") == pytest.approx([0.4804, 0.4804, 0.4804, 0.5])
    assert _column(ribbon, "high")[0] == pytest.approx(0.5196)
    assert len(plot.select(Span)) == 2


def test_users_who_cost_most_are_on_top_whatever_they_are_called() -> None:
    table = pa.table({"subject": ["@low", "high" * 20], "cost": [0.0000058, 2.0], "trace_count": [3, 1]})
    plot = cost.top_costs(table)
    assert plot.renderers[0].data_source.data["tip_0"] == ["$2.00", "$0.0000058"]
    assert plot.yaxis.major_label_overrides[1] == "@low"


def test_kinds_of_tokens_are_stacked_with_the_largest_first() -> None:
    table = pa.table({"time": TIMES[:2], "kind": ["output", "input"], "tokens": [1, 10]})
    assert [item.label.value for item in tokens.token_kinds(table).legend[0].items] == ["input", "output"]


def test_a_mean_below_zero_is_seen() -> None:
    low = pd.DataFrame({"time": TIMES[:1], "name": ["right"], "n": [1], "mean": [-0.5], "deviation": [0.0]})
    assert scores.score_trend(low).y_range.start < -0.5
