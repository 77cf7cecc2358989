"""A lane's log as its owners would have left it, and what the archive makes of it."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LogPosition
from heliograph.settings import MaintenanceSettings, Settings
from pipelines.compaction import Compaction, CompactionStores
from storage.objects import connection, segments
from storage.objects.archive import Archive, ArchiveFile, live
from storage.objects.raw_log import RawLog, Written
from storage.postgres.compactions import Compactions
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = DAY + timedelta(days=30)
AT_ONCE = MaintenanceSettings(free_after_days=0, superseded_for_seconds=0)


def records(*entities: str, project_id: str, received_at: datetime = DAY, subject: str = "trace-1") -> pa.Table:
    """One event for each entity."""
    rows = [
        {
            "kind": "event",
            "project_id": project_id,
            "subject": subject,
            "entity_type": "span",
            "entity_id": entity,
            "received_at": received_at,
            "facts": "{}",
            "payload": f"payload of {entity}".encode(),
        }
        for entity in entities
    ]
    return pa.Table.from_pylist(rows, schema=tables.RECORDS)


@dataclass
class LaneLog:
    """A lane of its own, with a project that no other test uses."""

    settings: Settings
    database: Database
    lane: LaneNumber = field(default_factory=lambda: LaneNumber(uuid.uuid4().int % 10**6))
    project_id: ProjectId = field(default_factory=lambda: ProjectId(uuid.uuid4().hex))
    position: LogPosition = field(default_factory=lambda: LogPosition(0, 0))

    def __post_init__(self) -> None:
        self.client: S3Client = connection.connect(self.settings.s3, self.settings.s3_url)
        self.bucket = self.settings.s3.bucket
        self.registry = LaneRegistry(self.database)
        self.compactions = Compactions(self.database)
        self.deletions = Deletions(self.database)
        self.owner = self.log()

    def log(self) -> RawLog:
        return RawLog(self.client, self.bucket, self.lane)

    async def take_over(self) -> RawLog:
        """A new owner, who writes from now on."""
        epoch = await self.registry.take_epoch(self.lane)
        self.owner = self.log()
        _, free = self.owner.take_over(epoch, await self.registry.checkpoint(self.lane))
        self.position = LogPosition(epoch, free - 1)
        return self.owner

    def append(self, *entities: str, received_at: datetime = DAY, subject: str = "trace-1") -> LogPosition:
        return self.append_records(
            records(*entities, project_id=self.project_id, received_at=received_at, subject=subject)
        )

    def append_records(self, table: pa.Table) -> LogPosition:
        self.position = LogPosition(self.position.epoch, self.position.segment + 1)
        written = self.owner.write(self.position, segments.encode(table), self.owner.new_nonce())
        assert written is Written.OURS
        return self.position

    async def flush(self, position: LogPosition | None = None) -> None:
        """Record that everything up to there is in ClickHouse."""
        position = position or self.position
        await self.registry.record_checkpoint(self.lane, epoch=self.position.epoch, position=position)

    def compaction(
        self,
        settings: MaintenanceSettings = AT_ONCE,
        *,
        client: Any = None,
        compactions: Compactions | None = None,
        now: datetime = LATER,
    ) -> Compaction:
        cursors = compactions or self.compactions
        stores = CompactionStores(
            client or self.client, self.bucket, self.registry, cursors, self.deletions, self.database
        )
        return Compaction(stores, self.lane, settings, now=lambda: now)

    @property
    def archive(self) -> Archive:
        return Archive(self.client, self.bucket)

    def files(self) -> list[ArchiveFile]:
        return [file for file in self.archive.files() if file.lane == self.lane]

    def archived(self) -> list[tuple[int, int, str]]:
        """Segment, ordinal and entity of every record that a reader of live files meets."""
        found = [self.archive.open(file).read() for file in live(self.files())]
        return sorted(place for table in found for place in places(table))

    def segments(self) -> list[int]:
        return [listed.position.segment for listed in self.log().segments_after(None)]

    def logged(self) -> Counter[str]:
        """The entities that the log of now holds."""
        tables_ = [self.log().read(listed.position) for listed in self.log().segments_after(None)]
        return Counter(entity for table in tables_ for entity in table["entity_id"].to_pylist())


def places(table: pa.Table) -> Sequence[tuple[int, int, str]]:
    """Segment, ordinal and entity of archived records."""
    return list(zip(*(table[name].to_pylist() for name in ("segment", "ordinal", "entity_id")), strict=True))


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


class MortalClient:
    """A client whose process dies right before its n-th change of the object store."""

    def __init__(self, client: Any, changes: int) -> None:
        self._client = client
        self._left = changes

    def die(self) -> None:
        raise Killed

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in {"put_object", "delete_objects", "copy_object"}:
            return call

        def change(**arguments: Any) -> Any:
            if self._left == 0:
                self.die()
            self._left -= 1
            return call(**arguments)

        return change
