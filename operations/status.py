"""The state of a running stack, as its daemon writes it and the commands read it."""

import fcntl
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Self

from pydantic import BaseModel, Field

STATUS_FILE = "status.json"
LOCK_FILE = "daemon.lock"


class State(StrEnum):
    """The state of the stack, or of one part of it."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class PartStatus(BaseModel):
    """One process, or one step, of the stack."""

    name: str
    state: State = State.WAITING
    pid: int = 0
    restarts: int = 0
    since: datetime = Field(default_factory=lambda: datetime.now(UTC))
    detail: str = ""


class StackStatus(BaseModel):
    """The whole stack.

    Attributes:
        fingerprint: of the settings and the code that run; see `operations.fingerprint`.
        error: why it failed, in one sentence.
    """

    pid: int
    state: State = State.STARTING
    url: str = ""
    fingerprint: str = ""
    started_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    error: str = ""
    parts: list[PartStatus] = []

    def part(self, name: str) -> PartStatus:
        """The part of that name, added if it is not there."""
        for part in self.parts:
            if part.name == name:
                return part
        self.parts.append(PartStatus(name=name))
        return self.parts[-1]

    def write(self, folder: Path) -> None:
        """Replace the file at once, so that a reader never sees half of it."""
        draft = folder / f"{STATUS_FILE}.draft"
        draft.write_text(self.model_dump_json(indent=1), "utf-8")
        draft.replace(folder / STATUS_FILE)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What the last daemon wrote, which may be dead; see `is_locked`."""
        path = folder / STATUS_FILE
        return cls.model_validate_json(path.read_text("utf-8")) if path.exists() else None


class AlreadyLocked(Exception):
    """Another daemon owns the data directory."""


def lock(folder: Path) -> IO[str]:
    """Own the data directory for as long as the file stays open: the kernel lets go of it even after kill -9."""
    file = (folder / LOCK_FILE).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyLocked from None
    return file


def is_locked(folder: Path) -> bool:
    """Whether a daemon lives."""
    if not folder.exists():
        return False
    try:
        lock(folder).close()
    except AlreadyLocked:
        return True
    return False


def running(folder: Path) -> StackStatus | None:
    """The status of the living daemon, or nothing."""
    return StackStatus.read(folder) if is_locked(folder) else None
