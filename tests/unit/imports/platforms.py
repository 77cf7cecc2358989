"""Servers that imports read from and write to, in memory; payloads as the contract has them."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

from heliograph.client.connection import Connection, Server
from heliograph.imports.report import ImportReport
from heliograph.imports.target import ImportTarget

AT = "2026-11-20T10:00:00.000Z"
_SERVER = Server("http://here", "pk", "sk")
_NULLS = {"statusMessage": None, "version": None, "parentObservationId": None, "completionStartTime": None}

LANGFUSE: dict[str, list[dict[str, Any]]] = {
    "/score-configs": [
        {"id": "config", "name": "right", "dataType": "BOOLEAN", "description": None, "isArchived": False,
         "categories": [{"label": "True", "value": 1}, {"label": "False", "value": 0}]},
    ],
    "/v2/prompts": [{"name": "a/b", "type": "text", "versions": [2, 1], "labels": ["production"], "tags": []}],
    "/v2/datasets": [{"id": "dataset", "name": "questions", "description": "all", "metadata": {}}],
    "/dataset-items": [
        {"id": "item", "datasetId": "dataset", "datasetName": "questions", "input": {"q": 1}, "expectedOutput": 2,
         "metadata": None, "status": "ACTIVE", "sourceTraceId": None, "sourceObservationId": None},
    ],
    "/traces": [
        {"id": f"trace-{number}", "timestamp": AT, "name": "ask", "userId": "u", "sessionId": "s", "tags": ["x"],
         "input": {"q": number}, "output": None, "metadata": {"k": 1}, "environment": "default", "public": False,
         "bookmarked": number == 0}
        for number in range(150)
    ],
    "/observations": [
        {"id": "call", "traceId": "trace-0", "type": "GENERATION", "name": "llm", "startTime": AT, "endTime": AT,
         "model": "gpt-4o", "modelParameters": {"temperature": 0}, "usageDetails": {"input": 3, "output": 1},
         "costDetails": {"total": 0.5}, "level": "DEFAULT", "environment": "default", **_NULLS},
    ],
    "/datasets/questions/runs": [{"id": "run", "name": "first", "datasetName": "questions"}],
    "/v2/scores": [
        {"id": "s1", "name": "right", "dataType": "BOOLEAN", "value": 1, "stringValue": "True", "source": "ANNOTATION",
         "configId": "config", "traceId": "trace-0", "timestamp": AT, "queueId": "queue", "comment": "yes"},
        {"id": "s2", "name": "tone", "dataType": "CATEGORICAL", "value": 0, "stringValue": "warm", "source": "API",
         "configId": None, "datasetRunId": "run", "timestamp": AT},
        {"id": "s3", "name": "odd", "dataType": "NUMERIC", "value": 2.5, "source": "ANNOTATION", "configId": "gone",
         "traceId": "trace-1", "timestamp": AT},
    ],
}  # fmt: skip


@dataclass
class LangfuseServer:
    """Lists what it holds in pages; `answers` come first, such as 429."""

    asked: list[str] = field(default_factory=list)
    answers: deque[httpx.Response] = field(default_factory=deque)
    missing: set[str] = field(default_factory=set)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            return self.answers.popleft()
        path = unquote(request.url.path).removeprefix("/api/public")
        self.asked.append(f"{path} {request.url.params.get('page', '')}".strip())
        if path in self.missing:
            return httpx.Response(404, json={"message": "not available in events_only mode"})
        return self._single(path, request) or self._page(path, request)

    @staticmethod
    def _single(path: str, request: httpx.Request) -> httpx.Response | None:
        if path == "/v2/prompts/a/b":
            version = int(request.url.params["version"])
            labels = ["production", "latest"] if version == 2 else []
            body = {"name": "a/b", "type": "text", "prompt": f"v{version}", "config": {}, "tags": [], "labels": labels}
            return httpx.Response(200, json=body | {"version": version})
        if path == "/datasets/questions/runs/first":
            link = {"id": "link", "datasetItemId": "item", "traceId": "trace-0", "observationId": None, "createdAt": AT}
            run = {"id": "run", "name": "first", "description": None, "metadata": {"m": 1}, "datasetRunItems": [link]}
            return httpx.Response(200, json=run)
        return None

    @staticmethod
    def _page(path: str, request: httpx.Request) -> httpx.Response:
        page, limit = int(request.url.params["page"]), int(request.url.params["limit"])
        held = LANGFUSE[path]
        shown = held[(page - 1) * limit : page * limit]
        meta = {"page": page, "limit": limit, "totalItems": len(held), "totalPages": -(-len(held) // limit)}
        return httpx.Response(200, json={"data": shown, "meta": meta})

    @property
    def connection(self) -> Connection:
        """To it."""
        return Connection(_SERVER, httpx.MockTransport(self))


@dataclass
class OurServer:
    """Takes everything, and holds what it is told to hold already."""

    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path).removeprefix("/api/public")
        return self._held(path) if request.method == "GET" else self._taken(path, json.loads(request.content))

    def _held(self, path: str) -> httpx.Response:
        if path not in self.held and path.endswith("first"):
            return httpx.Response(404, json={"message": "no such run"})
        return httpx.Response(200, json={"data": self.held.get(path, []), "meta": {"totalPages": 1}})

    def _taken(self, path: str, body: dict[str, Any]) -> httpx.Response:
        self.posted.append((path, body))
        match path:
            case "/ingestion":
                ids = {one["id"]: one["body"]["id"] for one in body["batch"]}
                errors = [
                    {"id": id_, "status": 400, "error": "no"} for id_, name in ids.items() if name in self.refused
                ]
                successes = [{"id": id_, "status": 201} for id_, name in ids.items() if name not in self.refused]
                return httpx.Response(207, json={"successes": successes, "errors": errors})
            case "/v2/prompts":
                versions = [one for other, one in self.posted if other == path]
                return httpx.Response(201, json={"version": len(versions)})
            case "/dataset-run-items":
                return httpx.Response(200, json={"id": "ours", "datasetRunId": "our-run"})
            case "/otel/v1/traces":
                return httpx.Response(200, json={})
            case _:
                return httpx.Response(200, json={"id": f"our-{body.get('name', body.get('id'))}"})

    def events(self) -> dict[str, dict[str, Any]]:
        """The events of batch ingestion by the id of their body."""
        return {one["body"]["id"]: one for path, body in self.posted if path == "/ingestion" for one in body["batch"]}

    def spans(self) -> list[dict[str, Any]]:
        """The spans of OTLP."""
        return [
            span
            for path, body in self.posted
            if path == "/otel/v1/traces"
            for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        ]

    def target(self, report: ImportReport, *, is_trial: bool = False) -> ImportTarget:
        """It, as imports write to it."""
        return ImportTarget(Connection(_SERVER, httpx.MockTransport(self)), report, is_trial=is_trial)
