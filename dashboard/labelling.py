"""One person's way through a queue: the item at hand, the next one already locked and read, and those seen before."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from dashboard.queries.annotation import OpenedItem
from dashboard.queue_work import QueueWork
from heliograph.domain.annotations import ItemStatus, QueueItem
from heliograph.domain.errors import HeliographError
from heliograph.domain.score_configs import ScoreConfig
from ingestion.annotated_scores import Answer

Open = Callable[[QueueItem], Awaitable[OpenedItem]]
IsWanted = Callable[[OpenedItem], bool]


class Labelling:
    """Moves between items. What is written goes on behind, and an item is complete only when all of it is stored.

    Args:
        work: what the person may do in the queue.
        open_item: reads what an item stands for.
        configs: by which items are scored.
        status: which items are gone through: PENDING, or COMPLETED for a second opinion.
        is_wanted: whether an item that was claimed is to be shown.
        on_trouble: is told what was not stored, and why.
    """

    def __init__(
        self,
        work: QueueWork,
        open_item: Open,
        *,
        configs: Sequence[ScoreConfig],
        status: ItemStatus = ItemStatus.PENDING,
        is_wanted: IsWanted = lambda _opened: True,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._work = work
        self._open = open_item
        self._configs = {config.id: config for config in configs}
        self._status = status
        self._is_wanted = is_wanted
        self._on_trouble = on_trouble
        self._seen: list[OpenedItem] = []
        self._passed: set[str] = set()
        self._at = -1
        self._ahead: asyncio.Task[OpenedItem | None] | None = None
        # The last one for each config of an item, which began when the one before had ended.
        self._writes: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._behind: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._completed: set[str] = set()

    @property
    def current(self) -> OpenedItem | None:
        """The item at hand; None when there is none left."""
        return self._seen[self._at] if 0 <= self._at < len(self._seen) else None

    @property
    def completed(self) -> int:
        """How many items were completed here, or are being so."""
        return len(self._completed)

    async def start(self, item_id: str = "") -> None:
        """Open an item, or the first that nobody else has; raises Conflict and AnnotationQueueItemNotFound."""
        if item_id:
            self._seen.append(await self._open(await self._work.lock(item_id)))
            self._at = 0
            self._look_ahead()
        else:
            await self.next()

    async def next(self) -> None:
        """Leave this item, for the one seen after it or for a fresh one."""
        self._leave()
        await self._go_ahead()

    def previous(self) -> None:
        """Go back to the item seen before this one, if there is one."""
        if self._at > 0:
            self._leave()
            self._at -= 1
            self._keep()

    async def complete(self) -> None:
        """Show the next item; this one is completed behind, once all that was said of it is stored."""
        if (opened := self.current) is not None:
            self._completed.add(opened.item.id)
            # Its lock ends with its completion: ended before, somebody else would be given it meanwhile.
            self._go_on(self._finish(opened.item.id))
            await self._go_ahead()

    def say(self, item_id: str, config_id: str, answer: Answer | None) -> None:
        """Store an answer behind, or take it back where it is None; of an item seen on this page."""
        config = self._configs.get(config_id)
        at = next((at for at, opened in enumerate(self._seen) if opened.item.id == item_id), None)
        if at is None or config is None or (subject := self._seen[at].subject) is None:
            return
        opened, target = self._seen[at], subject.target
        answers = {key: value for key, value in opened.answers.items() if key != config_id}
        self._seen[at] = replace(opened, answers=answers if answer is None else answers | {config_id: answer})
        writing = self._work.withdraw(config, target) if answer is None else self._work.score(config, answer, target)
        before = self._writes.get((item_id, config_id))
        self._writes[item_id, config_id] = task = asyncio.create_task(_after(before, writing))
        self._go_on(self._reported(task, config.name))

    async def leave(self) -> None:
        """Finish what goes on behind, and leave the items at hand to others."""
        self._leave()
        if self._ahead is not None and (ahead := await self._ahead) is not None:
            await self._work.release(ahead.item.id)
        await asyncio.gather(*self._behind, return_exceptions=True)

    async def _go_ahead(self) -> None:
        if self._at + 1 < len(self._seen):
            self._at += 1
            self._keep()
            return
        fresh = await self._ahead if self._ahead else await self._claimed()
        self._ahead = None
        self._at = len(self._seen)
        if fresh is not None:
            self._seen.append(fresh)
            self._look_ahead()

    def _look_ahead(self) -> None:
        self._ahead = asyncio.create_task(self._claimed())

    async def _claimed(self) -> OpenedItem | None:
        """A fresh item, locked and read."""
        while True:
            known = {opened.item.id for opened in self._seen} | self._passed
            item = await self._work.claim(known, self._status)
            if item is None:
                return None
            opened = await self._open(item)
            if self._is_wanted(opened):
                return opened
            self._passed.add(item.id)
            await self._work.release(item.id)

    def _leave(self) -> None:
        """Leave the item at hand to others, once what was said of it is stored."""
        if (opened := self.current) is not None:
            self._go_on(self._in_turn(self._work.release(opened.item.id)))

    def _keep(self) -> None:
        """Lock the item at hand again."""
        if (opened := self.current) is not None:
            self._go_on(self._in_turn(self._locked(opened.item.id)))

    async def _in_turn(self, change: Coroutine[Any, Any, None]) -> None:
        """Locks end and begin in the order in which items were left and opened."""
        async with self._turn:
            await change

    async def _locked(self, item_id: str) -> None:
        try:
            await self._work.lock(item_id)
        except HeliographError as error:
            self._on_trouble(str(error))

    async def _finish(self, item_id: str) -> None:
        writing = [task for (of_item, _), task in self._writes.items() if of_item == item_id]
        written = await asyncio.gather(*writing, return_exceptions=True)
        if any(isinstance(each, BaseException) for each in written):
            self._fail(item_id, "not all of its scores were stored: go back (←)")
            return
        try:
            await self._work.complete(item_id)
        except HeliographError as error:
            self._fail(item_id, str(error))

    def _fail(self, item_id: str, reason: str) -> None:
        self._completed.discard(item_id)
        self._on_trouble(f"The item before was not completed: {reason}")

    async def _reported(self, writing: asyncio.Task[None], name: str) -> None:
        try:
            await writing
        except HeliographError as error:
            self._on_trouble(f"{name} was not stored: {error}")

    def _go_on(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)


async def _after(before: asyncio.Task[None] | None, writing: Coroutine[Any, Any, None]) -> None:
    """What was said later is stored later."""
    if before is not None:
        await asyncio.wait([before])
    await writing
