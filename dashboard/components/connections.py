"""The LLM connections of a project in its settings: the list, the form of one with its test, the default model."""

from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import formats, panes
from dashboard.components.connection_form import ConnectionForm
from dashboard.components.evaluators import named
from dashboard.components.model_picker import ModelPicker
from dashboard.components.widgets import DataTable
from dashboard.connection_changes import KEEPING, ModelAnswer
from dashboard.evaluator_changes import DEFAULT_MODEL
from dashboard.shell import FIELD, PageContext
from dashboard.state import NEW_CONNECTION, OpenSettings
from heliograph.domain.llm_connections import LlmConnection
from heliograph.domain.project_evaluators import ModelChoice

COLUMNS = [
    {"field": "provider", "title": "Name", "kind": "strong"},
    {"field": "adapter", "title": "Protocol"},
    {"field": "secret", "title": "Secret key"},
    {"field": "base_url", "title": "Base URL"},
    {"field": "models", "title": "Models"},
    {"field": "headers", "title": "Extra headers", "kind": "chips"},
    {"field": "updated_at", "title": "Changed (UTC)"},
]
NONE_YET = Markup(
    '<p class="absent">None yet. Judges, the playground and prompt experiments ask models through a connection: make'
    " the first one.</p>"
)
_ROW = {"flex-wrap": "wrap", "row-gap": "10px"}


class ConnectionsCard:
    """The connections, one of which may be open.

    Args:
        context: of the page.
        opened: which one is open.
        link: the query string of links to the settings without an open one.
        reload: fills the page anew.
    """

    def __init__(
        self, context: PageContext, opened: OpenSettings, link: str, *, reload: Callable[[], Awaitable[None]]
    ) -> None:
        self._context, self._opened, self._link, self._reload = context, opened, link, reload
        self.said = panes.html()

    async def view(self) -> list[Any]:
        """The list with the open connection below it, and the default model."""
        changes = self._context.changes
        found = await changes.connections.kept()
        may_keep = all([await changes.may(scope) for scope in KEEPING])
        parts: list[Any] = [self._table(found) if found else panes.html(NONE_YET), self.said]
        if may_keep and self._opened.connection:
            before = next((each for each in found if each.provider == self._opened.connection), None)
            parts.append(self._editor(before))
        elif may_keep:
            href = f"/settings{self._link}&{OpenSettings(connection=NEW_CONNECTION).write()}"
            parts.append(
                pmui.Button(label="New connection", icon="add", href=href, variant="outlined", margin=(4, 0, 8, 0))
            )
        return [panes.card("LLM connections", *parts), await self._default()]

    def _table(self, found: list[LlmConnection]) -> DataTable:
        rows = [
            {
                "href": f"/settings{self._link}&{OpenSettings(connection=each.provider).write()}",
                "provider": each.provider,
                "adapter": each.adapter.value,
                "secret": each.secret_display,
                "base_url": each.base_url or "the provider's own",
                "models": ", ".join([*each.custom_models, *(["all known"] if each.with_default_models else [])]),
                "headers": list(each.extra_header_keys),
                "updated_at": formats.moment(each.updated_at),
            }
            for each in found
        ]
        return DataTable(
            on_sort=lambda _: None, columns=COLUMNS, rows=rows, caption="LLM connections",
            sizing_mode="stretch_width", margin=(10, 0, 12, 0),
        )  # fmt: skip

    def _editor(self, before: LlmConnection | None) -> pn.Column:
        form, result = ConnectionForm(before), panes.html(margin=(8, 0, 0, 0))
        model = pmui.TextInput(
            label="Model to test with", value=next(iter(before.custom_models), "") if before else "", size="small",
            placeholder="gpt-4o-mini", width=240, margin=(0, 12, 0, 0), sx=FIELD,
        )  # fmt: skip
        look: dict[str, Any] = {"margin": (0, 12, 0, 0), "sx": FIELD}
        test = pmui.Button(label="Test", icon="bolt", variant="outlined", **look)
        save = pmui.Button(label="Save the connection", icon="save", color="primary", variant="contained", **look)
        close = pmui.Button(label="Close", href=f"/settings{self._link}", variant="text", **look)

        async def ask() -> None:
            result.object = '<p class="quiet" role="status">Asking…</p>'
            asked = model.value_input.strip() or next(iter(form.own_models()), "")
            answer = await self._context.changes.connections.test(form.new(), asked)
            result.object = str(_answered(answer, asked))

        async def keep() -> None:
            kept = await self._context.changes.connections.put(form.new())
            await self._done(f"The connection {kept.provider} is kept.")

        test.on_click(panes.telling(result, ask))
        save.on_click(panes.telling(result, keep))
        buttons = [model, test, save, *([self._deletion(before, result)] if before else []), close]
        title = panes.html(Markup('<h3 class="plot">{}</h3>').format(before.provider if before else "New connection"))
        row = pn.Row(*buttons, sizing_mode="stretch_width", margin=(4, 0, 8, 0), styles=_ROW)
        return pn.Column(title, form.view(), row, result, sizing_mode="stretch_width", margin=(6, 0), max_width=960)

    def _deletion(self, before: LlmConnection, result: pn.pane.HTML) -> pmui.Button:
        button = pmui.Button(
            label="Delete", icon="delete", color="error", variant="outlined", margin=(0, 12, 0, 0), sx=FIELD
        )  # fmt: skip

        async def delete() -> None:
            await self._context.changes.connections.delete(before.id)
            await self._done(f"The connection {before.provider} is deleted.")

        button.on_click(panes.telling(result, delete))
        return button

    async def _default(self) -> pmui.Paper:
        """The model that judges ask which name none, and where it is chosen."""
        changes, queries = self._context.changes, self._context.queries
        chosen = await queries.evaluators.default_model()
        told = Markup('<p class="quiet">{}</p>').format(
            f"Judges that name no model ask {named(chosen)}." if chosen else "Judges that name no model cannot run."
        )
        parts: list[Any] = [panes.html(told, margin=(8, 0, 0, 0))]
        if await changes.may(DEFAULT_MODEL):
            parts.append(self._choice(chosen, await changes.models.offers()))
        return panes.card("Default model for evaluations", *parts)

    def _choice(self, chosen: ModelChoice | None, offers: dict[str, list[str]]) -> pn.Row:
        picker = ModelPicker(offers, width=380, margin=(0, 12, 0, 0))
        if chosen:
            picker.choose(chosen.model, chosen.provider)
        look: dict[str, Any] = {"variant": "outlined", "margin": (0, 12, 0, 0), "sx": FIELD}
        take, none = pmui.Button(label="Make it the default", **look), pmui.Button(label="Have none", **look)

        async def choose() -> None:
            provider, model = picker.chosen()
            await self._context.changes.evaluators.set_default_model(ModelChoice(provider=provider, model=model))
            await self._done("The default model is chosen.")

        async def drop() -> None:
            await self._context.changes.evaluators.set_default_model(None)
            await self._done("There is no default model any more.")

        take.on_click(panes.telling(self.said, choose))
        none.on_click(panes.telling(self.said, drop))
        buttons = [take, *([none] if chosen else [])]
        return pn.Row(picker.box, *buttons, sizing_mode="stretch_width", margin=(0, 0, 12, 0), styles=_ROW)

    async def _done(self, words: str) -> None:
        self._opened.connection = ""
        await self._reload()
        self.said.object = str(panes.success(words))


def _answered(answer: ModelAnswer, model: str) -> Markup:
    facts = [model, formats.duration(answer.latency_ms), formats.cost(answer.cost_usd) if answer.cost_usd else ""]
    told = Markup('It works: "{}" <span class="quiet">{}</span>').format(
        answer.text.strip()[:200], " · ".join(filter(None, facts))
    )
    return panes.success(told)
