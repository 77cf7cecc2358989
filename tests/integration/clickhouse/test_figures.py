from datetime import timedelta
from decimal import Decimal

import pytest

from heliograph.domain.filters import Order, Page, equals
from storage.clickhouse.activity import Activity
from storage.clickhouse.overview import Overview
from storage.clickhouse.prompt_usage import PromptUsage
from storage.clickhouse.run_figures import RunFigures
from storage.clickhouse.score_figures import ScoreFigures
from tests import factories
from tests.factories import NOON
from tests.integration.clickhouse.stored import Stored

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def test_sessions_and_users_have_the_figures_of_their_traces(stored: Stored) -> None:
    stored.insert(
        "traces",
        stored.trace("t1", session_id="s1", user_id="ada", total_cost=Decimal("0.5"), total_tokens=10),
        stored.trace("t2", session_id="s1", user_id="bob", timestamp=NOON + MINUTE, error_count=2),
        stored.trace("t3", session_id="s2", user_id="ada", total_cost=Decimal(2), environment="staging"),
        stored.trace("t4"),
    )
    activity = Activity(stored.clickhouse, stored.project_id)

    sessions, total = await activity.sessions([], Page(), Order("totalCost"))
    assert (sessions["subject"].to_pylist(), total) == (["s2", "s1"], 2)
    first = sessions.to_pylist()[1]
    assert (first["trace_count"], first["errors"], first["tokens"], first["cost"]) == (2, 2, 10, 0.5)
    assert (first["users"], first["last_at"]) == (["ada", "bob"], NOON + MINUTE + timedelta(seconds=1))

    users, total = await activity.users([equals("environment", "default")], Page(1, 1), Order("id"))
    assert (users["subject"].to_pylist(), users["session_count"].to_pylist(), total) == (["bob"], [1], 2)


async def test_scores_are_counted_by_name_in_bins_and_over_time(stored: Stored) -> None:
    values = [0.0, 0.1, 0.5, 1.0]
    stored.insert(
        "scores",
        *(
            factories.score(stored.project_id, f"n{at}", value=value, evaluator_version="v1" if at < 2 else "v2")
            for at, value in enumerate(values)
        ),
        *(
            factories.score(
                stored.project_id, f"c{at}", name="tone", data_type="CATEGORICAL", string_value=label, value=0.0
            )
            for at, label in enumerate(["kind", "kind", "rude"])
        ),
    )
    figures = ScoreFigures(stored.clickhouse, stored.project_id)

    names = (await figures.names([])).to_pylist()
    assert [(row["name"], row["n"], row["versions"]) for row in names] == [("quality", 4, 2), ("tone", 3, 0)]
    assert (await figures.histogram([], bins=2)).to_pylist() == [
        {"start": 0.0, "end": 0.5, "n": 2},
        {"start": 0.5, "end": 1.0, "n": 2},
    ]
    assert (await figures.labels([])).to_pylist() == [{"label": "kind", "n": 2}, {"label": "rude", "n": 1}]
    trend = (await figures.trend([], DAY)).to_pylist()
    assert [(row["name"], row["n"], row["mean"]) for row in trend] == [("quality", 4, 0.4)]
    assert trend[0]["deviation"] == pytest.approx(0.4546, abs=1e-4)
    assert [row["version"] for row in (await figures.versions([])).to_pylist()] == ["v1", "v2"]


async def test_equal_scores_make_one_bin_and_none_make_none(stored: Stored) -> None:
    figures = ScoreFigures(stored.clickhouse, stored.project_id)
    assert (await figures.histogram([])).num_rows == 0
    stored.insert("scores", *(factories.score(stored.project_id, f"n{at}", value=3.0) for at in range(3)))
    assert (await figures.histogram([])).to_pylist() == [{"start": 3.0, "end": 4.0, "n": 3}]


async def test_versions_of_a_prompt_are_told_apart_by_use(stored: Stored) -> None:
    used = {"prompt_name": "mail/reply", "total_cost": Decimal("0.25"), "input_tokens": 100}
    stored.insert(
        "observations",
        stored.observation("t1", "o1", **used, prompt_version=1, level="ERROR"),
        stored.observation("t1", "o2", **used, prompt_version=2),
        stored.observation("t2", "o3", **used, prompt_version=2),
        stored.observation("t2", "o4"),
    )
    usage = PromptUsage(stored.clickhouse, stored.project_id)
    newest, oldest = (await usage.by_version("mail/reply", NOON - DAY, NOON + DAY)).to_pylist()
    assert (newest["version"], newest["observations"], newest["traces"], newest["errors"]) == (2, 2, 2, 0)
    assert (oldest["version"], oldest["errors"], oldest["cost"], oldest["input_tokens"]) == (1, 1, 0.25, 100)
    assert oldest["latency_p50_ms"] == 1000
    assert await usage.by_name(["mail/reply", "unused"], NOON - DAY, NOON + DAY) == {"mail/reply": 3}
    assert await usage.by_name(["mail/reply"], NOON + DAY, NOON + 2 * DAY) == {}


async def test_runs_have_the_scores_and_costs_of_their_traces_and_their_own(stored: Stored) -> None:
    stored.insert("traces", *(stored.trace(f"t{at}", total_cost=Decimal(at)) for at in range(3)))
    stored.insert(
        "scores",
        factories.score(stored.project_id, "a", trace_id="t0", value=0.2),
        factories.score(stored.project_id, "b", trace_id="t1", value=0.4),
        factories.score(stored.project_id, "c", trace_id="t2", value=0.9),
        factories.score(stored.project_id, "d", dataset_run_id="second", name="overall", value=0.7),
        factories.score(stored.project_id, "e", trace_id="elsewhere", value=0.0),
    )
    figures = RunFigures(stored.clickhouse, stored.project_id)
    traces = {"first": ["t0", "t1"], "second": ["t2"]}
    scores = [(row["run_id"], row["name"], row["n"], row["mean"]) for row in (await figures.scores(traces)).to_pylist()]
    assert scores == [
        ("first", "quality", 2, pytest.approx(0.3)),
        ("second", "overall", 1, 0.7),
        ("second", "quality", 1, 0.9),
    ]
    told = {row["run_id"]: row["cost"] for row in (await figures.traces(traces)).to_pylist()}
    assert told == {"first": 0.5, "second": 2.0}


async def test_kinds_of_tokens_are_summed_without_their_total(stored: Stored) -> None:
    usage = [("input", 10), ("output", 5), ("total", 15)]
    stored.insert("observations", *(stored.observation("t1", f"o{at}", usage_details=usage) for at in range(2)))
    overview = Overview(stored.clickhouse, stored.project_id)
    found = await overview.token_kinds_over_time(NOON - DAY, NOON + DAY, DAY)
    assert [(row["kind"], row["tokens"]) for row in found.to_pylist()] == [("input", 20), ("output", 10)]


async def test_traces_are_counted_in_bands_of_their_latency(stored: Stored) -> None:
    latencies = (120.0, 150.0, 5_000.0, None)
    stored.insert("traces", *(stored.trace(f"t{at}", latency_ms=each) for at, each in enumerate(latencies)))
    found = (
        await Overview(stored.clickhouse, stored.project_id).latency_bands(NOON - DAY, NOON + DAY, DAY)
    ).to_pylist()
    assert [(round(row["low"]), round(row["high"]), row["traces"]) for row in found] == [(100, 178, 2), (3162, 5623, 1)]
