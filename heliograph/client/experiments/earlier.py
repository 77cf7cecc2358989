"""What the server keeps of items that an earlier run did."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from heliograph.client.connection import Connection
from heliograph.client.experiments.items import Item, Run
from heliograph.client.experiments.tasks import ItemResult
from heliograph.domain.evaluators import Outcome, Verdict

_PAGE = 100
# The route wants a first moment, and nothing is older.
_EVER = "2000-01-01T00:00:00Z"


def earlier_results(connection: Connection, run: Run, items: Sequence[Item]) -> list[ItemResult]:
    """The results of these items; those that the server shows by now."""
    known = {item.id: item for item in items}
    found: list[ItemResult] = []
    asked = {"experimentId": run.id, "fromStartTime": _EVER, "fields": "core,io,scores", "limit": str(_PAGE)}
    cursor = "" if items else None
    while cursor is not None:
        page = connection.request("GET", f"/experiment-items?{urlencode({**asked, 'cursor': cursor})}")
        rows = ((known.get(row["experimentItemId"]), row) for row in page["data"])
        found += [_result(item, row) for item, row in rows if item is not None]
        cursor = page["meta"].get("cursor")
    return found


def _result(item: Item, row: dict[str, Any]) -> ItemResult:
    outcomes = {score["name"]: Outcome.scored(Verdict(score["value"])) for score in row["scores"]}
    return ItemResult(item, row["traceId"], row.get("output"), outcomes=outcomes)
