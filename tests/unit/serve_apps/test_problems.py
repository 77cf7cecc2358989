"""The one table of errors: complete, and in the contract's form."""

import httpx
import pytest
from fastapi import FastAPI

from heliograph.domain.errors import HeliographError
from heliograph.domain.not_found import TraceNotFound
from heliograph.domain.start_errors import EngineFailed
from serve_apps import problems
from tests.unit.test_errors import every_error

# Raised by commands and at the start of a process, where nobody waits for an HTTP answer.
# Those of operators and of evaluations, which run behind no door.
OPERATORS = {
    "BackfillFailed",
    "BackfillRunning",
    "CompactionRunning",
    "CorruptDataDirectory",
    "EngineFailed",
    "EvaluationSkipped",
    "ForeignDataDirectory",
    "ForeignPackage",
    "MapNotPending",
    "MigrationChanged",
    "ReplayRunning",
    "ReshardingFailed",
    "ReshardingRunning",
    "RowsRefused",
    "RunEvaluatorFailed",
    "ScoreRefused",
    "SegmentMissing",
    "VerdictInvalid",
}


async def get(path: str) -> httpx.Response:
    app = FastAPI()
    problems.install(app)

    @app.get("/limit")
    async def limit(limit: int) -> int:
        return limit

    @app.get("/trace")
    async def trace() -> None:
        raise TraceNotFound("trace-1")

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://heliograph") as client:
        return await client.get(path)


def test_every_error_that_may_reach_a_door_has_a_status() -> None:
    doors = [error for error in every_error() if error.__module__.startswith(("heliograph.domain.", "storage."))]
    without = {error.__name__ for error in doors if not problems.PROBLEMS.keys() & set(error.__mro__)}
    assert without - OPERATORS == {"HeliographError"}


@pytest.mark.parametrize("kind", problems.PROBLEMS, ids=lambda kind: kind.__name__)
def test_answer_has_the_message_and_what_to_do_next(kind: type[HeliographError]) -> None:
    error = kind(*(1 for _ in kind.fields))
    response = problems.answer(error)
    assert response.status_code == problems.PROBLEMS[kind].status
    assert str(error).split(maxsplit=1)[0].encode() in response.body
    assert ("retry-after" in response.headers) == (response.status_code in {429, 503})


def test_error_of_an_operator_is_a_500_without_its_details() -> None:
    response = problems.answer(EngineFailed("postgres", "the path /var/secret"))
    assert response.status_code == 500
    assert b"secret" not in response.body


async def test_missing_thing_has_the_name_that_clients_key_on() -> None:
    response = await get("/trace")
    assert response.status_code == 404
    assert response.json() == {
        "message": "Trace trace-1 not found within authorized project",
        "error": "LangfuseNotFoundError",
    }


async def test_invalid_parameter_is_a_400_with_its_issues() -> None:
    response = await get("/limit?limit=many")
    assert response.status_code == 400
    assert response.json()["message"] == "Invalid request data"
    assert response.json()["error"][0]["path"] == ["limit"]


async def test_bug_is_a_500_without_its_details() -> None:
    response = await get("/bug")
    assert response.status_code == 500
    assert response.json() == {"message": "Internal Server Error", "error": "InternalServerError"}
