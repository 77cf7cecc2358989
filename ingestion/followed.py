"""What all projects have defined, in a replica's memory and as old as a few seconds."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import structlog

log = structlog.get_logger(__name__)

Definition = TypeVar("Definition")
Kept = TypeVar("Kept", covariant=True)  # noqa: PLC0105 - the protocol's, beside the class's own


class Source(Protocol[Kept]):
    """Where definitions are kept."""

    async def version(self) -> str:
        """A text that changes whenever one of them does. Raises Unavailable."""
        ...

    async def all(self) -> Sequence[Kept]:
        """Those of every project. Raises Unavailable."""
        ...


class Followed(ABC, Generic[Definition]):
    """Reads the definitions whenever they have changed; while the store is away the last known ones hold.

    Args:
        source: where they are kept.
        refresh_seconds: how often it is looked at.
    """

    def __init__(self, source: Source[Definition], refresh_seconds: float) -> None:
        self._source = source
        self._refresh_seconds = refresh_seconds
        self._version: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether they have been read once."""
        return self._version is not None

    async def run(self) -> None:
        """Follow them for ever."""
        while True:
            await self.look()
            await asyncio.sleep(self._refresh_seconds)

    async def look(self) -> None:
        """Read them if they have changed and can be read."""
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - whatever it is, the last known ones hold
            log.warning("definitions_not_read", of=type(self).__name__, reason=repr(error))

    async def refresh(self) -> None:
        """Read them if they have changed; raises Unavailable."""
        version = await self._source.version()
        if version != self._version:
            self._adopt(await self._source.all())
            self._version = version

    @abstractmethod
    def _adopt(self, definitions: Sequence[Definition]) -> None:
        """These are in force from now on."""
