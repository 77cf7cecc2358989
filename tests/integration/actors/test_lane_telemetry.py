"""What a lane on the real engines tells of itself: its metrics, and its part of a trace."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actors.lane import AppendStatus, PackedAppend
from actors.lane_measures import LaneMeasures
from heliograph import tracing
from heliograph.domain.events import pack
from heliograph.settings import TelemetrySettings
from tests.integration.actors.lane_bench import Bench, append, flushed, running

TRACED = f"00-{7:032x}-{8:016x}-01"


async def test_a_lane_measures_what_it_has_done(bench: Bench) -> None:
    measures = LaneMeasures()
    async with running(bench.lane()) as lane:
        await append(lane, bench.batch(1, 2, 3))
        await flushed(lane)
        found = {(one.metric, one.suffix): one.value for one in measures.samples(await lane.status())}

    assert found["heliograph_lane_acknowledged_events", ""] == found["heliograph_lane_merged_events", ""] == 3
    assert found["heliograph_lane_acknowledged_events_per_second", ""] > 0
    assert found["heliograph_log_appended_segments", ""] == 1
    assert found["heliograph_log_appended_bytes", ""] > 100
    # Three observations and their trace: two inserts.
    assert (found["heliograph_insert_rows", "_sum"], found["heliograph_insert_rows", "_count"]) == (4, 2)
    assert found["heliograph_insert_seconds", "_sum"] > 0
    assert found["heliograph_lane_head_segment", ""] == found["heliograph_lane_cursor_segment", ""] > 0
    assert found["heliograph_lane_lag_segments", ""] == 0


@pytest.fixture
def _off_again() -> Iterator[None]:
    yield
    tracing._Own.tracer = None


@pytest.mark.usefixtures("_off_again")
async def test_a_traced_append_is_followed_to_its_flush_and_others_are_not(bench: Bench) -> None:
    exporter = InMemorySpanExporter()
    end = tracing.configure_traces(TelemetrySettings(endpoint="http://collector/v1/traces"), "lane", exporter)
    async with running(bench.lane()) as lane:
        assert await append(lane, bench.batch(1)) is AppendStatus.DURABLE
        traced = PackedAppend(bench.project_id, pack(bench.batch(2)), (TRACED,))
        assert (await lane.append([traced], map_version=10**6))[0].status is AppendStatus.DURABLE
        await flushed(lane)
    end()

    commit, flush = sorted(exporter.get_finished_spans(), key=lambda one: one.start_time or 0)
    assert (commit.name, flush.name) == ("commit", "flush")
    assert commit.parent is not None
    assert flush.parent is not None
    assert commit.context is not None
    assert (commit.parent.trace_id, commit.parent.span_id) == (7, 8)
    assert (flush.parent.trace_id, flush.parent.span_id) == (7, commit.context.span_id)
