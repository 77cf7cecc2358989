"""The Python client on a whole stack: rows to data frames and to Ray, scores from data frames, the command line."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import ray

from heliograph import col
from heliograph.client.connection import Connection, Server
from heliograph.client.project import Project
from heliograph.settings import LOOPBACK
from tests.acceptance.stack import Stack

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

OBSERVATIONS = 12_000


@pytest.fixture(scope="module")
def project(stack: Stack) -> Iterator[Project]:
    """The stack's project with so many generations in it."""
    known = stack.connection
    connection = Connection(
        Server(known["HELIOGRAPH_URL"], known["HELIOGRAPH_PUBLIC_KEY"], known["HELIOGRAPH_SECRET_KEY"])
    )
    with Project(connection) as project:
        for start in range(0, OBSERVATIONS, 1000):
            connection.request("POST", "/ingestion", {"batch": [_event(n) for n in range(start, start + 1000)]})
        until(lambda: project.observations(where=col.name == "from python").count() == OBSERVATIONS)
        yield project


def _event(number: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    body = {
        "id": f"python-{number}",
        "traceId": f"python-trace-{number // 10}",
        "name": "from python",
        "startTime": now,
        "model": "gpt-4o",
        "input": f"question {number}",
    }
    return {"id": f"event-{number}", "type": "generation-create", "timestamp": now, "body": body}


def until(condition: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_ray_tasks_read_every_row_once_with_an_api_key_alone(project: Project) -> None:
    ray.init(address="local", num_cpus=2, include_dashboard=False, _node_ip_address=LOOPBACK)
    try:
        selection = project.observations(where=col.name == "from python", select=["id", "input"])
        assert len(selection.partitions(4)) > 1
        found = selection.to_ray(parallelism=4).to_pandas()
    finally:
        ray.shutdown()
    assert sorted(found["id"]) == sorted(f"python-{number}" for number in range(OBSERVATIONS))


def test_scores_of_a_frame_are_read_back_and_are_the_same_when_written_again(project: Project) -> None:
    rows = [(f"python-trace-{n}", f"python-{n * 10}", n / 1000) for n in range(1000)]
    frame = pd.DataFrame(rows, columns=["trace_id", "observation_id", "value"])
    frame.loc[3, "value"] = float("nan")
    report = project.scores.write(frame, name="from python")
    assert (report.written, [refused.row for refused in report.refused]) == (999, [3])
    own = project.scores(where=col.name == "from python")
    until(lambda: own.count() == 999)
    project.scores.write(frame.assign(value=0.5), name="from python")
    # The row that had no value has one now.
    until(lambda: own.where(col.value == 0.5).count() == 1000)
    assert own.count() == 1000
    assert set(own.to_pandas()["observation_id"]) == set(frame["observation_id"])


def test_the_command_line_queries_and_exports(project: Project, stack: Stack, tmp_path: Path) -> None:
    shown = stack.heliograph("query", "observations", "--where", "name = from python", "--limit", "3")
    assert f"{OBSERVATIONS:,} observations" in shown
    assert "calls" in stack.heliograph("sql", "select count() as calls from observations")
    for suffix in ("parquet", "csv", "jsonl"):
        to = tmp_path / f"rows.{suffix}"
        stack.heliograph(
            "export", "observations", str(to), "--where", "name = from python", "--select", "id,tags,input"
        )
        if suffix == "parquet":
            assert pq.read_table(to).num_rows == OBSERVATIONS
        else:
            assert len(to.read_text("utf-8").splitlines()) == OBSERVATIONS + (suffix == "csv")
