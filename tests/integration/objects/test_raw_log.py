"""The raw log against a real object store: numbering, fencing, lost answers, recovery."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import LaneFenced
from heliograph.domain.lanes import LogPosition
from heliograph.settings import Settings
from storage.objects import connection, segments
from storage.objects.raw_log import RawLog, Written
from tests.unit.actors.batches import Span, batch_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def client(engines: Settings) -> "S3Client":
    return connection.connect(engines.s3, engines.s3_url)


@pytest.fixture
def lane() -> LaneNumber:
    return LaneNumber(uuid.uuid4().int % 10**9)


def log_of(client: "S3Client", engines: Settings, lane: LaneNumber) -> RawLog:
    return RawLog(client, engines.s3.bucket, lane)


def segment(*names: str, project_id: str = "p") -> bytes:
    return segments.encode(batch_of(*(Span(name, project_id=project_id) for name in names)).records)


def test_records_come_back_as_written(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    log = log_of(client, engines, lane)
    records = batch_of(Span("a"), Span("b")).records
    assert log.write(LogPosition(1, 1), segments.encode(records), log.new_nonce()) is Written.OURS
    assert log.read(LogPosition(1, 1)) == records


def test_a_taken_number_is_foreign_to_another_writer(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    first, second = log_of(client, engines, lane), log_of(client, engines, lane)
    first.write(LogPosition(1, 1), segment("a"), first.new_nonce())
    assert second.write(LogPosition(1, 1), segment("b"), second.new_nonce()) is Written.FOREIGN
    assert first.read(LogPosition(1, 1))["entity_id"].to_pylist() == ["a"]


def test_a_lost_answer_is_recognised_by_the_nonce(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    log = log_of(client, engines, lane)
    nonce = log.new_nonce()
    log.write(LogPosition(1, 1), segment("a"), nonce)
    assert log.write(LogPosition(1, 1), segment("a"), nonce) is Written.OURS


def test_bytes_given_up_earlier_are_told_apart(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    log = log_of(client, engines, lane)
    log.write(LogPosition(1, 1), segment("late"), log.new_nonce())
    assert log.write(LogPosition(1, 1), segment("other"), log.new_nonce()) is Written.OURS_EARLIER


def test_of_many_concurrent_writers_one_wins(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    logs = [log_of(client, engines, lane) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda log: log.write(LogPosition(1, 1), segment("a"), log.new_nonce()), logs))
    assert results.count(Written.OURS) == 1
    assert results.count(Written.FOREIGN) == 15


def test_a_new_owner_seals_the_old_epoch_and_replays_what_the_checkpoint_lacks(
    client: "S3Client", engines: Settings, lane: LaneNumber
) -> None:
    old, new = log_of(client, engines, lane), log_of(client, engines, lane)
    for number in (1, 2, 3):
        old.write(LogPosition(1, number), segment(f"s{number}"), old.new_nonce())
    replay, free = new.take_over(2, LogPosition(1, 1))
    assert [listed.position for listed in replay] == [LogPosition(1, 2), LogPosition(1, 3)]
    assert free == 5
    assert old.write(LogPosition(1, 4), segment("late"), old.new_nonce()) is Written.FOREIGN
    assert new.write(LogPosition(2, free), segment("next"), new.new_nonce()) is Written.OURS


def test_epochs_that_wrote_nothing_are_sealed_too(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    log_of(client, engines, lane).take_over(1, None)
    silent, new = log_of(client, engines, lane), log_of(client, engines, lane)
    _, silent_free = silent.take_over(2, None)
    _, free = new.take_over(4, None)
    assert silent.write(LogPosition(2, silent_free), segment("a"), silent.new_nonce()) is Written.FOREIGN
    assert free > silent_free


def test_an_owner_with_an_older_epoch_cannot_take_over(client: "S3Client", engines: Settings, lane: LaneNumber) -> None:
    new = log_of(client, engines, lane)
    _, free = new.take_over(3, None)
    new.write(LogPosition(3, free), segment("a"), new.new_nonce())
    with pytest.raises(LaneFenced):
        log_of(client, engines, lane).take_over(2, None)


def test_an_unreachable_store_is_unavailable(engines: Settings, lane: LaneNumber) -> None:
    nowhere = connection.connect(engines.s3, "http://127.0.0.1:9", timeout_seconds=1)
    log = RawLog(nowhere, engines.s3.bucket, lane)
    with pytest.raises(Unavailable):
        log.write(LogPosition(1, 1), segment("a"), log.new_nonce())


def test_a_segment_holds_one_row_group_for_each_project() -> None:
    batch = batch_of(Span("a", project_id="q"), Span("b", project_id="p"), Span("c", project_id="q"))
    order = segments.project_order(batch.records)
    assert order is not None
    sorted_records = batch.reordered(order).records
    decoded = segments.decode(segments.encode(sorted_records))
    assert decoded["entity_id"].to_pylist() == ["b", "a", "c"]
