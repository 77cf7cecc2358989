"""What is older than its project keeps leaves every store; what is newer, and what is kept for ever, stays."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow.compute as pc
import pytest

from actors.deletion_requests import DeletionRequests
from actors.lane import Lane
from heliograph.domain.deletions import Deletion, Removed, SubjectType
from heliograph.domain.errors import Unavailable
from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.domain.media import MediaField, TraceUse
from heliograph.domain.not_found import MediaNotFound
from heliograph.domain.retention import Expired
from ingestion import scores
from ingestion.otlp import MappingContext
from pipelines.retention import RetentionEnforcement
from storage.clickhouse.connection import ClickHouse
from storage.objects import connection
from storage.objects.archive import Archive, live, project_folder
from storage.postgres.audit_log import AuditLog
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from storage.postgres.media import ProjectMedia
from storage.postgres.organization_projects import OrganizationProjects
from storage.postgres.projects import Projects
from storage.postgres.retentions import Retentions
from tests.integration.actors.lane_bench import Bench, append, flushed, running
from tests.integration.postgres.test_media import described

NOW = datetime.now(UTC)
OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)


class Appends:
    """The bench's lane as the requests reach it, and as many appends that fail before one is made."""

    def __init__(self, lane: Lane, failures: int = 0) -> None:
        self.lane = lane
        self.failures = failures

    async def append_to(self, batches: Mapping[LaneNumber, MappedBatch], /) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("The ingestion lane", 1.0)
        for batch in batches.values():
            await append(self.lane, batch)


class Requests:
    """Requests to delete that reach one lane, and something that happens after each."""

    def __init__(self, bench: Bench, appends: Appends) -> None:
        self._bench = bench
        self._appends = appends
        self._requests = DeletionRequests(Deletions(bench.database), self._connect, self._maps)
        self.asked: list[Deletion] = []

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        """See DeletionRequests.accept."""
        self.asked.append(await self._requests.accept(project_id, subject_type, subjects, requested_by=requested_by))
        return self.asked[-1]

    async def _connect(self) -> Appends:
        return self._appends

    async def _maps(self) -> list[LaneMap]:
        return [await LaneRegistry(self._bench.database).lane_map()]


@pytest.fixture
async def kept(owned: Bench) -> AsyncIterator[Bench]:
    """The bench's project, which keeps what it is sent for 30 days."""
    project = await Projects(owned.database).create(owned.project_id, project_id=owned.project_id)
    projects = OrganizationProjects(owned.database, project.organization_id)
    await projects.change(owned.project_id, name=project.name, metadata=None, retention_days=30)
    yield owned
    await Projects(owned.database).remove(owned.project_id)


async def enforce(bench: Bench, requests: Requests, *, slice_size: int = 2_000, now: datetime = NOW) -> int:
    clickhouse = ClickHouse(bench.settings.clickhouse, bench.settings.clickhouse_url)
    try:
        enforcement = RetentionEnforcement(
            bench.database, clickhouse, requests, clock=lambda: now, slice_size=slice_size
        )
        return await enforcement.run()
    finally:
        await clickhouse.close()


def scored(bench: Bench, score_id: str, at: datetime, **subject: str) -> MappedBatch:
    context = MappingContext(bench.project_id, IngestionFacts(), at)
    ((name, value),) = subject.items()
    body = f'{{"id":"{score_id}","{name}":"{value}","name":"q","value":1,"timestamp":"{at.isoformat()}"}}'
    return scores.map_scores(scores.decode(body.encode()).bodies, context)


def trace_id(number: int) -> str:
    return number.to_bytes(16, "big").hex()


def left(bench: Bench) -> list[int]:
    """The traces that are stored, by number, with or without a row of their own."""
    found = {row[0] for row in bench.rows("observations")} | {row[0] for row in bench.rows("traces")}
    return sorted(int(one, 16) for one in found)


def left_scores(bench: Bench) -> list[str]:
    query = "SELECT id FROM scores FINAL WHERE project_id = {p:String} ORDER BY id"
    return [row[0] for row in bench.clickhouse.get().query(query, parameters={"p": bench.project_id}).result_rows]


async def test_what_is_older_leaves_rows_log_archive_and_media_and_what_is_newer_stays(kept: Bench) -> None:
    media = ProjectMedia(kept.database, kept.project_id)
    picture = described(f"picture of {kept.project_id}")
    async with running(kept.lane()) as lane:
        requests = Requests(kept, Appends(lane))
        await media.refer([picture], [TraceUse(picture.id, trace_id(1), "", MediaField.INPUT)])
        await media.note_upload([picture.id], 200)
        await append(lane, kept.batch(1, 2, trace=1, started_at=OLD))
        await append(lane, kept.batch(3, trace=2, started_at=YOUNG))
        # One that still goes on is kept as a whole.
        await append(lane, kept.batch(4, trace=3, started_at=OLD))
        await append(lane, kept.batch(5, trace=3, started_at=YOUNG))
        for name, at, subject in (("a", OLD, 1), ("b", OLD, 3), ("c", YOUNG, 3)):
            await append(lane, scored(kept, name, at, traceId=trace_id(subject)))
        await append(lane, scored(kept, "of-session", OLD, sessionId="chat"))
        await flushed(lane)

        assert await enforce(kept, requests) == 1

        assert left(kept) == [2, 3]
        assert left_scores(kept) == ["c"]
        assert [(one.subject_type, set(one.subjects)) for one in requests.asked] == [
            (SubjectType.TRACE, {trace_id(1)}),
            (SubjectType.SCORE, {"b", "of-session"}),
        ]
        with pytest.raises(MediaNotFound):
            await media.get(picture.id)
        await kept.compacted()
        archive = Archive(connection.connect(kept.settings.s3, kept.settings.s3_url), kept.settings.s3.bucket)
        records = [archive.open(file).read() for file in live(archive.files(project_folder(kept.project_id)))]
        events = [table.filter(pc.equal(table["kind"], "event")) for table in records]
        archived = {(row["subject"], row["entity_type"]) for table in events for row in table.to_pylist()}
        assert {subject for subject, kind in archived if kind != "score"} == {trace_id(2), trace_id(3)}
        assert {subject for subject, kind in archived if kind == "score"} == {trace_id(3)}

        assert await enforce(kept, requests) == 0
        assert len(requests.asked) == 2


async def test_it_is_audited_and_told(kept: Bench) -> None:
    async with running(kept.lane()) as lane:
        requests = Requests(kept, Appends(lane))
        await append(lane, kept.batch(1, trace=1, started_at=OLD))
        await flushed(lane)
        for _ in range(2):
            await enforce(kept, requests)
    (state,) = [one for one in await Retentions(kept.database).states() if one.project_id == kept.project_id]
    assert (state.days, state.cutoff, state.expired) == (30, NOW - timedelta(days=30), Expired(traces=1))
    assert state.checked_at is not None
    (told,) = await AuditLog(kept.database).latest(9, project_id=kept.project_id, resource_type="retention")
    assert (told.action, told.after["traces"]) == ("create", 1)
    (asked,) = requests.asked
    done = await Deletions(kept.database).get(asked.id)
    assert (done.requested_by, done.removed) == ("retention", Removed(observations=1, traces=1))


async def test_a_kill_before_the_tombstones_costs_nothing_but_time(kept: Bench) -> None:
    async with running(kept.lane()) as lane:
        requests = Requests(kept, Appends(lane, failures=1))
        await append(lane, kept.batch(1, trace=1, started_at=OLD))
        await flushed(lane)
        assert await enforce(kept, requests) == 0
        assert left(kept) == [1]
        assert await enforce(kept, requests) == 1
        assert left(kept) == []


async def test_a_late_span_with_an_old_start_goes_with_the_next_run(kept: Bench) -> None:
    async with running(kept.lane()) as lane:
        requests = Requests(kept, Appends(lane))
        await append(lane, kept.batch(1, trace=1, started_at=OLD))
        await flushed(lane)
        await enforce(kept, requests)
        await append(lane, kept.batch(2, trace=1, started_at=OLD))
        await flushed(lane)
        assert left(kept) == [1]
        assert await enforce(kept, requests) == 1
        assert left(kept) == []


async def test_it_goes_slice_by_slice_and_asks_each_time_how_long_is_kept(kept: Bench) -> None:
    async with running(kept.lane()) as lane:
        requests = Requests(kept, Appends(lane))
        for number in (1, 2, 3):
            await append(lane, kept.batch(number, trace=number, started_at=OLD + timedelta(minutes=number)))
        await flushed(lane)

        class Changing(Requests):
            async def accept(self, *arguments: object, **named: object) -> Deletion:
                asked = await super().accept(*arguments, **named)  # type: ignore[arg-type]
                project = await Projects(kept.database).get(kept.project_id)
                projects = OrganizationProjects(kept.database, project.organization_id)
                await projects.change(project.id, name=project.name, metadata=None, retention_days=0)
                return asked

        assert await enforce(kept, Changing(kept, Appends(lane)), slice_size=1) == 1
        assert left(kept) == [2, 3]
        assert await enforce(kept, requests) == 0


async def test_a_project_that_keeps_everything_is_left_alone(owned: Bench) -> None:
    project = await Projects(owned.database).create(owned.project_id, project_id=owned.project_id)
    async with running(owned.lane()) as lane:
        await append(lane, owned.batch(1, trace=1, started_at=OLD))
        await flushed(lane)
        assert await enforce(owned, Requests(owned, Appends(lane)), now=NOW + timedelta(days=3_000)) == 0
        assert left(owned) == [1]
    await Projects(owned.database).remove(project.id)
