"""Imports items into a dataset of a running server, with a report for each row that it does not take."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from heliograph.dataset_rows import BadRow, ColumnChoice, Frame, ItemRow, Row, file_rows, frame_rows
from heliograph.domain.errors import AccessDenied, InvalidRequest, KeyUnknown, Unavailable
from heliograph.settings import ClientSettings

MAX_PORTION = 200
_MAX_PORTION_BYTES = 1 << 20
_TIMEOUT = httpx.Timeout(60, connect=5)
_ATTEMPTS = 6
_TRY_LATER = frozenset({429, 502, 503, 504})
_SPLIT = frozenset({400, 413})
_DEFAULT = ColumnChoice()


@dataclass
class ImportReport:
    """How many rows have become items, and those that have not."""

    imported: int = 0
    bad: list[BadRow] = field(default_factory=list)


def client_of(settings: ClientSettings) -> httpx.Client:
    """A connection with the keys of a project; raises InvalidRequest when they are not known."""
    if not settings.public_key or not settings.secret_key:
        raise InvalidRequest("keys", "set LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY")
    login = (settings.public_key, settings.secret_key)
    return httpx.Client(
        base_url=f"{settings.url.rstrip('/')}/api/public", auth=login, timeout=_TIMEOUT, trust_env=False
    )


def import_frame(
    frame: Frame | Sequence[Mapping[str, Any]],
    name: str,
    *,
    choice: ColumnChoice = _DEFAULT,
    client: httpx.Client | None = None,
) -> ImportReport:
    """Import the rows of a pandas DataFrame, or of a list of dicts, into a dataset.

    Args:
        frame: one row an item.
        name: of the dataset, which is created unless it is there.
        choice: which columns make the parts of an item.
        client: with the address and the keys of a project; without one, those of the environment.

    Raises:
        InvalidRequest: the name cannot be one, or no keys are known.
        KeyUnknown, AccessDenied: the keys are not those of a project.
        Unavailable: the server did not answer for a while; an import may be repeated when its rows have ids.
    """
    return _imported(frame_rows(frame, choice), name, client)


def import_file(
    path: Path, name: str, *, choice: ColumnChoice = _DEFAULT, client: httpx.Client | None = None
) -> ImportReport:
    """Import the rows of a CSV file, or of JSON lines; see `import_frame`."""
    return _imported(file_rows(path, choice), name, client)


def _imported(rows: Iterable[Row], name: str, client: httpx.Client | None) -> ImportReport:
    report = ImportReport()
    if client is not None:
        report.imported = DatasetImport(client, name, report.bad.append).run(rows)
        return report
    with client_of(ClientSettings()) as own:
        report.imported = DatasetImport(own, name, report.bad.append).run(rows)
    return report


class DatasetImport:
    """One import. Rows keep the ids that they get at first, so that sending them again adds nothing.

    Args:
        client: with the address and the keys of a project.
        name: of the dataset.
        on_bad: told of each row that is not taken, in their order.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        client: httpx.Client,
        name: str,
        on_bad: Callable[[BadRow], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._name = name
        self._on_bad = on_bad
        self._sleep = sleep

    def run(self, rows: Iterable[Row]) -> int:
        """Create the dataset unless it is there, and import the rows; returns how many became items."""
        self._refuse(self._post("/v2/datasets", {"name": self._name}), "name")
        return sum(self._take(portion) for portion in self._portions(rows))

    def _portions(self, rows: Iterable[Row]) -> Iterator[list[ItemRow]]:
        portion: list[ItemRow] = []
        nbytes = 0
        for row in rows:
            if isinstance(row, BadRow):
                yield portion
                portion, nbytes = [], 0
                self._on_bad(row)
                continue
            size = len(json.dumps(row.item))
            if portion and (len(portion) == MAX_PORTION or nbytes + size > _MAX_PORTION_BYTES):
                yield portion
                portion, nbytes = [], 0
            portion.append(ItemRow(row.number, {"id": str(uuid.uuid4()), **row.item}))
            nbytes += size
        yield portion

    def _take(self, portion: list[ItemRow]) -> int:
        if not portion:
            return 0
        body = {"datasetName": self._name, "items": [row.item for row in portion]}
        answer = self._post("/dataset-items/batch", body)
        if answer.status_code in _SPLIT:
            # One of them cannot even be read: halves of halves say which.
            if len(portion) > 1:
                half = len(portion) // 2
                return self._take(portion[:half]) + self._take(portion[half:])
            self._on_bad(BadRow(portion[0].number, _told(answer)))
            return 0
        self._refuse(answer, "items")
        found = answer.json()
        for error in found["errors"]:
            self._on_bad(BadRow(portion[error["index"]].number, str(error["message"])))
        return len(found["successes"])

    def _post(self, path: str, body: Any) -> httpx.Response:
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._client.post(path, json=body)
            except httpx.TransportError:
                self._sleep(2**attempt / 2)
                continue
            if answer.status_code not in _TRY_LATER:
                return answer
            self._sleep(float(answer.headers.get("retry-after", 2**attempt)))
        raise Unavailable(str(self._client.base_url), 1)

    @staticmethod
    def _refuse(answer: httpx.Response, field: str) -> None:
        match answer.status_code:
            case 200 | 207:
                return
            case 401:
                raise KeyUnknown
            case 403:
                raise AccessDenied(_told(answer))
            case _:
                raise InvalidRequest(field, _told(answer))


def _told(answer: httpx.Response) -> str:
    """What the server says is wrong."""
    try:
        body = answer.json()
    except ValueError:
        return f"the server answers {answer.status_code}"
    issues = body.get("error")
    if isinstance(issues, list):
        return "; ".join(f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues)
    return str(body.get("message", body))
