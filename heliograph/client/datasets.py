"""The datasets of a project: what experiments run over."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from heliograph.client.connection import Connection
from heliograph.dataset_import import ImportReport, import_frame
from heliograph.dataset_rows import ColumnChoice, Frame

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 100


class Datasets:
    """The datasets of a project.

    Example:
        >>> project.datasets.put("qa/hard", [{"input": {"question": "2 + 2?"}, "expected_output": "4"}])
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(
        self,
        name: str,
        items: Frame | Sequence[Mapping[str, Any]],
        *,
        input: str | Sequence[str] = (),  # noqa: A002 - what it is called everywhere
        expected_output: str | Sequence[str] = (),
        metadata: str | Sequence[str] = (),
    ) -> ImportReport:
        """Add items to the dataset of a name, which is created unless it is there.

        An item with an `id` replaces the one of that id; without one it is added, each time.

        Args:
            name: of the dataset.
            items: a pandas DataFrame or a list of dicts with the columns `input`, `expected_output`, `metadata`, `id`,
                `status`, `source_trace_id` and `source_observation_id`, as far as they are there.
            input: other columns that make the input; several become an object of them.
            expected_output: likewise.
            metadata: likewise.

        Returns:
            How many rows have become items, and each that has not, with the reason.

        Raises:
            InvalidRequest: the name cannot be one.
            Unavailable: the server did not answer for a while.
        """
        choice = ColumnChoice(_columns(input), _columns(expected_output), _columns(metadata))
        with httpx.Client(**self._connection.server.options) as client:
            return import_frame(items, name, choice=choice, client=client)

    def items(self, name: str) -> "pd.DataFrame":
        """The items as they are now, as a pandas DataFrame with what `put` takes; raises NotFound."""
        import pandas as pd  # noqa: PLC0415 - an optional dependency

        found: list[dict[str, Any]] = []
        page, pages = 1, 1
        while page <= pages:
            asked = urlencode({"datasetName": name, "page": page, "limit": _PAGE})
            answer = self._connection.request("GET", f"/dataset-items?{asked}")
            found += map(_row, answer["data"])
            page, pages = page + 1, answer["meta"]["totalPages"]
        return pd.DataFrame(found, columns=list(_row({})))


def _columns(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "id": "id", "input": "input", "expected_output": "expectedOutput", "metadata": "metadata", "status": "status",
        "source_trace_id": "sourceTraceId", "source_observation_id": "sourceObservationId",
    }  # fmt: skip
    return {ours: item.get(theirs) for ours, theirs in names.items()}
