"""A replay on the real engines: what it changes, what it leaves alone, and that it does so once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from actors.lane import AppendStatus
from heliograph.domain.deletions import SubjectType
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.models import Model, PricingTier
from ingestion import otlp, scores
from ingestion import replay as mapping_again
from ingestion.batch import events, mapping, observations
from ingestion.otlp import MappingContext
from ingestion.project_prices import ProjectPrices
from ingestion.values import to_json
from storage.postgres.lanes import LaneRegistry
from storage.postgres.models import AllModels, Models
from storage.postgres.projects import Projects
from tests.integration.actors.lane_bench import Bench, abandon, append, checkpointed, flushed, running
from tests.integration.actors.test_deletion import delete
from tests.integration.pipelines.replays import ReplayBench
from tests.unit.ingestion import spans

# A dollar for each token of input, two for one of output.
DEAR = Model("", "gpt-4o", "^gpt-4o$", (PricingTier("Standard", {"input": 10**12, "output": 2 * 10**12}),))
SECOND = 10**9


@dataclass
class Replays(ReplayBench):
    """A replay bench whose lane, like its doors, prices with the project's definitions."""

    async def define(self, model: Model) -> None:
        await Models(self.bench.database, self.bench.project_id).create(model)
        await self.prices.refresh()

    @property
    def context(self) -> MappingContext:
        return MappingContext(
            self.bench.project_id, IngestionFacts("pk"), datetime.now(UTC), prices=self.prices.of(self.bench.project_id)
        )

    def calls(
        self, *ids: int, trace: int = 1, model: str = "gpt-4o", tokens: int = 3, start: int = spans.START
    ) -> MappedBatch:
        """Spans that call a model."""
        usage = {"gen_ai.request.model": model, "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": 1}
        found = [
            spans.span(
                usage,
                trace_id=trace.to_bytes(16, "big"),
                span_id=number.to_bytes(8, "big"),
                start_time_unix_nano=start + number,
                end_time_unix_nano=start + number + SECOND,
            )
            for number in ids
        ]
        return otlp.map_export(otlp.decode(spans.export(found, scope=("any", "")), otlp.PROTOBUF), self.context).batch

    def batch(self, *described: tuple[str, str, dict[str, Any]]) -> MappedBatch:
        """Events of batch ingestion: id, type and body."""
        envelopes = [
            {"id": name, "type": kind, "timestamp": "2026-11-24T09:00:00Z", "body": body}
            for name, kind, body in described
        ]
        decoded = events.decode(to_json({"batch": envelopes}).encode())
        return mapping.map_events(decoded.events, self.context)

    async def send(self, *batches: MappedBatch) -> None:
        for batch in batches:
            assert await append(self.lane, batch) is AppendStatus.DURABLE
        await flushed(self.lane)

    def stored(self, table: str = "observations") -> dict[str, dict[str, Any]]:
        query = f"SELECT * FROM {table} FINAL WHERE project_id = {{p:String}}"  # noqa: S608 - a name of ours
        result = self.bench.clickhouse.get().query(query, parameters={"p": self.bench.project_id})
        return {row["id"]: row for row in result.named_results()}

    def costs(self, table: str = "traces") -> dict[str, Decimal]:
        return {name.lstrip("0"): row["total_cost"] for name, row in self.stored(table).items()}


@pytest.fixture
async def replays(owned: Bench) -> AsyncIterator[Replays]:
    await Projects(owned.database).create(owned.project_id, project_id=owned.project_id)
    prices = ProjectPrices(AllModels(owned.database))
    await prices.refresh()
    lane = owned.lane(compose=lambda merged: observations.rows(merged, prices))
    async with running(lane):
        yield Replays(owned, lane, prices=prices)


async def test_a_changed_price_changes_just_the_rows_it_prices_and_their_traces(replays: Replays) -> None:
    await replays.send(
        replays.calls(1, 2), replays.calls(3, model="claude-3-5-haiku-20241022"), replays.calls(4, trace=2)
    )
    before, traces = replays.stored(), replays.stored("traces")
    await replays.define(DEAR)

    trial = await replays.replayed(is_trial=True)
    assert replays.stored() == before
    report = await replays.replayed()

    after = replays.stored()
    changed = {name for name, row in after.items() if row != before[name]}
    assert {name.lstrip("0") for name in changed} == {"1", "2", "4"}
    differing = {key for name in changed for key, value in after[name].items() if value != before[name][key]}
    assert differing == {"model_id", "cost_details", "total_cost"}
    assert replays.costs() == {"1": 10 + after[f"{3:016x}"]["total_cost"], "2": 5}
    assert (
        report.columns
        == trial.columns
        == {f"observations.{name}": 3 for name in ("model_id", "cost_details", "total_cost")}
    )
    assert (report.counts["records"], report.counts["changed"], report.counts["unchanged"]) == (4, 3, 1)
    assert report.counts["written"] == 3
    assert report.cost_before == trial.cost_before == int(sum(row["total_cost"] for row in before.values()).scaleb(12))
    assert report.cost_after == trial.cost_after == int(sum(row["total_cost"] for row in after.values()).scaleb(12))
    assert traces.keys() == replays.stored("traces").keys()


async def test_a_second_replay_changes_nothing(replays: Replays) -> None:
    await replays.send(replays.calls(1, 2), replays.calls(2, tokens=9))
    await replays.define(DEAR)
    await replays.replayed()
    before = replays.stored(), replays.stored("traces")

    report = await replays.replayed()

    assert (replays.stored(), replays.stored("traces")) == before
    assert (report.counts["changed"], report.counts.get("written", 0), report.columns) == (0, 0, {})
    assert report.counts["superseded"] == 1
    assert report.cost_before == report.cost_after == 16 * 10**12


async def test_a_row_in_the_lanes_cache_wins_neither_now_nor_later(replays: Replays) -> None:
    await replays.send(replays.calls(1))
    await replays.define(DEAR)
    await replays.replayed()
    assert replays.costs() == {"1": 5}
    await replays.send(replays.calls(2))
    assert replays.costs() == {"1": 10}


async def test_the_greatest_version_inserted_last_wins_in_every_merge_of_parts(replays: Replays) -> None:
    for number in range(1, 6):
        await replays.send(replays.calls(number))
    await replays.define(DEAR)
    await replays.replayed()
    assert replays.costs() == {"1": 25}
    for table in ("observations", "traces"):
        replays.bench.clickhouse.get().command(f"OPTIMIZE TABLE {table} FINAL")
    assert replays.costs() == {"1": 25}
    assert set(replays.costs("observations").values()) == {Decimal(5)}


async def test_events_during_a_replay_count_as_today_s_mapping_has_them(replays: Replays) -> None:
    await replays.send(replays.calls(1, 2, 3), replays.calls(4, trace=2))
    await replays.define(DEAR)

    async def later() -> None:
        # One span is sent again, one is new, while the part is under way.
        await replays.send(replays.calls(2, tokens=100), replays.calls(9, trace=2))

    replay = await replays.begun()
    report = await replays.replayed(before_part=later)
    assert replay.parts == 1
    assert replays.costs() == {"1": 5 + 5 + 102, "2": 10}
    assert report.counts["superseded"] == 1


async def test_what_changes_between_finding_and_storing_is_left_alone(replays: Replays) -> None:
    await replays.send(replays.calls(1, 2), replays.calls(3, trace=2), replays.calls(4, trace=3))
    await replays.define(DEAR)

    async def later() -> None:
        _, tombstone = await delete(replays.bench, SubjectType.TRACE, f"{2:032x}")
        await replays.send(replays.calls(2, tokens=100), tombstone)

    report = await replays.replayed(before_storing=later)

    assert replays.costs() == {"1": 5 + 102, "3": 5}
    assert report.counts["newer"] == 1
    assert f"{3:016x}" not in replays.stored()


async def test_what_was_lost_is_stored_again_and_what_was_deleted_is_not(replays: Replays) -> None:
    await replays.send(replays.calls(1), replays.calls(2, trace=2), replays.calls(3, trace=3))
    _, tombstone = await delete(replays.bench, SubjectType.TRACE, f"{3:032x}")
    await replays.send(tombstone)
    # Else the lane that follows merges the last segments again.
    await checkpointed(replays.lane)
    before = replays.stored()
    for table in ("observations", "traces"):
        deleting = f"DELETE FROM {table} WHERE project_id = {{p:String}}"  # noqa: S608 - two names of ours
        replays.bench.clickhouse.get().command(deleting, parameters={"p": replays.bench.project_id})
    await abandon(replays.lane)
    async with running(replays.bench.lane()) as replays.lane:
        report = await replays.replayed()
        assert {name: row["row_version"] for name, row in replays.stored().items()} == {
            name: row["row_version"] for name, row in before.items()
        }
        assert report.counts["added"] == 2


async def test_observations_in_parts_are_composed_anew(replays: Replays) -> None:
    trace = f"{1:032x}"
    created = ("e1", "generation-create", {"id": "g", "traceId": trace, "model": "gpt-4o", "input": "hello"})
    counted = ("e2", "generation-update", {"id": "g", "traceId": trace, "usage": {"input": 3, "output": 1}})
    named = ("e3", "trace-create", {"id": trace, "name": "chat", "input": "asked"})
    await replays.send(replays.batch(created), replays.batch(counted, named), replays.calls(7))
    before = replays.stored()["g"]
    await replays.define(DEAR)

    trial = await replays.replayed(is_trial=True)
    assert replays.stored()["g"] == before
    report = await replays.replayed()

    after = replays.stored()["g"]
    assert {key for key, value in after.items() if value != before[key]} == {"model_id", "cost_details", "total_cost"}
    assert replays.costs() == {"1": 10}
    assert report.columns == trial.columns
    assert report.columns["observations.total_cost"] == 2
    assert (await replays.replayed()).counts["changed"] == 0


async def test_an_event_on_a_whole_span_is_merged_onto_what_the_span_is_today(replays: Replays) -> None:
    span, trace = f"{1:016x}", f"{1:032x}"
    await replays.send(replays.calls(1))
    await replays.send(replays.batch(("e1", "span-update", {"id": span, "traceId": trace, "output": "done"})))
    await replays.define(DEAR)
    await replays.replayed()
    assert replays.stored()[span]["output"] == "done"
    assert replays.costs() == {"1": 5}
    assert (await replays.replayed()).counts["changed"] == 0


async def test_what_is_too_large_for_a_row_is_no_difference(replays: Replays) -> None:
    trace, large = f"{1:032x}", "long " * 80_000
    begun = {"id": "g", "traceId": trace, "model": "gpt-4o", "input": large, "usage": {"input": 3, "output": 1}}
    whole = spans.span(
        {"langfuse.observation.input": large, "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3},
        trace_id=(1).to_bytes(16, "big"),
    )
    sent = otlp.map_export(otlp.decode(spans.export([whole]), otlp.PROTOBUF), replays.context).batch
    await replays.send(sent, replays.batch(("e1", "generation-create", begun)))
    before = replays.stored()
    assert all(len(row["input"]) < 10_000 for row in before.values())
    assert (await replays.replayed()).counts["changed"] == 0
    await replays.define(DEAR)
    await replays.replayed()
    assert {name: row["input"] for name, row in replays.stored().items()} == {n: r["input"] for n, r in before.items()}
    assert replays.costs() == {"1": 8}


async def test_scores_that_map_as_before_are_left_alone(replays: Replays) -> None:
    bodies = scores.decode(f'{{"id":"s","traceId":"{1:032x}","name":"q","value":1}}'.encode()).bodies
    await replays.send(replays.calls(1), scores.map_scores(bodies, replays.context))
    before = replays.stored("scores")
    report = await replays.replayed()
    assert replays.stored("scores") == before
    assert (report.counts["unchanged"], report.counts["changed"]) == (2, 0)


async def test_a_span_sent_again_with_another_start_time_is_found_where_it_lies(replays: Replays) -> None:
    month = 31 * 86_400 * SECOND
    await replays.send(replays.calls(1), replays.calls(1, start=spans.START + 2 * month, tokens=7))
    (before,) = replays.stored().values()
    await replays.define(DEAR)
    report = await replays.replayed()
    (after,) = replays.stored().values()
    assert (after["placed_at"], after["start_time"]) == (before["placed_at"], before["start_time"])
    assert replays.costs() == {"1": 9}
    assert (report.counts["changed"], report.counts["superseded"]) == (1, 1)


async def test_a_lane_that_starts_again_and_reads_its_log_keeps_what_was_replayed(replays: Replays) -> None:
    await replays.send(replays.calls(1, 2))
    await replays.define(DEAR)
    await replays.replayed()
    before = replays.stored(), replays.stored("traces")
    await abandon(replays.lane)
    await LaneRegistry(replays.bench.database).rewind(replays.bench.number)
    remap = mapping_again.map_records
    lane = replays.bench.lane(
        remap=lambda records: remap(records, prices=replays.prices),
        compose=lambda merged: observations.rows(merged, replays.prices),
    )
    async with running(lane):
        await flushed(lane)
    assert (replays.stored(), replays.stored("traces")) == before


async def test_a_replay_cut_short_goes_on_and_reports_what_all_of_it_changed(replays: Replays) -> None:
    replays.records_per_part = 2
    for trace in range(1, 6):
        await replays.send(replays.calls(trace * 10, trace * 10 + 1, trace=trace))
    await replays.define(DEAR)
    attempts = 0

    async def third_time_dies() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await replays.replayed(before_part=third_time_dies)
    begun = list(replays.parts)
    report = await replays.replayed()

    assert len(begun) == 2
    assert len(replays.parts) == len(set(replays.parts))
    assert set(replays.costs().values()) == {Decimal(10)}
    assert (report.counts["records"], report.counts["changed"], report.counts["written"]) == (10, 10, 10)
