"""What is exported of the traces that are chosen in a table."""

import csv
import io
import json
from decimal import Decimal

from dashboard.components.bulk import export
from tests import factories

TRACES = factories.table(
    "traces",
    [
        factories.trace(
            "p", "t1", name='say "hi", twice', input="[1]", output="né\nw", tags=["a", "b"],
            total_cost=Decimal("0.25"), metadata=[("tier", "gold")],
        ),
        factories.trace("p", "t2"),
    ],
)  # fmt: skip


def test_json_lines_hold_one_trace_each() -> None:
    first, second = map(json.loads, export(TRACES, "jsonl").decode().splitlines())
    assert (first["id"], first["name"], first["output"]) == ("t1", 'say "hi", twice', "né\nw")
    assert (first["tags"], first["metadata"]) == (["a", "b"], {"tier": "gold"})
    assert second["id"] == "t2"


def test_csv_has_lists_and_maps_as_json() -> None:
    first, second = csv.DictReader(io.StringIO(export(TRACES, "csv").decode()))
    assert (first["id"], first["name"], first["output"]) == ("t1", 'say "hi", twice', "né\nw")
    assert (json.loads(first["tags"]), json.loads(first["metadata"])) == (["a", "b"], {"tier": "gold"})
    assert second["id"] == "t2"
