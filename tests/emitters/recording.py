"""Requests as an emitter sent them: received, kept in a file, and read again."""

import base64
import gzip
import json
import platform
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# The others say nothing that Heliograph reads, or are secret.
_KEPT_HEADERS = ("content-type", "x-langfuse-ingestion-version", "x-langfuse-sdk-name", "x-langfuse-sdk-version")
# Stack traces name folders of the machine, resources the machine itself.
_PLACES = tuple(str(place).encode() for place in (FOLDER.parents[1], sys.base_prefix, Path.home(), platform.node()))
_PROJECTS = {"data": [{"id": "p", "name": "p", "organization": {"id": "o", "name": "o"}, "metadata": {}}]}


@dataclass(frozen=True)
class Sent:
    """A request: its path, the headers that count, and its body, unpacked."""

    path: str
    headers: Mapping[str, str]
    body: bytes


def path_of(name: str) -> Path:
    """Where an emitter's requests are kept."""
    return FOLDER / name / "requests.json"


def recorded() -> list[str]:
    """The emitters of which requests are kept."""
    return sorted(path.parent.name for path in FOLDER.glob("*/requests.json"))


def save(name: str, requests: list[Sent]) -> None:
    """Keep the requests, compressed and without the names of this machine and its folders."""
    lines = [{"path": one.path, "headers": dict(one.headers), "body": _packed(one.body)} for one in requests]
    path_of(name).write_text(json.dumps(lines, indent=1) + "\n", "utf-8")


def _packed(body: bytes) -> str:
    for place in _PLACES:
        # As long as before, since lengths are part of protobuf.
        body = body.replace(place, b"/" + b"_" * (len(place) - 1))
    return base64.b64encode(gzip.compress(body, mtime=0)).decode()


def load(name: str) -> list[Sent]:
    """The requests that were kept of an emitter, in the order they came."""
    found = json.loads(path_of(name).read_text("utf-8"))
    return [Sent(one["path"], one["headers"], gzip.decompress(base64.b64decode(one["body"]))) for one in found]


class _Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.requests: list[Sent] = []


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Receiver

    def do_POST(self) -> None:  # the standard library's name
        body = self._body()
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kept = {name: self.headers[name] for name in _KEPT_HEADERS if name in self.headers}
        self.server.requests.append(Sent(self.path, kept, body))
        if self.path.endswith("/ingestion"):
            accepted = [{"id": event["id"], "status": 201} for event in json.loads(body)["batch"]]
            self._answer(207, json.dumps({"successes": accepted, "errors": []}).encode(), "application/json")
        else:
            is_json = "json" in self.headers.get("content-type", "")
            self._answer(200, b"{}" if is_json else b"", self.headers.get("content-type", "application/json"))

    def do_GET(self) -> None:  # the standard library's name
        self._answer(200, json.dumps(_PROJECTS).encode(), "application/json")

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def receiving() -> Iterator[tuple[str, list[Sent]]]:
    """The address of a receiver that runs until the context ends, and the requests it got."""
    server = _Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.requests
    finally:
        server.shutdown()
        server.server_close()
