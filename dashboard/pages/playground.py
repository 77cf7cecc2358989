"""The playground: prompts tried on models, several side by side, and kept as versions."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.changes import PROMPTS
from dashboard.components import panes, playground
from dashboard.components.playground_column import PlaygroundColumn
from dashboard.components.playground_messages import Message
from dashboard.components.playground_trial import DatasetTrial
from dashboard.model_calls import PLAYGROUND, Question
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenPlayground, OpenPrompt, OpenTrace
from heliograph.domain.errors import HeliographError
from heliograph.domain.prompts import NewPrompt, Prompt, PromptType, placeholders, variables

MAX_COLUMNS = 4
START: list[Message] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "{{question}}"},
]


class PlaygroundView:
    """View of the playground; what it was opened with is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenPlayground()
        self.shell = Shell(context, self.opened)
        self.said = panes.html(margin=(8, 0, 0, 0))
        self.variables: dict[str, Any] = {}
        self.variable_row = pn.Row(
            sizing_mode="stretch_width", margin=(12, 0, 0, 0), styles={"flex-wrap": "wrap", "gap": "10px"}
        )
        self.row = pn.Row(
            sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles={"flex-wrap": "wrap", "gap": "14px"}
        )
        self.columns: list[PlaygroundColumn] = []
        self._offers: Mapping[str, Sequence[str]] = {}
        self._may_save = False

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Playground", self._load)

    async def _load(self) -> None:
        changes = self.context.changes
        link = self.shell.address.query(self.shell.scope)
        if not await changes.may(PLAYGROUND):
            self.shell.body[:] = [panes.html(playground.NOT_ALLOWED)]
            return
        self._offers = await changes.models.offers()
        if not self._offers:
            self.shell.body[:] = [panes.html(playground.no_connection(link))]
            return
        self._may_save = await changes.may(PROMPTS)
        self.shell.controls[:] = self._buttons()
        trial = DatasetTrial(self.context, self._first_question, lambda: [box.name for box in self.variable_row])
        self.shell.body[:] = [self.said, self.variable_row, self.row, *await trial.view()]
        messages, config = await self._begin()
        self._add(messages, config)

    def _buttons(self) -> list[pmui.Button]:
        run = pmui.Button(
            label="Run all", icon="play_arrow", color="primary", variant="contained", margin=(0, 12, 0, 0), sx=FIELD
        )
        stop = pmui.Button(label="Stop all", icon="stop", variant="outlined", margin=(0, 12, 0, 0), sx=FIELD)
        add = pmui.Button(label="Add column", icon="add", variant="outlined", margin=0, sx=FIELD)
        run.on_click(self._run_all)
        stop.on_click(self._stop_all)
        add.on_click(self._copy_last)
        return [run, stop, add]

    async def _begin(self) -> tuple[list[Message], Mapping[str, Any]]:
        """The messages and the settings with which the first column begins."""
        queries, opened = self.context.queries, self.opened
        if opened.prompt:
            whole = await queries.prompts.whole(opened.prompt, self.shell.scope.period())
            chosen = {prompt.version: prompt for prompt in whole.versions}.get(opened.version, whole.versions[0])
            return playground.messages_of(chosen.body), chosen.config if isinstance(chosen.config, dict) else {}
        if opened.trace:
            table = await queries.traces.observation(opened.trace, opened.observation)
            if table.num_rows:
                return playground.of_observation(table.slice(0, 1).to_pylist(maps_as_pydicts="lossy")[0])
        return START, {}

    def _add(self, messages: Sequence[Message], config: Mapping[str, Any]) -> PlaygroundColumn:
        column = PlaygroundColumn(
            self.context.changes.models, self._offers, messages, values=self._values, changed=self._offer_variables,
            link=self._trace_link,
        )  # fmt: skip
        column.adopt(config)
        if self.opened.prompt and not self.columns:
            column.prompt = (self.opened.prompt, self.opened.version) if self.opened.version else None
        self.columns.append(column)
        self._show()
        self._offer_variables()
        return column

    def _show(self) -> None:
        self.row[:] = [column.view(*self._below(column)) for column in self.columns]

    def _below(self, column: PlaygroundColumn) -> list[Any]:
        """Saving, and taking the column away."""
        parts: list[Any] = []
        if self._may_save:
            name = pmui.TextInput(
                label="Save as version of", value=self.opened.prompt, placeholder="folder/name", size="small",
                sizing_mode="stretch_width", margin=(0, 8, 0, 0),
            )  # fmt: skip
            save = pmui.Button(label="Save", icon="save", variant="outlined", margin=0, sx=FIELD)

            async def keep(*_: object) -> None:
                await self._save(column, name.value_input.strip())

            save.on_click(keep)
            parts.append(pn.Row(name, save, sizing_mode="stretch_width", margin=(14, 0, 4, 0)))
        if len(self.columns) > 1:
            away = pmui.Button(label="Remove column", icon="close", variant="text", size="small", margin=(4, 0, 0, 0))
            away.on_click(lambda *_: self._remove(column))
            parts.append(away)
        return parts

    def _remove(self, column: PlaygroundColumn) -> None:
        column.stop()
        self.columns.remove(column)
        self._show()
        self._offer_variables()

    def _copy_last(self, *_: object) -> None:
        if len(self.columns) >= MAX_COLUMNS:
            self.said.object = str(panes.refusal(f"{MAX_COLUMNS} columns stand side by side at most."))
            return
        last = self.columns[-1]
        try:
            config = last.settings()
        except HeliographError:
            config = {}
        self._add(last.editor.messages(), config)

    async def _run_all(self, *_: object) -> None:
        self.said.object = ""
        await asyncio.gather(*(column.run() for column in self.columns))

    def _stop_all(self, *_: object) -> None:
        for column in self.columns:
            column.stop()

    async def _save(self, column: PlaygroundColumn, name: str) -> None:
        try:
            new = NewPrompt(
                name=name, type=PromptType.CHAT, body=column.editor.messages(), config=column.settings(),
                created_by=self.context.viewer.user.email,
            )  # fmt: skip
            made: Prompt = await self.context.changes.create_prompt_version(new)
        except HeliographError as error:
            self.said.object = str(panes.refusal(str(error)))
            return
        column.prompt = (made.name, made.version)
        opened = OpenPrompt(prompt=made.name, version=made.version)
        href = f"/prompt{self.shell.address.query(self.shell.scope)}&{opened.write()}"
        self.said.object = str(playground.saved(made, href))

    def _offer_variables(self) -> None:
        """A box for each variable of the columns; what was typed stays."""
        bodies = [column.editor.messages() for column in self.columns]
        messages = {name for body in bodies for name in placeholders(body)}
        names = sorted({name for body in bodies for name in variables(body)} | messages)
        if names == [box.name for box in self.variable_row]:
            return
        for name in names:
            if name not in self.variables:
                label = f"{name} (JSON list of messages)" if name in messages else name
                self.variables[name] = pmui.TextAreaInput(
                    name=name, label=label, auto_grow=True, rows=1, max_rows=8, max_length=400_000, width=300, margin=0
                )
        self.variable_row[:] = [self.variables[name] for name in names]

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        placed = {name for column in self.columns for name in placeholders(column.editor.messages())}
        for name, box in self.variables.items():
            if box.value_input:
                values[name] = _messages(box.value_input) if name in placed else box.value_input
        return values

    def _first_question(self, values: Mapping[str, Any], name: str) -> Question:
        return self.columns[0].question({**self._values(), **values}, name)

    def _trace_link(self, trace_id: str) -> str:
        return f"/trace{self.shell.address.query(self.shell.scope)}&{OpenTrace(trace=trace_id).write()}"


def _messages(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return []
