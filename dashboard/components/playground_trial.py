"""Runs the first column of the playground on the items of a dataset, as a run of that dataset."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import formats, panes
from dashboard.dataset_changes import RUNS
from dashboard.model_calls import Question
from dashboard.shell import FIELD, PageContext
from dashboard.state import ListState, OpenDataset
from heliograph.domain.datasets import DatasetItem
from heliograph.domain.errors import HeliographError

AT_ONCE = 4
SIZES = [10, 25, 50, 100]
Ask = Callable[[Mapping[str, Any], str], Question]


class DatasetTrial:
    """A form, and what comes of it: one trace for each item, and a run of the dataset that holds them.

    Args:
        context: of the page.
        question: makes what is asked of the values of an item; raises InvalidRequest.
        variables: tells the names of the variables.
    """

    def __init__(self, context: PageContext, question: Ask, variables: Callable[[], Sequence[str]]) -> None:
        self._context, self._question, self._variables = context, question, variables
        look: dict[str, Any] = {"size": "small", "margin": (0, 10, 0, 0), "sx": FIELD}
        self._dataset = pmui.Select(label="Dataset", options=[], width=220, **look)
        self._size = pmui.Select(label="Items at most", options=SIZES, value=SIZES[1], width=120, **look)
        self._start = pmui.Button(label="Run the first column on it", icon="play_arrow", variant="outlined", sx=FIELD)
        self._said = panes.html(margin=(8, 0, 0, 0))
        self._start.on_click(self._run)

    async def view(self) -> list[Any]:
        """The form, folded; nothing where there is no dataset or the role may not run on one."""
        names = await self._context.queries.datasets.names()
        if not names or not await self._context.changes.may(RUNS):
            return []
        self._dataset.param.update(options=names, value=names[0])
        words = panes.html(
            '<p class="quiet">Each item fills the variables of the same names from its input; a prompt with one'
            " variable takes an input that is a text. The answers are traces, and a run of the dataset.</p>"
        )
        row = pn.Row(self._dataset, self._size, self._start, sizing_mode="stretch_width", margin=0)
        form = pn.Column(words, row, self._said, sizing_mode="stretch_width", margin=0)
        return [
            pmui.Accordion(
                ("Run on a dataset", form), sizing_mode="stretch_width", margin=(14, 0, 0, 0), disable_gutters=True,
                elevation=0,
            )
        ]  # fmt: skip

    async def _run(self, *_: object) -> None:
        self._start.disabled = True
        name = f"playground {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        try:
            found = await self._context.queries.datasets.items(self._dataset.value, ListState(size=SIZES[-1]))
            await self._run_items(found.items[: self._size.value], name)
        except HeliographError as error:
            self._said.object = str(panes.refusal(str(error)))
        finally:
            self._start.disabled = False

    async def _run_items(self, items: Sequence[DatasetItem], name: str) -> None:
        # The first question tells at once what cannot be asked of any.
        questions = [self._question(values_of(item.input, self._variables()), name) for item in items]
        slots, done, failures = asyncio.Semaphore(AT_ONCE), 0, []

        async def one(item: DatasetItem, question: Question) -> None:
            nonlocal done
            async with slots:
                try:
                    reply = await self._context.changes.models.whole(question)
                    await self._context.changes.datasets.report(name, item.id, reply.trace_id)
                except HeliographError as error:
                    failures.append(str(error))
            done += 1
            self._said.object = f'<p class="quiet" role="status">{done} of {len(items)} asked…</p>'

        await asyncio.gather(*(one(item, question) for item, question in zip(items, questions, strict=True)))
        self._said.object = str(self._told(len(items), failures))

    def _told(self, count: int, failures: Sequence[str]) -> Markup:
        opened = OpenDataset(dataset=self._dataset.value)
        href = f"/dataset?project={self._context.project.id}&{opened.write()}"
        text = Markup('{} items were answered: see the runs of <a href="{}">{}</a>.')
        told = panes.success(text.format(formats.count(count - len(failures)), href, self._dataset.value))
        return told + panes.refusal(f"{len(failures)} failed: {failures[0]}") if failures else told


def values_of(given: Any, names: Sequence[str]) -> dict[str, Any]:
    """The values of variables from the input of an item: its members, or all of it where there is one variable."""
    if isinstance(given, Mapping):
        return dict(given)
    return {names[0]: given} if len(names) == 1 and given is not None else {}
