"""Recosts and exports: work that the server carries out, and whoever asked for it follows."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from heliograph.client.connection import Connection
from heliograph.domain.errors import BackfillFailed, StreamBroken
from heliograph.domain.exports import ExportedFile, Manifest

Progress = Callable[[int, int], None]
_PAUSE_SECONDS = 0.5
_TIMEOUT_SECONDS = 120.0


class ServerWork:
    """A backfill that the server carries out, also when the script that asked for it has ended.

    Attributes:
        id: by which it is found again.
        state: the server's last answer about it; see docs/backfills.md.
    """

    path = ""

    def __init__(self, connection: Connection, state: dict[str, Any]) -> None:
        self._connection = connection
        self.state = state
        self.id = str(state["id"])

    @classmethod
    def begin(cls, connection: Connection, body: dict[str, Any]) -> Self:
        """Ask for it; raises InvalidRequest."""
        return cls(connection, connection.request("POST", cls.path, body))

    def refresh(self) -> dict[str, Any]:
        """Ask the server how far it has come."""
        self.state = self._connection.request("GET", f"{self.path}/{quote(self.id, safe='')}")
        return self.state

    def wait(self, on_progress: Progress = lambda _done, _parts: None) -> dict[str, Any]:
        """Return its last state when it is done; `on_progress` is told parts done, and of how many.

        Raises:
            BackfillFailed: the server has given it up.
        """
        while self.refresh()["status"] == "running":
            on_progress(self.state["partsDone"], self.state["parts"] or 0)
            time.sleep(_PAUSE_SECONDS)
        if self.state["status"] == "failed":
            raise BackfillFailed(self.id, self.state["error"])
        on_progress(self.state["partsDone"], self.state["parts"] or 0)
        return self.state


class Recost(ServerWork):
    """Stored calls priced anew.

    Example:
        >>> trial = project.recost(since="30d", dry_run=True)
        >>> trial.wait()["models"]["gpt-4o"]["costAfter"]
    """

    path = "/recosts"


class Export(ServerWork):
    """Rows as files by day, which stay on the server until they are fetched.

    Example:
        >>> export = project.observations(since="7d").export()
        >>> export.wait()
        >>> export.download(Path("week"))
    """

    path = "/exports"

    @property
    def manifest(self) -> Manifest:
        """Its files so far."""
        state = self.state
        files = [ExportedFile(*(file[name] for name in ("name", "rows", "bytes", "sha256"))) for file in state["files"]]
        return Manifest(state["table"], state["format"], state["columns"], files)

    def download(self, folder: Path, on_progress: Progress = lambda _done, _files: None) -> Manifest:
        """Fetch its files and the manifest into a folder; files that are there and whole are not fetched again.

        Args:
            folder: made if it is missing.
            on_progress: told how many files are there, and how many there will be.

        Raises:
            StreamBroken: a file did not arrive as the manifest has it.
        """
        self.refresh()
        links = {file["name"]: file["url"] for file in self.state["files"]}
        manifest = self.manifest
        with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            for number, file in enumerate(manifest.files):
                on_progress(number, len(manifest.files))
                to = folder / file.name
                if not _is_whole(to, file):
                    _fetch(client, links[file.name], to)
                    if not _is_whole(to, file):
                        raise StreamBroken(file.name)
            (folder / "manifest.json").write_bytes(client.get(self.state["manifest"]["url"]).raise_for_status().content)
        on_progress(len(manifest.files), len(manifest.files))
        return manifest


def _is_whole(path: Path, file: ExportedFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.bytes:
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256


def _fetch(client: httpx.Client, url: str, to: Path) -> None:
    """Beside the file first: what has its name is whole."""
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f".{to.name}.part")
    with client.stream("GET", url) as answer, part.open("wb") as content:
        answer.raise_for_status()
        for chunk in answer.iter_bytes():
            content.write(chunk)
    part.replace(to)
