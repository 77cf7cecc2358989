"""One column of the playground: what is asked of one model, and its answer as it comes."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import formats, panes
from dashboard.components.model_picker import ModelPicker
from dashboard.components.payload import pretty, prose, section
from dashboard.components.playground_messages import Message, MessageEditor
from dashboard.model_calls import ModelCalls, Question, Reply
from evals.providers.chat import ChatRequest
from heliograph.domain.errors import HeliographError, InvalidRequest
from heliograph.domain.prompts import compiled

_WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (0, 0, 10, 0)}
_SURFACE = {"flex": "1 1 380px", "min-width": "min(360px, 100%)"}
_REDRAW_SECONDS = 0.08
NUMBERS = {"temperature": "Temperature", "max_tokens": "Max tokens", "top_p": "Top p"}


class PlaygroundColumn:
    """What is asked and what came back.

    Args:
        calls: of the user.
        offers: the models by provider.
        messages: what the editor begins with.
        values: tells the values of the variables.
        changed: is called when the messages may have changed.
        link: makes the address of a trace's page.
    """

    def __init__(
        self,
        calls: ModelCalls,
        offers: Mapping[str, Sequence[str]],
        messages: Sequence[Message],
        *,
        values: Callable[[], Mapping[str, Any]],
        changed: Callable[[], None],
        link: Callable[[str], str],
    ) -> None:
        self._calls, self._values, self._link = calls, values, link
        self.prompt: tuple[str, int] | None = None
        self.model = ModelPicker(offers, **_WIDE)
        self.editor = MessageEditor(messages, changed)
        self.numbers = {
            name: pmui.TextInput(label=label, size="small", sizing_mode="stretch_width", margin=(0, 8, 0, 0))
            for name, label in NUMBERS.items()
        }
        self.tools = pmui.TextAreaInput(
            label="Tools (JSON list)", rows=4, max_length=100_000, placeholder='[{"type": "function", …}]', **_WIDE
        )
        self.schema = pmui.TextAreaInput(label="JSON schema of the answer", rows=4, max_length=100_000, **_WIDE)
        self.run_button = pmui.Button(label="Run", icon="play_arrow", color="primary", variant="contained", margin=0)
        self.stop_button = pmui.Button(
            label="Stop", icon="stop", variant="outlined", margin=(0, 0, 0, 8), visible=False
        )
        self.run_button.on_click(self._on_run)
        self.stop_button.on_click(lambda *_: self.stop())
        self.answer = panes.html(margin=(12, 0, 0, 0))
        self.reply: Reply | None = None
        self._running: asyncio.Task[None] | None = None

    def view(self, *below: Any) -> pmui.Paper:
        """The column, with what belongs below its answer."""
        more = pmui.Accordion(
            ("Tools and structured output", pn.Column(self.tools, self.schema, sizing_mode="stretch_width", margin=0)),
            sizing_mode="stretch_width", margin=(0, 0, 12, 0), disable_gutters=True, elevation=0,
        )  # fmt: skip
        column = panes.paper(
            self.model.box,
            pn.Row(*self.numbers.values(), sizing_mode="stretch_width", margin=(0, 0, 14, 0)),
            self.editor.view(),
            more,
            pn.Row(self.run_button, self.stop_button, sizing_mode="stretch_width", margin=0),
            self.answer,
            *below,
        )
        column.styles = _SURFACE
        return column

    def choose(self, model: str) -> None:
        """Choose the first offer of a model of this name, where there is one."""
        self.model.choose(model)

    def settings(self) -> dict[str, Any]:
        """The model and its parameters, as a prompt's configuration keeps them; raises InvalidRequest."""
        shapes = {"tools": self._tools(), "schema": self._schema()}
        given = {name: value for name, value in shapes.items() if value}
        return {"model": self.model.chosen()[1], **self._parameters(), **given}

    def adopt(self, config: Mapping[str, Any]) -> None:
        """Take the model and the parameters from a prompt's configuration, or an observation's parameters."""
        self.choose(str(config.get("model", "")))
        for name, box in self.numbers.items():
            if isinstance(config.get(name), int | float | str):
                box.param.update(value=str(config[name]), value_input=str(config[name]))
        for name, area in (("tools", self.tools), ("schema", self.schema)):
            if config.get(name):
                text = json.dumps(config[name], indent=2, ensure_ascii=False)
                area.param.update(value=text, value_input=text)

    def question(self, values: Mapping[str, Any], name: str = "Playground") -> Question:
        """What is asked with these values of the variables; raises InvalidRequest."""
        provider, model = self.model.chosen()
        messages = compiled(self.editor.messages(), values)
        if not messages:
            raise InvalidRequest("messages", "are empty: write what the model is asked")
        request = ChatRequest(messages, self._parameters(), tools=self._tools(), schema=self._schema())
        return Question(provider, model, request, self.prompt, name)

    async def run(self) -> None:
        """Ask, and show the answer as it comes, until it is whole or stopped."""
        if self._running and not self._running.done():
            return
        self._running = asyncio.create_task(self._ask())
        await asyncio.wait([self._running])

    def stop(self) -> None:
        """End the call; what has come stays."""
        if self._running:
            self._running.cancel()

    async def _on_run(self, *_: object) -> None:
        await self.run()

    async def _ask(self) -> None:
        self.run_button.disabled, self.stop_button.visible = True, True
        self.reply = None
        self.answer.object = '<p class="quiet" role="status">Waiting for the first word…</p>'
        drawn = 0.0
        try:
            question = self.question(self._values())
            async for reply in self._calls.ask(question):
                self.reply = reply
                if reply.answer.is_done or time.monotonic() - drawn > _REDRAW_SECONDS:
                    self.answer.object = str(self._shown(reply, "" if reply.answer.is_done else "answering"))
                    drawn = time.monotonic()
        except asyncio.CancelledError:
            self._end("stopped", Markup(""))
        except HeliographError as error:
            self._end("failed", panes.refusal(str(error)) + _advice(error))
        finally:
            self.run_button.disabled, self.stop_button.visible = False, False

    def _end(self, state: str, told: Markup) -> None:
        so_far = self._shown(self.reply, state) if self.reply else Markup('<p class="quiet">{}</p>').format(state)
        self.answer.object = str(so_far + told)

    def _shown(self, reply: Reply, state: str) -> Markup:
        answer = reply.answer
        facts = [
            state,
            formats.duration(reply.latency_ms),
            f"first word after {formats.duration(reply.first_ms)}" if reply.first_ms is not None else "",
            f"{formats.count(answer.usage['total'])} tokens" if answer.usage else "",
            formats.cost(reply.cost_usd) if answer.is_done and reply.cost_usd is not None else "",
            answer.finish_reason if answer.finish_reason not in {"", "stop"} else "",
        ]
        told = Markup('<p class="quiet" role="status">{}</p>').format(" · ".join(filter(None, facts)))
        trace = Markup('<p class="quiet"><a href="{}">Open its trace</a></p>').format(self._link(reply.trace_id))
        calls = section("Tool calls", pretty([call["function"] for call in answer.tool_calls]))
        text = prose(answer.text) if answer.text else Markup("")
        return section("Answer", text + calls if text or calls else told) + told + (trace if reply.trace_id else "")

    def _parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, box in self.numbers.items():
            if text := box.value_input.strip():
                try:
                    found[name] = int(text) if name == "max_tokens" else float(text)
                except ValueError:
                    raise InvalidRequest(NUMBERS[name].lower(), f"{text!r} is no number") from None
        return found

    def _tools(self) -> list[dict[str, Any]]:
        tools = _json(self.tools.value_input, "tools")
        if tools is not None and not (isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools)):
            raise InvalidRequest("tools", 'are a list: [{"type": "function", "function": {"name": "…"}}]')
        return tools or []

    def _schema(self) -> dict[str, Any] | None:
        schema = _json(self.schema.value_input, "JSON schema")
        if schema is not None and not isinstance(schema, dict):
            raise InvalidRequest("JSON schema", "is an object")
        return schema


def _json(text: str, field: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidRequest(field, f"is no JSON: {error}") from error


def _advice(error: HeliographError) -> Markup:
    """What to do about an error that a person removes."""
    block = getattr(error, "block", "")
    if not block:
        return Markup("")
    return Markup(
        '<p class="quiet">Look at the connection under <a href="/settings">Settings</a>: its key, its address, its'
        " account and its list of models.</p>"
    )
