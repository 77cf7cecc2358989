"""Plots of what many scores say together, from figures as the analytics answer them."""

from datetime import UTC, datetime, timedelta

import pytest
from bokeh.models import HoverTool, Span

from dashboard.components import score_figures
from dashboard.plots import analytics
from heliograph.domain.score_analytics import (
    Bin,
    Distribution,
    LabelAgreement,
    NumberAgreement,
    PairAgreement,
    Trend,
    TrendPoint,
    VersionDistribution,
)
from heliograph.domain.statistics import NAN, Counts, Estimate

START = datetime(2026, 1, 1, tzinfo=UTC)
HALF = Estimate(0.5, Counts(10, failed=1, skipped=2), 0.25, 0.75)
UNKNOWN = Estimate(NAN, Counts(0))
LABELS = LabelAgreement(
    categories=("False", "True"), cells=((6, 2), (0, 4)), accuracy=HALF, kappa=HALF, linear_kappa=HALF,
    quadratic_kappa=HALF, macro_f1=0.5, by_label=(),
)  # fmt: skip
NUMBERS = NumberAgreement(pearson=UNKNOWN, spearman=UNKNOWN, mean_absolute_error=HALF, bias=HALF, deviation=0.1)


def _version(version: str, **labels: int) -> VersionDistribution:
    return VersionDistribution(
        version=version, data_type="BOOLEAN", mean=HALF, deviation=0.1, minimum=0, median=1, maximum=1, labels=labels,
        first_at=START, last_at=START,
    )  # fmt: skip


def test_a_line_for_each_version_and_a_rule_where_it_was_first_seen() -> None:
    points = tuple(
        TrendPoint(time=START + timedelta(days=day), name="right", version="ab"[day > 1] * 64, mean=HALF)
        for day in range(4)
    )
    plot = analytics.trend_by_version(Trend(points=points))
    assert [item.label.value for item in plot.legend[0].items] == ["aaaaaaaa", "bbbbbbbb"]
    rules = [each.location for each in plot.center if isinstance(each, Span)]
    assert rules == [points[at].time.replace(tzinfo=None) for at in (0, 2)]


def test_versions_of_numbers_are_shares_so_that_they_compare_at_any_count() -> None:
    bins = (
        Bin(version="a", start=0, end=1, n=3),
        Bin(version="a", start=1, end=2, n=1),
        Bin(version="b", start=0, end=1, n=9),
    )
    plot = analytics.distribution_by_version(Distribution(name="x", versions=(), bins=bins))
    assert [list(each.data_source.data["share"]) for each in plot.renderers] == [[0.75, 0.25], [1.0]]


def test_labels_stand_side_by_side_the_most_frequent_first() -> None:
    versions = (_version("a", good=1, bad=3), _version("b", good=9))
    plot = analytics.distribution_by_version(Distribution(name="x", versions=versions, bins=()))
    assert [list(each.data_source.data["label"]) for each in plot.renderers] == [["good", "bad"]] * 2
    assert [list(each.data_source.data["share"]) for each in plot.renderers] == [[0.25, 0.75], [1.0, 0.0]]


def test_a_confusion_matrix_has_the_truth_in_rows() -> None:
    plot = analytics.confusion(LABELS, truth="people", judged="@judge")
    cells = plot.renderers[0].data_source.data
    assert [(cells["first"][at], cells["second"][at], cells["n"][at]) for at in range(4)] == [
        ("False", "False", 6), ("False", "True", 2), ("True", "False", 0), ("True", "True", 4),
    ]  # fmt: skip
    assert list(cells["share"]) == [0.75, 0.25, 0.0, 1.0]
    assert (plot.yaxis.axis_label, plot.xaxis.axis_label) == ("people", "@judge")
    assert plot.select_one(HoverTool).tooltips[1][0] == "@@judge"


def test_figures_without_a_value_are_left_out() -> None:
    plot = analytics.estimates({"as judged": HALF, "corrected": UNKNOWN})
    assert list(plot.renderers[0].data_source.data["name"]) == ["as judged"]


@pytest.mark.parametrize("is_dark", [True, False])
def test_nothing_to_draw_is_an_empty_plot(is_dark: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert analytics.trend_by_version(Trend(points=()), is_dark=is_dark).renderers == []
    nothing = Distribution(name="x", versions=(), bins=())
    assert analytics.distribution_by_version(nothing, is_dark=is_dark).renderers == []


def test_every_figure_says_on_how_many_it_stands() -> None:
    assert score_figures.standing(HALF.counts) == "n 10, failed 1, skipped 2"
    assert (score_figures.estimate(HALF), score_figures.estimate(UNKNOWN)) == ("0.5 [0.25, 0.75]", "–")
    pair = PairAgreement(
        first_version="", second_version="c" * 64, mixes_versions=False, counts=HALF.counts, labels=LABELS,
        numbers=NUMBERS,
    )  # fmt: skip
    row = score_figures.pair_row(pair)
    assert row[:3] == ["none", "cccccccc", "n 10, failed 1, skipped 2"]


def _trend(*means: Estimate) -> Trend:
    days = (START + timedelta(days=day) for day in range(len(means)))
    points = (TrendPoint(time=at, name="right", version="", mean=mean) for at, mean in zip(days, means, strict=True))
    return Trend(points=tuple(points))


def test_an_interval_below_zero_is_seen() -> None:
    wide = Estimate(0.1, Counts(20), -0.5, 0.7)
    assert analytics.trend_by_version(_trend(wide)).y_range.start < -0.5


def test_the_interval_of_two_scores_does_not_set_the_scale_and_ends_at_the_edge() -> None:
    vague = Estimate(0.6, Counts(2), -8.0, 9.0)
    plot = analytics.trend_by_version(_trend(HALF, vague))
    assert plot.y_range.start == 0
    assert 0.75 < plot.y_range.end < 1
    drawn = plot.renderers[0].data_source.data
    assert (list(drawn["drawn_high"]), list(drawn["high"])) == ([0.75, plot.y_range.end], [0.75, 9.0])
