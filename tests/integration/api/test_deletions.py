"""Requests to delete over HTTP: answered as the contract says, noted, and appended as tombstones."""

import pytest

from heliograph.domain.deletions import DeletionState, SubjectType
from storage.postgres.deletions import Deletions
from tests.integration.api.conftest import Api


def appended(api: Api) -> list[dict[str, str]]:
    (batch,) = api.tombstones.kept.values()
    names = ["kind", "project_id", "entity_type", "subject", "entity_id"]
    rows: list[dict[str, str]] = batch.records.select(names).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [("trace", 200, "Trace deleted successfully"), ("score", 202, "Score deleted successfully")],
)
async def test_one_thing_is_deleted(api: Api, kind: str, *, status: int, message: str) -> None:
    answered = await api.client.delete(f"/{kind}s/t-1")
    assert (answered.status_code, answered.json()) == (status, {"message": message})
    (row,) = appended(api)
    assert row["kind"] == "tombstone"
    assert (row["project_id"], row["entity_type"], row["subject"]) == (api.project.id, kind, "t-1")

    noted = await Deletions(api.database).get(row["entity_id"])
    assert (noted.project_id, noted.subject_type, noted.state) == (
        api.project.id,
        SubjectType(kind),
        DeletionState.REQUESTED,
    )
    assert noted.requested_by == "key pk-lf-1"
    assert list(noted.lanes) == list(api.tombstones.kept)


async def test_many_traces_are_deleted_at_once_each_once(api: Api) -> None:
    answered = await api.client.request("DELETE", "/traces", json={"traceIds": ["a", "b", "a"]})
    assert (answered.status_code, answered.json()) == (200, {"message": "Traces deleted successfully"})
    assert [row["subject"] for row in appended(api)] == ["a", "b"]
    assert len({row["entity_id"] for row in appended(api)}) == 1


@pytest.mark.parametrize(
    "body", [{}, {"traceIds": []}, {"traceIds": ["x"] * 1_001}, {"traceIds": [""]}, {"traceIds": 1}]
)
async def test_a_request_that_names_no_traces_or_too_many_is_refused(api: Api, body: dict[str, object]) -> None:
    answered = await api.client.request("DELETE", "/traces", json=body)
    assert answered.status_code == 400
    assert api.tombstones.kept == {}


async def test_an_id_that_no_store_can_hold_is_refused(api: Api) -> None:
    answered = await api.client.delete("/traces/a%00b")
    assert answered.status_code == 400
    assert api.tombstones.kept == {}


async def test_deleting_needs_the_secret_key(api: Api) -> None:
    answered = await api.client.delete("/traces/t", auth=("pk-lf-1", "wrong"))
    assert answered.status_code == 401
    assert api.tombstones.kept == {}
