"""The dashboard as one ASGI application: sign-in, pages, their websockets and their static files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import panel as pn
import panel_material_ui as pmui
from bokeh.core.validation import silence
from bokeh.core.validation.warnings import EMPTY_LAYOUT
from bokeh.embed.bundle import extension_dirs
from bokeh.settings import settings as bokeh_settings
from fastapi import FastAPI
from markupsafe import Markup
from panel.io.fastapi import add_applications
from starlette.routing import Mount

from dashboard.bokeh_sessions import mend_websockets
from dashboard.changes import ProjectChanges
from dashboard.components import panes
from dashboard.components.widgets import ShellBar, SideNav
from dashboard.compressed_files import CompressedFiles
from dashboard.files import Files
from dashboard.gate import Gate, Memberships
from dashboard.identity_provider import IdentityProvider
from dashboard.login import Login
from dashboard.model_calls import Providers
from dashboard.own_events import OwnEvents
from dashboard.pages.annotation import AnnotationTable
from dashboard.pages.dashboard import DashboardView
from dashboard.pages.dashboards import DashboardShelf
from dashboard.pages.dataset import DatasetView
from dashboard.pages.datasets import DatasetTable
from dashboard.pages.evaluator import EvaluatorView
from dashboard.pages.evaluators import EvaluatorTable
from dashboard.pages.labelling import LabellingView
from dashboard.pages.observations import ObservationTable
from dashboard.pages.operations import OperationsView
from dashboard.pages.overview import Overview
from dashboard.pages.playground import PlaygroundView
from dashboard.pages.prompt import PromptView
from dashboard.pages.prompts import PromptShelfView
from dashboard.pages.queue import QueueView
from dashboard.pages.rule import RuleView
from dashboard.pages.rules import RuleTable
from dashboard.pages.run import RunView
from dashboard.pages.runs import RunTable
from dashboard.pages.score_analytics import ScoreAnalyticsView
from dashboard.pages.scores import ScoreTable
from dashboard.pages.session import SessionView
from dashboard.pages.sessions import SessionTable
from dashboard.pages.settings import SettingsView
from dashboard.pages.trace import TraceView
from dashboard.pages.traces import TraceTable
from dashboard.pages.users import UserTable
from dashboard.queries.project import Measured, ProjectQueries
from dashboard.sessions import Sessions
from dashboard.shell import PageContext, framed
from dashboard.single_sign_on import CALLBACK_PATH, SingleSignOn
from dashboard.state import query_of
from dashboard.viewer import Viewer, current_viewer
from heliograph.domain.access import Role
from heliograph.outbound import Outbound
from heliograph.settings import SingleSignOnSettings
from storage.clickhouse.connection import ClickHouse
from storage.objects.media import MediaObjects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.sign_ons import SignOns
from storage.postgres.users import Users


class View(Protocol):
    """A page of one visitor."""

    def page(self) -> pmui.Page:
        """What the browser is sent; it fills itself once the browser has it."""


PAGES: Mapping[str, Callable[[PageContext], View]] = {
    "/": Overview,
    "/traces": TraceTable,
    "/trace": TraceView,
    "/observations": ObservationTable,
    "/sessions": SessionTable,
    "/session": SessionView,
    "/users": UserTable,
    "/scores": ScoreTable,
    "/score-analytics": ScoreAnalyticsView,
    "/prompts": PromptShelfView,
    "/prompt": PromptView,
    "/datasets": DatasetTable,
    "/dataset": DatasetView,
    "/playground": PlaygroundView,
    "/evaluators": EvaluatorTable,
    "/evaluator": EvaluatorView,
    "/rules": RuleTable,
    "/rule": RuleView,
    "/runs": RunTable,
    "/run": RunView,
    "/annotation": AnnotationTable,
    "/queue": QueueView,
    "/labelling": LabellingView,
    "/dashboards": DashboardShelf,
    "/dashboard": DashboardView,
    "/settings": SettingsView,
    "/operations": OperationsView,
}
# Until the browser, which may be busy with many pages, opens its websocket; later ones would find no page.
SESSION_UNUSED_MILLISECONDS = 60_000


@dataclass(frozen=True)
class DashboardDependencies:
    """What the dashboard is built from.

    Attributes:
        users: sign-in and memberships.
        api_keys: the public key to show in the first steps.
        clickhouse: what the readers of traces and scores ask.
        database: what the readers of everything else ask.
        media: where the files of projects lie.
        events: the way of what people score, ask of models and delete.
        providers: how the models of a project's connections are reached.
        url: the origin at which browsers reach the dashboard.
        session_secret: signs the cookies and the websocket tokens.
        measured: what the stack has measured of itself.
        more_origins: further origins that may open websockets, such as localhost beside 127.0.0.1.
        single_sign_on: the identity provider by which people sign in, if there is one.
        outbound: how it is called.
    """

    users: Users
    api_keys: ApiKeys
    clickhouse: ClickHouse
    database: Database
    media: MediaObjects
    events: OwnEvents
    providers: Providers
    url: str
    session_secret: str
    measured: Measured = field(default_factory=Measured)
    more_origins: tuple[str, ...] = ()
    single_sign_on: SingleSignOnSettings = field(default_factory=SingleSignOnSettings)
    outbound: Outbound = field(default_factory=Outbound)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose pages may use the dashboard."""
        alias = self.url.replace("//127.0.0.1", "//localhost", 1)
        return frozenset({self.url, alias, *self.more_origins})


def dashboard_application(dependencies: DashboardDependencies) -> FastAPI:
    """The whole dashboard. It may be built inside a running event loop; nothing is started before the first request."""
    mend_websockets()
    # Pages are empty until their data has come.
    silence(EMPTY_LAYOUT)
    pn.extension(design=pmui.MaterialDesign, respect_explicit_sizing=True)
    application = FastAPI(openapi_url=None)
    sessions = Sessions(dependencies.session_secret)
    login = Login(
        dependencies.users.verify,
        sessions,
        dependencies.origins,
        is_https=dependencies.url.startswith("https://"),
        single_sign_on=_single_sign_on(dependencies, sessions),
    )
    files = Files(dependencies.database, dependencies.media)
    application.router.routes.extend([*login.routes, files.route, *_folders()])
    add_applications(
        {path: _opener(dependencies, path) for path in PAGES},
        app=application,
        title="Heliograph",
        websocket_origin=[urlsplit(origin).netloc for origin in dependencies.origins],
        secret_key=dependencies.session_secret.encode(),
        sign_sessions=True,
        unused_session_lifetime_milliseconds=SESSION_UNUSED_MILLISECONDS,
    )
    application.add_middleware(
        Gate,
        sessions=sessions,
        memberships=Memberships(dependencies.users.projects_of),
        origins=dependencies.origins,
        files=files.origin,
    )
    return application


def _folders() -> list[Mount]:
    """Our own files, and those of Bokeh and its extensions; it mounts them, too, but later and uncompressed."""
    folders = {
        "/assets": Path(__file__).parent / "assets",
        **{f"/static/extensions/{name}": Path(folder) for name, folder in extension_dirs.items()},
        "/static": Path(bokeh_settings.bokehjs_path()),
    }
    return [Mount(path, CompressedFiles(directory=folder)) for path, folder in folders.items()]


def _single_sign_on(dependencies: DashboardDependencies, sessions: Sessions) -> SingleSignOn | None:
    settings = dependencies.single_sign_on
    if not settings.issuer:
        return None
    return SingleSignOn(
        IdentityProvider(settings, dependencies.outbound, dependencies.url + CALLBACK_PATH),
        SignOns(dependencies.database, settings.organization, Role(settings.role)).user,
        sessions,
        settings.allowed_domains,
        settings.label,
    )


def _opener(dependencies: DashboardDependencies, path: str) -> Callable[[], Any]:
    # Panel takes only plain functions for applications: a partial would be shown as a value.
    def open_page() -> Any:
        return _open(dependencies, path)

    return open_page


def _open(dependencies: DashboardDependencies, path: str) -> Any:
    """One page for one browser; the viewer comes from the gate, never from the address."""
    viewer = current_viewer.get()
    search = pn.state.location.search if pn.state.location else ""
    project = viewer.project(query_of(search).get("project", ""))
    if project is None:
        return _no_project(viewer, path)
    database = dependencies.database
    queries = ProjectQueries(
        dependencies.clickhouse, database,
        api_keys=dependencies.api_keys, measured=dependencies.measured, project_id=project.id,
    )  # fmt: skip
    changes = ProjectChanges(
        dependencies.clickhouse, database, project,
        user=viewer.user, events=dependencies.events, providers=dependencies.providers,
    )  # fmt: skip
    return PAGES[path](PageContext(viewer, project, queries, changes, path, dependencies.url)).page()


def _no_project(viewer: Viewer, path: str) -> pmui.Page:
    projects = [{"id": project.id, "name": project.name} for project in viewer.projects]
    bar = ShellBar(projects=projects, email=viewer.user.email, page=path, sizing_mode="stretch_width", margin=0)
    text = Markup(
        '<h2>No such project</h2><p class="quiet">You have no project with this id. Choose another above.</p>'
    )
    content = pn.Column(panes.html(text), margin=24, sizing_mode="stretch_width")
    return framed(bar, SideNav(page=path, margin=0), content, title="No such project")
