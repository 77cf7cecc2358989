"""Frames of scores, as they are sent."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from heliograph.client.connection import Connection, Server
from heliograph.client.scores import ScoresOfProject
from heliograph.domain.errors import InvalidRequest, Unavailable

SERVER = Server("http://here", "pk", "sk")


class Door:
    """Takes batches of events as the server does; refuses values above 1, and is away at first."""

    def __init__(self, late: int = 0) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.late = late

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.late:
            self.late -= 1
            return httpx.Response(503, headers={"retry-after": "0"})
        events = json.loads(request.content)["batch"]
        bad = [event for event in events if isinstance(event["body"]["value"], float) and event["body"]["value"] > 1]
        self.bodies += [event["body"] for event in events if event not in bad]
        errors = [{"id": event["id"], "status": 400, "message": "bad", "error": "value: too large"} for event in bad]
        return httpx.Response(207, json={"successes": [], "errors": errors})

    def scores(self) -> ScoresOfProject:
        return ScoresOfProject(Connection(SERVER, httpx.MockTransport(self)))


ROWS = [{"trace_id": f"t{n}", "observation_id": "o", "value": n / 10, "comment": None, "other": 1} for n in range(3)]


@pytest.mark.parametrize("make", [pa.Table.from_pylist, pd.DataFrame, pl.DataFrame, list])
def test_every_kind_of_frame_is_sent_alike(make: Callable[[Any], Any]) -> None:
    door = Door()
    report = door.scores().write(make(ROWS), name="quality")
    assert (report.written, report.refused) == (3, [])
    assert [(body["traceId"], body["observationId"], body["name"], body["value"]) for body in door.bodies] == [
        ("t0", "o", "quality", 0.0),
        ("t1", "o", "quality", 0.1),
        ("t2", "o", "quality", 0.2),
    ]
    assert not {"comment", "other"} & set(door.bodies[0])


def test_the_same_score_has_the_same_id_and_another_run_another() -> None:
    door = Door()
    scores = door.scores()
    for value, run in ((0.1, ""), (0.9, ""), (0.1, "second")):
        scores.write([{"trace_id": "t", "value": value}], name="quality", run=run)
    scores.write([{"trace_id": "t", "observation_id": "o", "value": 0.1}], name="quality")
    first, again, second, other = (body["id"] for body in door.bodies)
    assert first == again
    assert len({first, second, other}) == 3
    scores.write([{"trace_id": "t", "value": 0.1, "id": "mine"}], name="quality")
    assert door.bodies[-1]["id"] == "mine"


def test_refused_rows_are_named_by_their_place_and_cost_no_other() -> None:
    values = [0.5, None, float("nan"), 2.0, 0.25]
    report = Door().scores().write([{"trace_id": "t", "value": value} for value in values], name="quality")
    assert report.written == 2
    assert [(refused.row, refused.reason[:5]) for refused in report.refused] == [
        (1, "value"), (2, "value"), (3, "value"),
    ]  # fmt: skip
    assert report.refused[-1].reason == "value: too large"


def test_large_frames_go_in_batches_with_progress() -> None:
    told: list[tuple[int, int]] = []
    door = Door()
    frame = pa.table({"session_id": [f"s{n}" for n in range(1200)], "value": ["good"] * 1200, "name": ["tone"] * 1200})
    door.scores().write(frame, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(500, 1200), (1000, 1200), (1200, 1200)]
    assert len(door.bodies) == 1200


def test_a_truth_value_is_boolean() -> None:
    door = Door()
    door.scores().write([{"trace_id": "t", "value": True}], name="ok")
    assert (door.bodies[0]["value"], door.bodies[0]["dataType"]) == (1, "BOOLEAN")


def test_a_server_that_is_away_is_asked_again_for_a_while() -> None:
    assert Door(late=3).scores().write(ROWS, name="quality").written == 3
    with pytest.raises(Unavailable):
        Door(late=100).scores().write(ROWS, name="quality")


@pytest.mark.parametrize("frame", [[{"trace_id": "t"}], [{"value": 1}], [{"trace_id": "t", "value": 1}], "text"])
def test_a_frame_without_what_it_takes_is_refused(frame: Any) -> None:
    with pytest.raises(InvalidRequest):
        Door().scores().write(frame)
