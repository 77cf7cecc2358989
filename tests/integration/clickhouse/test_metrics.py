"""Figures are compared with what Python computes from the same rows."""

import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest

from heliograph.domain import metrics
from heliograph.domain.errors import InvalidRequest, QueryTooExpensive
from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from storage.clickhouse.metrics.reader import Metrics
from storage.clickhouse.metrics.views import FIRST, SECOND, Generation
from tests import factories
from tests.integration.clickhouse.stored import Stored

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
TWO_DAYS = {"fromTimestamp": MIDNIGHT.isoformat(), "toTimestamp": (MIDNIGHT + 2 * DAY).isoformat()}
Row = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What is stored."""

    project_id: ProjectId
    observations: list[Row]
    traces: list[Row]
    scores: list[Row]


@dataclass(frozen=True)
class World:
    """What is stored, and its reader."""

    reader: Metrics
    observations: list[Row]
    traces: list[Row]
    scores: list[Row]

    async def ask(self, generation: Generation = FIRST, **parts: Any) -> list[Row]:
        query = TWO_DAYS | {"view": "observations"} | parts
        return await self.reader.query(metrics.parse(orjson.dumps(query).decode()), generation)


def _observation(stored: Stored, number: int, chance: random.Random) -> Row:
    start = MIDNIGHT + timedelta(seconds=chance.randrange(2 * 86_400))
    has_cost = chance.random() < 0.7
    costs = [("input", Decimal(chance.randrange(10**9)) / 10**12), ("output_reasoning", Decimal("0.000000000007"))]
    tokens = (chance.randrange(1000), chance.randrange(1000))
    return stored.observation(
        f"t{number % 40}",
        f"o{number}",
        start_time=start,
        end_time=None if number % 17 == 0 else start + timedelta(microseconds=chance.randrange(1, 5_000_000)),
        completion_start_time=start + timedelta(milliseconds=chance.randrange(500)),
        name=chance.choice(["plan", "act", "it's; DROP"]),
        type=chance.choice(["SPAN", "GENERATION"]),
        level=chance.choice(["DEFAULT", "ERROR"]),
        provided_model_name=chance.choice(["", "gpt-5", "claude"]),
        parent_observation_id="" if number % 3 == 0 else "o",
        user_id="own" if number % 40 == 7 else "",
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        total_tokens=sum(tokens),
        usage_details=[("input", tokens[0]), ("output", tokens[1])],
        cost_details=costs if has_cost else [],
        total_cost=sum(cost for _, cost in costs) if has_cost else Decimal(0),
        metadata=[("langfuse.experiment.id", f"e{number % 2}"), ("team", orjson.dumps("blue").decode())],
        input='{"tools":[{"type":"function","function":{"name":"search"}},{"name":"read"}]}' if number % 5 == 0 else "",
        output='[{"role":"assistant","tool_calls":[{"function":{"name":"search"}}]}]' if number % 10 == 0 else "",
    )


@pytest.fixture(scope="module")
def written(columnar: Settings) -> Written:
    """The rows of a project of this module's own, which its tests only read."""
    stored = Stored(columnar)
    chance = random.Random(5)
    observations = [_observation(stored, number, chance) for number in range(400)]
    traces = [
        stored.trace(
            f"t{number}",
            timestamp=MIDNIGHT + timedelta(hours=number % 30),
            name=f"chat {number % 3}",
            user_id=f"user {number % 4}" if number % 5 else "",
            tags=["x", "y"] if number % 2 else [],
            latency_ms=float(number * 10),
            observation_count=10,
            total_cost=Decimal(number) / 1000,
        )
        for number in range(40)
    ]
    scores = [
        stored.score(
            f"s{number}",
            timestamp=MIDNIGHT + timedelta(minutes=number),
            trace_id=f"t{number % 40}",
            observation_id=f"o{number}" if number % 2 else "",
            name=["quality", "tone", "fine"][number % 3],
            data_type=["NUMERIC", "CATEGORICAL", "BOOLEAN"][number % 3],
            value=float(number % 7) if number % 3 == 0 else float(number % 2),
            string_value="warm" if number % 3 == 1 else "",
        )
        for number in range(240)
    ]
    for table, rows in (("observations", observations), ("traces", traces), ("scores", scores)):
        stored.insert(table, *rows)
    # What was replaced counts for nothing.
    stored.insert("observations", *(row | {"row_version": 0, "total_tokens": 10**6} for row in observations[:50]))
    return Written(stored.project_id, observations, traces, scores)


@pytest.fixture
def world(stored: Stored, written: Written) -> World:
    return World(Metrics(stored.clickhouse, written.project_id), written.observations, written.traces, written.scores)


def grouped(rows: list[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def latency(row: Row) -> float | None:
    return None if row["end_time"] is None else (row["end_time"] - row["start_time"]) / timedelta(milliseconds=1)


def metric(measure: str, *aggregations: str) -> list[dict[str, str]]:
    return [{"measure": measure, "aggregation": each} for each in aggregations]


def numpy_percentile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))


async def test_latency_is_aggregated_as_python_does_it(world: World) -> None:
    aggregations = ("sum", "avg", "count", "min", "max", "p50", "p75", "p90", "p95", "p99", "uniq")
    answer = await world.ask(metrics=metric("latency", *aggregations), dimensions=[{"field": "name"}])
    expected = grouped(world.observations, lambda row: row["name"])
    assert {row["name"] for row in answer} == set(expected)
    for row in answer:
        values = [value for each in expected[row["name"]] if (value := latency(each)) is not None]
        assert row["sum_latency"] == pytest.approx(sum(values))
        assert row["avg_latency"] == pytest.approx(statistics.fmean(values))
        assert (row["count_latency"], row["uniq_latency"]) == (str(len(values)), str(len(set(values))))
        assert (row["min_latency"], row["max_latency"]) == (min(values), max(values))
        for share in (50, 75, 90, 95, 99):
            assert row[f"p{share}_latency"] == pytest.approx(numpy_percentile(values, share / 100))


async def test_costs_are_exact_and_sides_are_sums_of_their_types(world: World) -> None:
    (row,) = await world.ask(
        metrics=[*metric("totalCost", "sum"), *metric("inputCost", "sum"), *metric("outputCost", "sum")],
    )
    costs = [dict(each["cost_details"]) for each in world.observations]
    assert row["sum_totalCost"] == float(sum(each["total_cost"] for each in world.observations))
    assert row["sum_inputCost"] == float(sum(each.get("input", Decimal(0)) for each in costs))
    assert row["sum_outputCost"] == float(sum(each.get("output_reasoning", Decimal(0)) for each in costs))


async def test_tokens_and_counts_of_64_bits_are_texts(world: World) -> None:
    answer = await world.ask(
        metrics=[*metric("totalTokens", "sum"), *metric("count", "count")], dimensions=[{"field": "providedModelName"}]
    )
    models = grouped(world.observations, lambda row: row["provided_model_name"] or None)
    assert {row["providedModelName"]: (row["sum_totalTokens"], row["count_count"]) for row in answer} == {
        name: (str(sum(each["total_tokens"] for each in rows)), str(len(rows))) for name, rows in models.items()
    }
    counts = [int(row["sum_totalTokens"]) for row in answer]
    assert counts == sorted(counts, reverse=True)


async def test_speeds_are_tokens_for_each_second(world: World) -> None:
    (row,) = await world.ask(
        metrics=[*metric("outputTokensPerSecond", "avg"), *metric("timeToFirstToken", "avg")],
        filters=[{"type": "string", "column": "type", "operator": "=", "value": "GENERATION"}],
    )
    rows = [each for each in world.observations if each["type"] == "GENERATION"]
    speeds = [each["output_tokens"] / (value / 1000) for each in rows if (value := latency(each)) is not None]
    waits = [(each["completion_start_time"] - each["start_time"]) / timedelta(milliseconds=1) for each in rows]
    assert row["avg_outputTokensPerSecond"] == pytest.approx(statistics.fmean(speeds))
    assert row["avg_timeToFirstToken"] == pytest.approx(statistics.fmean(waits))


async def test_a_histogram_holds_every_value_in_its_bins(world: World) -> None:
    (row,) = await world.ask(metrics=metric("latency", "histogram"), config={"bins": 5})
    bins = row["histogram_latency"]
    values = [value for each in world.observations if (value := latency(each)) is not None]
    assert len(bins) == 5
    assert sum(height for _, _, height in bins) == pytest.approx(len(values))
    assert (bins[0][0], bins[-1][1]) == (min(values), max(values))


async def test_what_an_observation_lacks_its_trace_says(world: World) -> None:
    answer = await world.ask(metrics=metric("count", "count"), dimensions=[{"field": "userId"}])
    users = {each["id"]: each["user_id"] for each in world.traces}
    expected = Counter(each["user_id"] or users[each["trace_id"]] or None for each in world.observations)
    assert {row["userId"]: int(row["count_count"]) for row in answer} == dict(expected)
    (named,) = await world.ask(
        metrics=metric("count", "count"),
        filters=[{"type": "string", "column": "traceName", "operator": "=", "value": "chat 1"}],
    )
    names = {each["id"]: each["name"] for each in world.traces}
    assert int(named["count_count"]) == sum(names[each["trace_id"]] == "chat 1" for each in world.observations)


async def test_scores_of_observations_are_counted(world: World) -> None:
    (row,) = await world.ask(metrics=metric("countScores", "sum"))
    assert int(row["sum_countScores"]) == sum(bool(each["observation_id"]) for each in world.scores)


async def test_the_newer_generation_has_more(world: World) -> None:
    (row,) = await world.ask(
        SECOND,
        metrics=[*metric("uniqueUserIds", "uniq"), *metric("traceId", "uniq")],
        filters=[{"type": "boolean", "column": "isRootObservation", "operator": "=", "value": True}],
    )
    users = {each["id"]: each["user_id"] for each in world.traces}
    roots = [each for each in world.observations if not each["parent_observation_id"]]
    seen = {each["user_id"] or users[each["trace_id"]] for each in roots} - {""}
    assert row == {"uniq_uniqueUserIds": str(len(seen)), "uniq_traceId": str(len({r["trace_id"] for r in roots}))}


async def test_costs_and_usage_are_split_by_type(world: World) -> None:
    costs = await world.ask(SECOND, metrics=metric("costByType", "sum"), dimensions=[{"field": "costType"}])
    details = [dict(each["cost_details"]) for each in world.observations]
    assert {row["costType"]: row["sum_costByType"] for row in costs} == {
        kind: float(sum(each.get(kind, Decimal(0)) for each in details)) for kind in ("input", "output_reasoning")
    }
    usage = await world.ask(SECOND, metrics=metric("usageByType", "sum"), dimensions=[{"field": "usageType"}])
    assert {row["usageType"]: int(row["sum_usageByType"]) for row in usage} == {
        kind: sum(each[f"{kind}_tokens"] for each in world.observations) for kind in ("input", "output")
    }


async def test_tools_are_read_from_inputs_and_outputs(world: World) -> None:
    offered = await world.ask(metrics=metric("count", "count"), dimensions=[{"field": "toolNames"}])
    called = await world.ask(metrics=metric("count", "count"), dimensions=[{"field": "calledToolNames"}])
    assert {row["toolNames"]: row["count_count"] for row in offered} == {"search": "80", "read": "80"}
    assert {row["calledToolNames"]: row["count_count"] for row in called} == {"search": "40"}
    (both,) = await world.ask(metrics=[*metric("toolDefinitions", "sum"), *metric("toolCalls", "sum")])
    assert both == {"sum_toolDefinitions": "160", "sum_toolCalls": "40"}
    with_tool = [{"type": "arrayOptions", "column": "toolNames", "operator": "any of", "value": ["read"]}]
    (filtered,) = await world.ask(metrics=metric("count", "count"), filters=with_tool)
    assert filtered == {"count_count": "80"}


async def test_experiments_are_known_by_their_spans(world: World) -> None:
    answer = await world.ask(
        SECOND,
        metrics=metric("count", "count"),
        dimensions=[{"field": "experimentId"}],
        orderBy=[{"field": "count_count", "direction": "desc"}],
        config={"row_limit": 10},
    )
    assert {row["experimentId"]: row["count_count"] for row in answer} == {"e0": "200", "e1": "200"}


async def test_traces_are_aggregated(world: World) -> None:
    answer = await world.ask(
        view="traces",
        dimensions=[{"field": "name"}],
        metrics=[
            *metric("uniqueUserIds", "uniq", "sum"),
            *metric("latency", "p95"),
            *metric("observationsCount", "sum"),
        ],
    )
    expected = grouped(world.traces, lambda row: row["name"])
    for row in answer:
        rows = expected.pop(row["name"])
        users = [each["user_id"] for each in rows if each["user_id"]]
        assert (row["uniq_uniqueUserIds"], row["sum_uniqueUserIds"]) == (str(len(set(users))), str(len(users)))
        assert row["p95_latency"] == pytest.approx(numpy_percentile([each["latency_ms"] for each in rows], 0.95))
        assert row["sum_observationsCount"] == str(10 * len(rows))
    assert not expected
    tags = await world.ask(view="traces", dimensions=[{"field": "tags"}], metrics=metric("count", "count"))
    assert {tuple(row["tags"]): row["count_count"] for row in tags} == {(): "20", ("x", "y"): "20"}


async def test_scores_of_each_type_have_their_view(world: World) -> None:
    numeric = await world.ask(view="scores-numeric", metrics=metric("value", "avg"), dimensions=[{"field": "name"}])
    numbers = [each["value"] for each in world.scores if each["data_type"] == "NUMERIC"]
    assert numeric == [{"name": "quality", "avg_value": pytest.approx(statistics.fmean(numbers))}]
    categorical = await world.ask(
        view="scores-categorical", metrics=metric("count", "count"), dimensions=[{"field": "stringValue"}]
    )
    assert categorical == [{"stringValue": "warm", "count_count": "80"}]
    boolean = await world.ask(
        view="scores-boolean", metrics=metric("count", "count"), dimensions=[{"field": "booleanValue"}]
    )
    assert {row["booleanValue"]: row["count_count"] for row in boolean} == {True: "40", False: "40"}


async def test_scores_are_grouped_by_what_they_are_on(world: World) -> None:
    answer = await world.ask(
        view="scores-numeric",
        metrics=metric("count", "count"),
        dimensions=[{"field": "traceName"}, {"field": "observationModelName"}],
    )
    traces = {each["id"]: each["name"] for each in world.traces}
    # A score names an observation of its own trace here only where both numbers agree.
    models = {(each["trace_id"], each["id"]): each["provided_model_name"] for each in world.observations}
    expected = Counter(
        (traces[each["trace_id"]], models.get((each["trace_id"], each["observation_id"])) or None)
        for each in world.scores
        if each["data_type"] == "NUMERIC"
    )
    assert {(r["traceName"], r["observationModelName"]): int(r["count_count"]) for r in answer} == dict(expected)


async def test_scores_are_narrowed_by_what_they_are_on(world: World) -> None:
    (row,) = await world.ask(
        view="scores-numeric",
        metrics=metric("count", "count"),
        filters=[{"type": "string", "column": "traceName", "operator": "=", "value": "chat 1"}],
    )
    named = {each["id"] for each in world.traces if each["name"] == "chat 1"}
    scores = [each for each in world.scores if each["data_type"] == "NUMERIC" and each["trace_id"] in named]
    assert len(scores) > len({each["trace_id"] for each in scores})
    assert int(row["count_count"]) == len(scores)


@pytest.mark.parametrize("granularity", ["hour", "day", "week", "month"])
async def test_steps_of_time_are_complete(world: World, granularity: str) -> None:
    answer = await world.ask(
        metrics=metric("count", "count"),
        timeDimension={"granularity": granularity},
        fromTimestamp=(MIDNIGHT - 3 * DAY).isoformat(),
        toTimestamp=(MIDNIGHT + 3 * DAY).isoformat(),
    )
    step = metrics.Granularity(granularity)
    starts = [metrics.start_of_step(step, each["start_time"]) for each in world.observations]
    counts = Counter(metrics.step_label(step, each) for each in starts)
    labels = [metrics.step_label(step, each) for each in metrics.steps(step, MIDNIGHT - 3 * DAY, MIDNIGHT + 3 * DAY)]
    assert [row["time_dimension"] for row in answer] == labels
    assert {row["time_dimension"]: int(row["count_count"]) for row in answer} == {
        label: counts.get(label, 0) for label in labels
    }


async def test_gaps_stay_where_an_order_is_asked_for(world: World) -> None:
    answer = await world.ask(
        metrics=metric("count", "count"),
        timeDimension={"granularity": "day"},
        toTimestamp=(MIDNIGHT + 5 * DAY).isoformat(),
        orderBy=[{"field": "time_dimension", "direction": "desc"}],
    )
    assert [row["time_dimension"] for row in answer] == ["2026-11-21", "2026-11-20"]


async def test_nothing_counts_as_zero(world: World) -> None:
    empty: dict[str, Any] = {"fromTimestamp": "2020-01-01T00:00:00Z", "toTimestamp": "2020-01-02T00:00:00Z"}
    (row,) = await world.ask(
        metrics=[*metric("count", "count"), *metric("latency", "avg", "histogram"), *metric("totalCost", "sum")],
        **empty,
    )
    assert (row["count_count"], row["sum_totalCost"]) == ("0", 0.0)
    over_time = await world.ask(metrics=metric("count", "count"), timeDimension={"granularity": "hour"}, **empty)
    assert [row["count_count"] for row in over_time] == ["0"] * 24


async def test_a_limit_keeps_the_first_of_the_order(world: World) -> None:
    parts: dict[str, Any] = {"metrics": metric("latency", "sum"), "dimensions": [{"field": "traceId"}]}
    order = [{"field": "sum_latency", "direction": "desc"}]
    everything = await world.ask(**parts, orderBy=order)
    assert await world.ask(SECOND, **parts, orderBy=order, config={"row_limit": 3}) == everything[:3]
    assert len(everything) == 40


async def test_metadata_and_lists_of_options_narrow(world: World) -> None:
    (row,) = await world.ask(
        metrics=metric("count", "count"),
        filters=[
            {"type": "stringObject", "column": "metadata", "key": "team", "operator": "=", "value": "blue"},
            {"type": "stringOptions", "column": "name", "operator": "any of", "value": ["it's; DROP"]},
            {"type": "datetime", "column": "startTime", "operator": ">=", "value": (MIDNIGHT + DAY).isoformat()},
        ],
    )
    expected = [e for e in world.observations if e["name"] == "it's; DROP" and e["start_time"] >= MIDNIGHT + DAY]
    assert row["count_count"] == str(len(expected))


@pytest.mark.parametrize(
    ("generation", "parts"),
    [
        (SECOND, {"view": "traces", "metrics": metric("count", "count")}),
        (FIRST, {"metrics": metric("nothing", "count")}),
        (FIRST, {"metrics": metric("costByType", "sum")}),
        (FIRST, {"metrics": metric("count", "count"), "dimensions": [{"field": "project_id"}]}),
        (SECOND, {"metrics": metric("traceId", "sum")}),
        (FIRST, {"metrics": metric("count", "count"), "orderBy": [{"field": "name", "direction": "asc"}]}),
        (
            FIRST,
            {
                "metrics": metric("latency", "histogram"),
                "orderBy": [{"field": "histogram_latency", "direction": "asc"}],
            },
        ),
        (SECOND, {"metrics": metric("count", "count"), "dimensions": [{"field": "userId"}]}),
        (SECOND, {"metrics": metric("count", "count"), "dimensions": [{"field": "id"}], "config": {"row_limit": 10}}),
        (
            SECOND,
            {
                "metrics": metric("count", "count"),
                "dimensions": [{"field": "id"}],
                "config": {"row_limit": 10},
                "orderBy": [{"field": "count_count", "direction": "desc"}],
                "timeDimension": {"granularity": "day"},
            },
        ),
        (SECOND, {"metrics": metric("totalCost", "sum"), "dimensions": [{"field": "costType"}]}),
        (SECOND, {"metrics": metric("costByType", "sum"), "dimensions": [{"field": "usageType"}]}),
        (
            FIRST,
            {
                "metrics": metric("count", "count"),
                "timeDimension": {"granularity": "minute"},
                "fromTimestamp": "2020-01-01T00:00:00Z",
            },
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused(world: World, generation: Generation, parts: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        await world.ask(generation, **parts)


async def test_too_many_groups_are_refused_with_advice(stored: Stored) -> None:
    (row,) = factories.table("observations", [stored.observation("t", "o", start_time=MIDNIGHT)]).to_batches()
    rows = pa.Table.from_batches([row] * 60_000).combine_chunks()
    ids = pa.array([f"o{number}" for number in range(60_000)])
    stored.insert_table("observations", rows.set_column(rows.schema.get_field_index("id"), "id", ids))
    query = TWO_DAYS | {"view": "observations", "metrics": metric("latency", "p95"), "dimensions": [{"field": "id"}]}
    reader = Metrics(stored.clickhouse, stored.project_id)
    with pytest.raises(QueryTooExpensive, match="narrow its time range"):
        await reader.query(metrics.parse(orjson.dumps(query | {"config": {"row_limit": 5}}).decode()), FIRST)
