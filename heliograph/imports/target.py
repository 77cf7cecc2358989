"""Where imports write: events and spans in portions, through the doors that every client uses."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from heliograph.client.connection import Connection
from heliograph.domain.errors import Conflict, InvalidRequest
from heliograph.domain.not_found import NotFound
from heliograph.imports.report import ImportReport

_EVENTS_AT_ONCE = 500
_BYTES_AT_ONCE = 2 << 20

Json = dict[str, Any]


class ImportTarget:
    """A project that takes what is imported. On a dry run it takes everything and stores nothing."""

    def __init__(self, connection: Connection, report: ImportReport, *, is_trial: bool = False) -> None:
        self._connection = connection
        self._report = report
        self.is_trial = is_trial

    def read(self, path: str) -> Any:
        """What the project has at a path; None when there is nothing."""
        try:
            return self._connection.request("GET", path)
        except (InvalidRequest, NotFound):
            return None

    def put(self, kind: str, id_: str, *, path: str, body: Json) -> Any:
        """Create one thing; the answer, None when it is refused or on a dry run."""
        if self.is_trial:
            self._report.taken[kind] += 1
            return None
        try:
            answer = self._connection.request("POST", path, body)
        except (InvalidRequest, NotFound, Conflict) as error:
            self._report.refuse(kind, id_, str(error))
            return None
        self._report.taken[kind] += 1
        return answer

    def events(self, kind: str, events: Iterable[Json]) -> None:
        """Send events of batch ingestion, each under an id that repeats with its content."""
        for portion in portions(events):
            if self.is_trial:
                self._report.taken[kind] += len(portion)
                continue
            answer = self._connection.request("POST", "/ingestion", {"batch": portion})
            bodies = {event["id"]: str(event["body"]["id"]) for event in portion}
            for refused in answer["errors"]:
                self._report.refuse(kind, bodies.get(refused["id"], refused["id"]), str(refused.get("error", "")))
            self._report.taken[kind] += len(answer["successes"])

    def spans(self, kind: str, spans: Iterable[Json]) -> None:
        """Send spans of OTLP's JSON."""
        for portion in portions(spans):
            if not self.is_trial:
                scope = {"scope": {"name": f"heliograph.imports.{kind}"}, "spans": portion}
                body = {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]}
                answer = self._connection.request("POST", "/otel/v1/traces", body)
                partial = (answer or {}).get("partialSuccess") or {}
                if rejected := int(partial.get("rejectedSpans", 0)):
                    self._report.refuse("spans", "", f"{rejected} spans: {partial.get('errorMessage', '')}")
                    self._report.taken["spans"] -= rejected
            self._report.taken["spans"] += len(portion)


def event(kind: str, timestamp: str, body: Json) -> Json:
    """An event of batch ingestion."""
    digest = hashlib.sha256(json.dumps([kind, body], sort_keys=True).encode()).hexdigest()
    return {"id": digest, "type": kind, "timestamp": timestamp, "body": body}


def portions(things: Iterable[Json]) -> Iterator[Sequence[Json]]:
    """Things in portions that one request takes."""
    portion: list[Json] = []
    size = 0
    for thing in things:
        length = len(json.dumps(thing))
        if portion and (size + length > _BYTES_AT_ONCE or len(portion) >= _EVENTS_AT_ONCE):
            yield portion
            portion, size = [], 0
        portion.append(thing)
        size += length
    if portion:
        yield portion
