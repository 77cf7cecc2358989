"""What the doctor finds in the log and the archive of each lane, and what to do about it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.settings import Settings
from pipelines.compaction import CompactionStores, opened
from storage.objects.archive_inspection import ArchiveInspector
from storage.objects.log_inspection import Fault, FaultKind, LogInspector
from storage.objects.omission import may_lack
from storage.postgres.lane_marks import LaneMarks, lane_marks

Progress = Callable[[int, int, int], None]

_ADVICE = {
    FaultKind.HOLE: "Acknowledged events may be missing: restore the object from the store's versions or a backup.",
    FaultKind.LOST: "Restore it from the store's versions or a backup, then run `heliograph compact`.",
    FaultKind.NUMBER_TWICE: "A former owner wrote after it was sealed: keep both objects and report this.",
    FaultKind.OUT_OF_ORDER: "An owner numbered from an old head: keep the objects and report this.",
    FaultKind.NO_SEAL: "If the lane is just starting, run this again. Otherwise start it: its next owner seals.",
    FaultKind.BEHIND_SEAL: "A former owner wrote after it was sealed: these events are not merged. Report this.",
    FaultKind.FENCE_FREED: "Something outside Heliograph removed it: exempt `wal/` from lifecycle rules.",
    FaultKind.UNREADABLE: "Restore the object from the store's versions or a backup, then rewind the lane.",
    FaultKind.NONCE_TWICE: "The same bytes are in the log twice: rows are the same, but report this.",
    FaultKind.COUNT_DIFFERS: "The object was changed after it was archived: compare it with the archive's records.",
    FaultKind.ARCHIVE_UNREADABLE: "Restore the file from the store's versions or a backup.",
    FaultKind.ARCHIVE_OVERLAP: "Read only one of them until this is mended: keep the one with the larger range.",
    FaultKind.ARCHIVED_TWICE: "Drop repeated (lane, segment, ordinal) when reading, and report this.",
    FaultKind.ARCHIVE_LACKS: "Restore the file from the store's versions or a backup; check lifecycle rules on `raw/`.",
    FaultKind.ARCHIVE_SURPLUS: "Run `heliograph compact`: an interrupted run leaves files that the next one completes.",
    FaultKind.DAMAGED_KEPT: "It could not be archived: mend it or accept the loss, then remove this copy.",
}
# More of one kind say nothing more.
_SHOWN_OF_A_KIND = 5


class LogFinding(NamedTuple):
    """One line of the doctor's table. Without advice all is well."""

    lane: int
    check: str
    fact: str
    advice: str = ""


def findings(settings: Settings, lane: int | None, on_progress: Progress) -> list[LogFinding]:
    """Inspect one lane, or every lane of the map."""
    return asyncio.run(_findings(settings, lane, on_progress))


async def _findings(settings: Settings, lane: int | None, on_progress: Progress) -> list[LogFinding]:
    found: list[LogFinding] = []
    async with opened(settings) as stores:
        numbers = range((await stores.registry.lane_map()).count) if lane is None else [lane]
        for number in map(LaneNumber, numbers):
            # A compaction under way would free what is being looked at.
            async with stores.compactions.exclusively(number):
                marks = await lane_marks(stores.database, number)
                lacking = may_lack(await stores.deletions.tombstones(number))
                found += await asyncio.to_thread(
                    _inspect, stores, number, marks, lacking=lacking, on_progress=on_progress
                )
    return found


def _inspect(
    stores: CompactionStores,
    lane: LaneNumber,
    marks: LaneMarks,
    *,
    lacking: Mapping[ProjectId, int],
    on_progress: Progress,
) -> list[LogFinding]:
    archive = ArchiveInspector(stores.client, stores.bucket, lane)
    log = LogInspector(stores.client, stores.bucket, lane, archived=archive.epochs, counts=archive.counts)
    seen = log.inspect(marks.epoch, marks.cursor, lambda done, total: on_progress(lane, done, total))
    archived = archive.inspect(lacking)
    sizes = f"{seen.objects:,} objects, {seen.nbytes / 1e6:,.1f} MB, {seen.records:,} records, {seen.epochs} epochs"
    marked = f"head {seen.head:,}, flushed to {marks.checkpoint:,}, archived to {marks.cursor:,}"
    files = f"{archived.files:,} files, {archived.nbytes / 1e6:,.1f} MB, {archived.records:,} records"
    return [
        LogFinding(lane, "log", f"{sizes}; {marked}"),
        *_lines(lane, seen.faults),
        LogFinding(lane, "archive", files),
        *_lines(lane, archived.faults),
    ]


def _lines(lane: int, faults: list[Fault]) -> list[LogFinding]:
    lines: list[LogFinding] = []
    for kind in FaultKind:
        mine = [fault for fault in faults if fault.kind is kind]
        lines += [LogFinding(lane, kind, fault.where, _ADVICE[kind]) for fault in mine[:_SHOWN_OF_A_KIND]]
        if len(mine) > _SHOWN_OF_A_KIND:
            lines.append(LogFinding(lane, kind, f"and {len(mine) - _SHOWN_OF_A_KIND:,} more", _ADVICE[kind]))
    return lines
