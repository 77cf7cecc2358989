"""Which records of a log lie below a tombstone."""

from typing import Any

import numpy as np
import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.deletions import Buried, SubjectType, Tombstone, positions_of
from heliograph.domain.identifiers import LaneNumber, ProjectId


def records(*rows: dict[str, Any]) -> pa.Table:
    whole = {"kind": "event", "project_id": "p", "subject": "t", "entity_type": "span", "entity_id": "", "facts": ""}
    return pa.Table.from_pylist([{**whole, "received_at": 0, "payload": b"", **row} for row in rows], tables.RECORDS)


def tombstone(
    subject_type: SubjectType, subject: str, segment: int, *, ordinal: int = 0, project_id: str = "p"
) -> Tombstone:
    return Tombstone(ProjectId(project_id), subject_type, subject, LaneNumber(0), segment, ordinal)


def covered(segment: int, rows: pa.Table, *tombstones: Tombstone) -> list[int]:
    found = Buried(tombstones).covered(rows, positions_of(rows, segment))
    return [] if found is None else np.flatnonzero(found).tolist()


def test_a_trace_is_deleted_up_to_its_tombstone_and_no_further() -> None:
    rows = records({}, {"subject": "u"}, {}, {})
    assert covered(5, rows, tombstone(SubjectType.TRACE, "t", 5, ordinal=2)) == [0]
    assert covered(4, rows, tombstone(SubjectType.TRACE, "t", 5, ordinal=2)) == [0, 2, 3]
    assert covered(6, rows, tombstone(SubjectType.TRACE, "t", 5, ordinal=2)) == []


def test_the_last_tombstone_of_a_subject_counts() -> None:
    rows = records({}, {}, {})
    tombstones = [tombstone(SubjectType.TRACE, "t", 5, ordinal=at) for at in (2, 1)]
    assert covered(5, rows, *tombstones) == [0, 1]


def test_a_neighbour_of_the_same_name_in_another_project_stays() -> None:
    rows = records({"project_id": "p"}, {"project_id": "q"})
    assert covered(1, rows, tombstone(SubjectType.TRACE, "t", 5)) == [0]
    assert covered(1, rows, tombstone(SubjectType.PROJECT, "", 5, project_id="q")) == [1]


def test_a_score_is_deleted_by_its_id_and_no_span_of_that_id_is() -> None:
    rows = records({"entity_type": "score", "entity_id": "s"}, {"entity_type": "span", "entity_id": "s"})
    assert covered(1, rows, tombstone(SubjectType.SCORE, "s", 5)) == [0]


def test_a_session_covers_its_own_scores_only() -> None:
    rows = records({"subject": "session:c"}, {"subject": "c"}, {"subject": "t"})
    assert covered(1, rows, tombstone(SubjectType.SESSION, "c", 5), tombstone(SubjectType.USER, "t", 5)) == [0]


def test_tombstones_themselves_stay() -> None:
    rows = records({"kind": "tombstone"}, {})
    assert covered(1, rows, tombstone(SubjectType.TRACE, "t", 5), tombstone(SubjectType.PROJECT, "", 9)) == [1]
