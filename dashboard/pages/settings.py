"""How a project is set up: what it is, how to send to it, the models that it asks, its keys and its score configs."""

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import formats, operations, panes
from dashboard.components.connections import ConnectionsCard
from dashboard.components.payload import facts
from dashboard.components.tables import table
from dashboard.mandate import ADMINISTRATION
from dashboard.queries.settings import ProjectSettings
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenSettings
from heliograph.domain.access import ListedKey
from heliograph.domain.score_configs import ScoreConfig


class SettingsView:
    """View of the settings of a project."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenSettings()
        self.shell = Shell(context, self.opened)
        self.connections = ConnectionsCard(
            context, self.opened, self.shell.address.query(self.shell.scope), reload=self._load
        )

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Settings", self._load)

    async def _load(self) -> None:
        project, found = self.context.project, await self.context.queries.settings.project()
        kept = f"{project.retention_days} days" if project.retention_days else "for ever"
        about = facts(
            [
                ("Project", project.name), ("Id", project.id), ("Organization", project.organization_name),
                ("Created", f"{formats.moment(project.created_at)} UTC"), ("Data are kept", kept),
                ("Address for SDKs", self.context.url), ("OpenTelemetry", f"{self.context.url}/api/public/otel"),
            ]
        )  # fmt: skip
        texts = (("Project", about), ("API keys", _keys(found)), ("Score configs", _configs(found)))
        project_card, *others = [panes.card(title, panes.html(content)) for title, content in texts]
        cards = [project_card, *await self.connections.view(), *others]
        if await self.context.changes.may(ADMINISTRATION):
            link = self.shell.address.query(self.shell.scope)
            self.shell.controls[:] = [panes.html(operations.way_between(self.context.path, link))]
        self.shell.body[:] = [pn.Column(*cards, sizing_mode="stretch_width", margin=(0, 0, 14, 0), styles=panes.GRID)]


def _keys(found: ProjectSettings) -> Markup:
    titles = ["Public key", "Secret key", "Note", "Created (UTC)", "Last used (UTC)", "State"]
    return table(titles, [_key(key) for key in found.keys], numbers=0)


def _key(key: ListedKey) -> list[str]:
    state = "revoked" if key.revoked_at else f"until {formats.moment(key.expires_at)}" if key.expires_at else "valid"
    used = formats.moment(key.last_used_at)
    return [key.public_key, key.secret_display, key.note, formats.moment(key.created_at), used, state]


def _configs(found: ProjectSettings) -> Markup:
    if not found.score_configs:
        return Markup('<p class="absent">No score configs.</p>')
    rows = [_config(config) for config in found.score_configs]
    return table(["Name", "Type", "Values", "Description", "State"], rows, numbers=0)


def _config(config: ScoreConfig) -> list[str]:
    values = ", ".join(f"{category.label} ({category.value:g})" for category in config.categories)
    if config.min_value is not None or config.max_value is not None:
        values = f"{formats.number(config.min_value)} to {formats.number(config.max_value)}"
    state = "archived" if config.is_archived else "in use"
    return [config.name, config.data_type.lower(), values, config.description or "", state]
