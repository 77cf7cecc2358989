from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from heliograph.domain import tables
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Order, Page, equals
from heliograph.domain.identifiers import ObservationId, TraceId
from heliograph.domain.not_found import ObservationNotFound, TraceNotFound
from heliograph.domain.observations import Observation
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT, WITHOUT_OWN
from heliograph.domain.scores import Score
from heliograph.domain.traces import Trace
from storage.clickhouse.column_values import ColumnValues
from storage.clickhouse.freshness import has_events_since
from storage.clickhouse.observations import Observations, Place
from storage.clickhouse.overview import Overview
from storage.clickhouse.scores import Scores
from storage.clickhouse.traces import Traces
from tests import factories
from tests.factories import NOON
from tests.integration.clickhouse.stored import Stored

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("domain", "schema"), [(Trace, tables.TRACES), (Observation, tables.OBSERVATIONS), (Score, tables.SCORES)]
)
def test_domain_fields_are_the_columns_of_the_table(domain: type, schema: pa.Schema) -> None:
    internal = {"placed_at", "row_version", "merge_state"}
    assert {field.name for field in fields(domain)} == set(schema.names) - internal


async def test_a_page_of_traces_is_ordered_and_counted(stored: Stored) -> None:
    stored.insert("traces", *(stored.trace(f"t{n}", timestamp=NOON + timedelta(minutes=n)) for n in range(5)))
    traces = Traces(stored.clickhouse, stored.project_id)

    newest, total = await traces.search_and_count([], Page(2, 2))
    assert (newest["id"].to_pylist(), total) == (["t2", "t1"], 5)
    oldest = await traces.search([], Page(1, 2), Order("timestamp", is_descending=False))
    assert oldest["id"].to_pylist() == ["t0", "t1"]


async def test_a_trace_shows_the_payload_of_its_root_unless_it_has_its_own(stored: Stored) -> None:
    stored.insert(
        "traces",
        stored.trace("of-root", root_observation_id="root"),
        stored.trace("own", root_observation_id="root", input="own input"),
        stored.trace("none"),
    )
    stored.insert(
        "observations",
        stored.observation("of-root", "root", input="root input", output="root output"),
        stored.observation("own", "root", input="other input", output="other output"),
    )
    traces = Traces(stored.clickhouse, stored.project_id)

    page = await traces.with_payloads(await traces.search([], Page(), Order("id", is_descending=False)))
    assert page.select(["id", "input", "output"]).to_pylist() == [
        {"id": "none", "input": "", "output": ""},
        {"id": "of-root", "input": "root input", "output": "root output"},
        {"id": "own", "input": "own input", "output": "other output"},
    ]
    assert (await traces.get(TraceId("own"))).output == "other output"


async def test_what_lies_outside_of_its_trace_is_found_all_the_same(stored: Stored) -> None:
    long_ago = NOON - 400 * DAY
    stored.insert(
        "observations",
        stored.observation("t", "root", start_time=long_ago, input="from long ago"),
        stored.observation("t", "child"),
    )
    page = factories.table("traces", [stored.trace("t", root_observation_id="root", observation_count=2)])
    traces = Traces(stored.clickhouse, stored.project_id)
    observations = Observations(stored.clickhouse, stored.project_id)

    assert (await traces.with_payloads(page))["input"].to_pylist() == ["from long ago"]
    assert await observations.ids_of(page) == {"t": ["root", "child"]}


async def test_a_trace_whose_time_changes_counts_once(stored: Stored) -> None:
    stored.insert("traces", stored.trace("t", timestamp=NOON, placed_at=NOON, total_cost=Decimal("0.1")))
    stored.insert("traces", stored.trace("t", timestamp=NOON - 40 * DAY, placed_at=NOON, total_cost=Decimal("0.2")))
    traces = Traces(stored.clickhouse, stored.project_id)
    assert await traces.count([]) == 1
    assert (await traces.get(TraceId("t"))).total_cost == Decimal("0.2")


async def test_what_does_not_exist_is_not_found(stored: Stored) -> None:
    with pytest.raises(TraceNotFound):
        await Traces(stored.clickhouse, stored.project_id).get(TraceId("absent"))
    with pytest.raises(ObservationNotFound):
        await Observations(stored.clickhouse, stored.project_id).get(ObservationId("absent"))


async def test_pages_of_observations_meet_without_gap_or_repetition(stored: Stored) -> None:
    rows = [
        stored.observation(f"t{n % 7}", f"o{n}", start_time=NOON + timedelta(microseconds=n // 10)) for n in range(50)
    ]
    stored.insert("observations", *rows)
    observations = Observations(stored.clickhouse, stored.project_id)
    columns = ["id", "trace_id", "start_time"]

    seen: list[str] = []
    after = None
    while (page := await observations.newest([], columns, limit=7, after=after)).num_rows:
        seen += page["id"].to_pylist()
        after = Place(**page.slice(page.num_rows - 1).to_pylist()[0])
    assert len(seen) == 50
    assert set(seen) == {row["id"] for row in rows}


async def test_the_outline_of_a_trace_has_no_payloads(stored: Stored) -> None:
    stored.insert(
        "observations",
        stored.observation("t", "second", start_time=NOON + timedelta(seconds=1), input="text"),
        stored.observation("t", "first", input="text"),
        stored.observation("other", "stranger"),
    )
    observations = Observations(stored.clickhouse, stored.project_id)
    outline = await observations.outline_of_trace(TraceId("t"))
    assert outline["id"].to_pylist() == ["first", "second"]
    assert "input" not in outline.column_names
    assert (await observations.of_trace(TraceId("t")))["input"].to_pylist() == ["text", "text"]


async def test_scores_come_with_their_trace(stored: Stored) -> None:
    stored.insert(
        "scores",
        stored.score("s1", trace_id="t"),
        stored.score("s2", trace_id="t", observation_id="o", timestamp=NOON + DAY),
        stored.score("s3", trace_id="u"),
        stored.score("s4", session_id="s"),
    )
    scores = Scores(stored.clickhouse, stored.project_id)
    assert (await scores.of_trace(TraceId("t")))["id"].to_pylist() == ["s1", "s2"]
    counted = [stored.trace("t", score_count=2), stored.trace("u", score_count=1), stored.trace("v")]
    ids = await scores.ids_of(factories.table("traces", counted))
    assert ids == {"t": ["s1", "s2"], "u": ["s3"]}


async def test_the_overview_adds_up_traces_of_the_period(stored: Stored) -> None:
    figures = {"observation_count": 4, "error_count": 1, "total_tokens": 10, "total_cost": Decimal("0.25")}
    stored.insert(
        "traces",
        stored.trace("t1", user_id="ada", **figures),
        stored.trace("t2", timestamp=NOON + 2 * DAY, environment="staging", latency_ms=3000.0, **figures),
        stored.trace("outside", timestamp=NOON + 9 * DAY, **figures),
    )
    stored.insert(
        "observations",
        stored.observation("t1", "a", provided_model_name="gpt-5", total_cost=Decimal("0.2"), level="ERROR"),
        stored.observation("t1", "b", provided_model_name="gpt-4", total_cost=Decimal("0.05")),
        stored.observation("t1", "c"),
    )
    overview = Overview(stored.clickhouse, stored.project_id)
    after, before = NOON - timedelta(hours=1), NOON + 3 * DAY

    (totals,) = (await overview.totals(after, before)).to_pylist()
    assert (totals["traces"], totals["observations"], totals["errors"], totals["cost"]) == (2, 8, 2, 0.5)
    (staging,) = (await overview.totals(after, before, where=[equals("environment", "staging")])).to_pylist()
    assert (staging["traces"], staging["latency_p95_ms"]) == (1, 3000.0)
    over_time = await overview.over_time(after, before, DAY)
    assert over_time["traces"].to_pylist() == [1, 0, 1, 0]
    models = await overview.by_model(after, before)
    assert models.select(["model", "cost", "errors"]).to_pylist() == [
        {"model": "gpt-5", "cost": 0.2, "errors": 1},
        {"model": "gpt-4", "cost": 0.05, "errors": 0},
    ]
    assert (await overview.cost_by_model_over_time(after, before, DAY)).num_rows == 2
    percentiles = await overview.latency_percentiles(after, before, DAY)
    assert percentiles["p95"].to_pylist() == [1000.0, 3000.0]


async def test_an_empty_period_has_zeros_and_no_latency(stored: Stored) -> None:
    overview = Overview(stored.clickhouse, stored.project_id)
    (totals,) = (await overview.totals(NOON, NOON + DAY)).to_pylist()
    assert (totals["traces"], totals["cost"], totals["latency_p95_ms"]) == (0, 0.0, None)


async def test_filters_offer_the_values_that_occur(stored: Stored) -> None:
    stored.insert(
        "traces",
        stored.trace("t1", environment="production", name="chat", tags=["a", "b"]),
        stored.trace("t2", environment="production", user_id="ada", tags=["b"]),
        stored.trace("t3", environment="staging"),
    )
    values = ColumnValues(stored.clickhouse, stored.project_id)
    span: dict[str, Any] = {"after": NOON - DAY, "before": NOON + DAY}
    assert await values.of("traces", "environment", **span) == ["production", "staging"]
    assert await values.of("traces", "name", **span, text="HA") == ["chat"]
    assert await values.of("traces", "userId", **span) == ["ada"]
    assert await values.of("traces", "tags", **span, limit=1) == ["b"]
    with pytest.raises(InvalidRequest):
        await values.of("traces", "latency", **span)


async def test_recent_events_are_noticed(stored: Stored) -> None:
    now = datetime.now(UTC)
    stored.insert("traces", stored.trace("t", updated_at=now))
    assert await has_events_since(stored.clickhouse, now - timedelta(minutes=3))
    assert not await has_events_since(stored.clickhouse, now + timedelta(days=3000))


async def test_filters_offer_the_keys_of_maps_and_what_stands_under_them(stored: Stored) -> None:
    stored.insert(
        "traces",
        stored.trace("t1", metadata=[("tier", '"gold"'), ("turns", "3")], score_labels=[("tone", "rude")]),
        stored.trace("t2", metadata=[("tier", '"gold"')], score_values=[("quality", 0.5)]),
        stored.trace("t3", metadata=[("tier", "silver")]),
    )
    values = ColumnValues(stored.clickhouse, stored.project_id)
    span: dict[str, Any] = {"after": NOON - DAY, "before": NOON + DAY}
    assert await values.keys("traces", "metadata", **span) == ["tier", "turns"]
    assert await values.keys("traces", "scores_avg", **span) == ["quality"]
    assert await values.entries("traces", "metadata", "tier", **span) == ["gold", "silver"]
    assert await values.entries("traces", "score_categories", "tone", **span) == ["rude"]
    assert await values.keys("traces", "metadata", after=NOON + DAY, before=NOON + 2 * DAY) == []
    with pytest.raises(InvalidRequest):
        await values.keys("traces", "name", **span)
    with pytest.raises(InvalidRequest):
        await values.entries("traces", "scores_avg", "quality", **span)


async def test_the_overview_leaves_the_platforms_own_traces_out(stored: Stored) -> None:
    environments = ("default", JUDGES_ENVIRONMENT, "llm-as-a-judge", "langfuse-prompt-experiment")
    stored.insert("traces", *(stored.trace(f"t{at}", environment=each) for at, each in enumerate(environments)))
    overview = Overview(stored.clickhouse, stored.project_id)
    counted = await overview.totals(NOON - DAY, NOON + DAY, where=[WITHOUT_OWN])
    assert counted["traces"].to_pylist() == [2]
    assert (await overview.totals(NOON - DAY, NOON + DAY))["traces"].to_pylist() == [4]
