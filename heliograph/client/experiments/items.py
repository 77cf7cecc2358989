"""The items that an experiment runs over, and which of them have run already."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from heliograph.client.connection import Connection
from heliograph.domain.datasets import run_id
from heliograph.domain.not_found import NotFound

_PAGE = 100


@dataclass(frozen=True)
class Item:
    """One item of a dataset; `input`, `expected` and `metadata` are JSON values."""

    id: str
    input: Any
    expected: Any = None
    metadata: Any = None
    version: str = ""


@dataclass(frozen=True)
class Run:
    """One run over a dataset, as the server tells it from others.

    Attributes:
        dataset_version: the moment whose items are meant; None is now.
        metadata: of the whole run, plain JSON.
    """

    project_id: str
    dataset_id: str
    dataset_name: str
    name: str
    dataset_version: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same that Langfuse's SDKs give to an experiment of this name."""
        return run_id(self.project_id, self.dataset_id, self.name)


class DatasetOfServer:
    """A dataset of the server, read page by page."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name

    def run(self, name: str, version: datetime | None = None, metadata: Mapping[str, Any] | None = None) -> Run:
        """A run of this name; raises NotFound when there is no such dataset."""
        found = self._connection.request("GET", f"/v2/datasets/{quote(self.name, safe='/')}")
        return Run(found["projectId"], found["id"], self.name, name, version, metadata or {})

    def items(self, version: datetime | None = None) -> list[Item]:
        """The active items as they are, or were at a moment, in the order in which they were created."""
        asked = {"datasetName": self.name, "status": "ACTIVE"}
        if version is not None:
            asked["version"] = version.isoformat()
        return [_item(row) for row in self._pages("/dataset-items", asked)]

    def done(self, run: Run) -> dict[str, str]:
        """The items of a run that were reported as done, each with its trace; none of a run that has not begun."""
        asked = {"datasetId": run.dataset_id, "runName": run.name}
        try:
            rows = list(self._pages("/dataset-run-items", asked))
            # An item of which its span alone tells has the span's id: it failed, or was interrupted before its scores.
            return {row["datasetItemId"]: row["traceId"] for row in rows if row["id"] != row["observationId"]}
        except NotFound:
            return {}

    def _pages(self, path: str, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            found = self._connection.request("GET", f"{path}?{urlencode({**asked, 'page': page, 'limit': _PAGE})}")
            yield from found["data"]
            page, pages = page + 1, found["meta"]["totalPages"]


def _item(row: Mapping[str, Any]) -> Item:
    return Item(row["id"], row["input"], row["expectedOutput"], row["metadata"], row["version"])
