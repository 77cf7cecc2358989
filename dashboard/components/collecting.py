"""Puts what is chosen on a page into a dataset or into an annotation queue."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.annotation_changes import QUEUES
from dashboard.components import formats, panes
from dashboard.dataset_changes import DATASETS
from dashboard.shell import FIELD, PageContext
from heliograph.domain.annotations import Annotated
from heliograph.domain.errors import HeliographError

BUTTON: dict[str, Any] = {"variant": "outlined", "margin": 0, "sx": FIELD}
_CHOICE: dict[str, Any] = {"width": 170, "size": "small", "margin": 0, "sx": FIELD}


class Collecting:
    """Choices of datasets and queues, each with its button.

    Args:
        context: of the page.
        chosen: tells what is chosen when a button is pressed.
        tell: shows what came of it.
    """

    def __init__(
        self, context: PageContext, chosen: Callable[[], Sequence[Annotated]], tell: Callable[[Markup], None]
    ) -> None:
        self._context, self._chosen, self._tell = context, chosen, tell
        self._dataset = pmui.Select(label="Dataset", options=[], **_CHOICE)
        self._queue = pmui.Select(label="Queue", options={}, **_CHOICE)
        self._to_dataset = pmui.Button(label="Add to dataset", icon="dataset", **BUTTON)
        self._to_queue = pmui.Button(label="Add to queue", icon="rate_review", **BUTTON)
        self._to_dataset.on_click(self._acting(self._add_to_dataset))
        self._to_queue.on_click(self._acting(self._add_to_queue))

    async def offered(self) -> list[Any]:
        """Both, as far as the user's role allows and the project has any."""
        return [*await self.datasets(), *await self.queues()]

    async def datasets(self) -> list[Any]:
        """The choice of a dataset and its button."""
        names = await self._context.queries.datasets.names()
        if not names or not await self._context.changes.may(DATASETS):
            return []
        self._dataset.param.update(options=names, value=names[0])
        return [self._dataset, self._to_dataset]

    async def queues(self) -> list[Any]:
        """The choice of a queue and its button."""
        names = await self._context.queries.annotation.names()
        if not names or not await self._context.changes.may(QUEUES):
            return []
        self._queue.param.update(options=names, value=next(iter(names.values())))
        return [self._queue, self._to_queue]

    def _acting(self, act: Callable[[Sequence[Annotated]], Awaitable[str]]) -> Callable[..., Awaitable[None]]:
        async def acting(*_: object) -> None:
            try:
                told = panes.success(await act(self._chosen()))
            except HeliographError as error:
                told = panes.refusal(str(error))
            self._tell(told)

        return acting

    async def _add_to_dataset(self, objects: Sequence[Annotated]) -> str:
        items = await self._context.queries.annotation.as_items(objects)
        added = await self._context.changes.datasets.add(self._dataset.value, items)
        return f"{_counted(added)} added to {self._dataset.value}, with the output as what is expected."

    async def _add_to_queue(self, objects: Sequence[Annotated]) -> str:
        added = await self._context.changes.annotation.add(self._queue.value, objects)
        rest = "." if added == len(objects) else "; the others waited there already."
        return f"{_counted(added)} added to the queue{rest}"


def _counted(count: int) -> str:
    return f"{formats.count(count)} {'item' if count == 1 else 'items'}"
