"""A dashboard over the real stores, with one user, two projects and some traces, and a browser to look at it."""

import asyncio
import ipaddress
import socket
import threading
import time
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from actors.metrics_board import MetricsBoard
from actors.rate_limiter import RateLimiter
from dashboard.app import DashboardDependencies, dashboard_application
from dashboard.model_calls import Providers
from dashboard.queries.project import Measured
from heliograph.domain.access import Project, Role
from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.datasets import ItemChange, NewDataset
from heliograph.domain.experiments import ReportedItem
from heliograph.domain.prompts import NewPrompt, PromptType
from heliograph.domain.tables import CLICKHOUSE_TABLES
from heliograph.measures import Sample, histogram, samples
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from migrations.plan import upgrade
from storage.clickhouse.connection import ClickHouse, connect_blocking
from storage.objects.media import MediaObjects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.comments import Comments
from storage.postgres.connection import Database
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.datasets import Datasets
from storage.postgres.projects import Projects
from storage.postgres.prompts import Prompts
from storage.postgres.users import Users
from storage.seal import Seal
from tests import factories
from tests.stored_events import stored_events

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Two cores run the browser, the dashboard and the stores, beside other tests.
PATIENCE_MILLISECONDS = 30_000
VIEWER, STRANGER = "grace@example.com", "linus@example.com"
_ALWAYS_SECONDS = 1e9
LOOPBACK_NETWORK = ipaddress.ip_network("127.0.0.0/8")
SEAL_KEY = "key of the tests"
SEAL = Seal(SEAL_KEY, ())
EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
T = TypeVar("T")
XSS = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(reason=f"needs Chromium at {CHROMIUM}")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not Path(CHROMIUM).exists():
                item.add_marker(missing)


@dataclass(frozen=True)
class Site:
    """A running dashboard."""

    url: str
    full: Project
    empty: Project
    strange: Project
    public_key: str
    stores: Settings


@dataclass(frozen=True)
class People:
    """The projects, of which one belongs to a stranger, and a key of the empty one."""

    full: Project
    empty: Project
    strange: Project
    public_key: str


@pytest.fixture(scope="session")
def site(engines: Settings) -> Iterator[Site]:
    with served(engines) as site:
        yield site


@pytest.fixture(scope="module")
def own_site(engines: Settings) -> Iterator[Site]:
    """A dashboard of a file's own, in which it may leave what others would count."""
    with served(engines) as site:
        yield site


@contextmanager
def served(engines: Settings) -> Iterator[Site]:
    """A dashboard over databases of its own, with people and traces, for as long as the context lasts."""
    name = f"browser_{uuid.uuid4().hex}"
    stores = engines.model_copy(
        update={
            "postgres": engines.postgres.model_copy(update={"database": name}),
            "clickhouse": engines.clickhouse.model_copy(update={"database": name}),
            # No front end stands before the store here.
            "s3": engines.s3.model_copy(update={"public_url": engines.s3_url}),
        }
    )
    upgrade(stores)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    thread = ServerThread(stores, url, port)
    thread.start()
    people = thread.wait_until_started()
    _insert(stores, people.full)
    yield Site(url, people.full, people.empty, people.strange, people.public_key, stores)
    thread.stop()


class ServerThread(threading.Thread):
    """Runs the dashboard on a loop of its own, building it inside that loop as a replica does."""

    def __init__(self, settings: Settings, url: str, port: int) -> None:
        super().__init__(daemon=True)
        self._settings, self._url, self._port = settings, url, port
        self._server: uvicorn.Server | None = None
        self._people: People | None = None

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._people = await _create_people(self._settings)
        database = Database(self._settings.postgres_dsn)
        clickhouse = ClickHouse(self._settings.clickhouse, self._settings.clickhouse_url)
        board, limiter = MetricsBoard(), RateLimiter("of the tests")
        await board.report("lane-0", _lane_samples(), _ALWAYS_SECONDS)
        dependencies = DashboardDependencies(
            users=Users(database),
            api_keys=ApiKeys(database, "pepper"),
            clickhouse=clickhouse,
            database=database,
            media=MediaObjects.connect(self._settings),
            events=stored_events(self._settings, database),
            providers=Providers(SEAL, Outbound([LOOPBACK_NETWORK]), lambda *_: limiter.status()),
            url=self._url,
            session_secret="secret of the tests" * 3,
            measured=Measured(board, board),
        )
        self._server = uvicorn.Server(
            uvicorn.Config(dashboard_application(dependencies), port=self._port, log_level="warning")
        )
        await self._server.serve()
        await clickhouse.close()
        await database.close()

    def wait_until_started(self) -> People:
        deadline = time.monotonic() + 60
        while self._people is None or self._server is None or not self._server.started:
            assert self.is_alive(), "the dashboard did not start"
            assert time.monotonic() < deadline, "the dashboard did not start in time"
            time.sleep(0.05)
        return self._people

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
        self.join(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Page]:
    """A browser that has not signed in. An error on the console or a request elsewhere fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=site.url)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if _is_elsewhere(request.url, site) else None)
    yield page
    context.close()
    assert [text for text in complaints if "401" not in text and "403" not in text] == []


@pytest.fixture
def page(visitor: Page) -> Page:
    """A browser that is signed in."""
    sign_in(visitor, PASSWORD)
    visitor.wait_for_url("**/?*")
    return visitor


def sign_in(page: Page, password: str, *, target: str = "/?range=24h", email: str = EMAIL) -> None:
    """Ask for a page, and fill the form that comes instead."""
    page.goto(target)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def arranged(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns; apart from the test's own thread, in which Playwright has a loop."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, work).result()


def _lane_samples() -> list[Sample]:
    lane = {"epoch": 1, "ready": 1, "oldest_unflushed_seconds": 0.4, "lag_segments": 3, "set_aside_segments": 2}
    values = {**{f"heliograph_lane_{name}": value for name, value in lane.items()}, "heliograph_log_objects": 70}
    inserts = histogram("heliograph_insert_rows", counts=[4, 0], bounds=[1000], total=2000, lane="0")
    return [*samples(values, lane="0"), *inserts]


def _is_elsewhere(address: str, site: Site) -> bool:
    return not address.startswith((site.url, f"{site.stores.s3_url}/", "blob:", "data:"))


async def _create_people(settings: Settings) -> People:
    database = Database(settings.postgres_dsn)
    projects, users = Projects(database), Users(database)
    full = await projects.create("Assistant")
    empty = await projects.create("Fresh start", organization_id=full.organization_id)
    user = await users.create(EMAIL, "Ada", PASSWORD)
    await users.join_organization(user.id, full.organization_id, Role.OWNER)
    guest = await users.create(VIEWER, "Grace", PASSWORD)
    await users.join_organization(guest.id, full.organization_id, Role.VIEWER)
    strange = await projects.create("Elsewhere", organization_name="Strangers")
    stranger = await users.create(STRANGER, "Linus", PASSWORD)
    await users.join_organization(stranger.id, strange.organization_id, Role.OWNER)
    await _create_documents(database, full)
    key = await ApiKeys(database, "pepper").create(empty.id)
    await database.close()
    return People(full, empty, strange, key.public_key)


async def _create_documents(database: Database, project: Project) -> None:
    prompts = Prompts(database, project.id)
    await prompts.created(NewPrompt(name="mail/reply", type=PromptType.TEXT, body="Be kind.\nAnswer {{question}}."))
    second = NewPrompt(
        name="mail/reply", type=PromptType.TEXT, body=f"Be kind.\nAnswer {{{{question}}}} {XSS}", labels=("production",)
    )
    await prompts.created(second)
    await Datasets(database, project.id).put(NewDataset(name="questions", description=XSS))
    items = DatasetItems(database, project.id)
    await items.put("questions", [ItemChange(id="first", input={"question": XSS}, expected_output="4")])
    await items.put("questions", [ItemChange(id="first", expected_output="four")])
    ran = ReportedItem(run_name="baseline", dataset_item_id="first", trace_id=f"{1:032x}")
    await DatasetRuns(database, project.id).report(ran)
    await Comments(database, project.id).create(Commented(CommentedType.TRACE, f"{0:032x}", f"{0:032x}"), XSS)


def _insert(settings: Settings, project: Project) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in CLICKHOUSE_TABLES}
    for number in range(60):
        at = now - timedelta(minutes=5 + 7 * number)
        rows["traces"].append(_trace(project.id, number, at))
        rows["observations"] += _observations(project.id, number, at)
    large, at = "f" * 32, now - timedelta(minutes=2)
    rows["traces"].append(factories.trace(project.id, large, name="large", timestamp=at, observation_count=1000))
    rows["observations"] += [
        factories.observation(
            project.id,
            large,
            f"{place:016x}",
            name=f"step {place}",
            start_time=at + timedelta(milliseconds=place),
            parent_observation_id="" if place == 0 else f"{(place - 1) // 4:016x}",
        )
        for place in range(1000)
    ]
    about = {"trace_id": f"{0:032x}", "timestamp": now - timedelta(minutes=1)}
    rows["scores"].append(factories.score(project.id, "s1", name="helpfulness", comment=XSS, **about))
    rows["scores"] += [
        factories.score(
            project.id, f"quality {number}", trace_id=f"{number:032x}",
            timestamp=now - timedelta(minutes=7 * number + 1),
            value=number / 40, source="EVAL", evaluator_version="a" * 64 if number < 20 else "b" * 64,
        )
        for number in range(40)
    ]  # fmt: skip
    client = connect_blocking(settings.clickhouse, settings.clickhouse_url)
    for name, records in rows.items():
        client.insert_arrow(name, factories.table(name, records))
    client.close()


def _trace(project_id: str, number: int, at: datetime) -> dict[str, Any]:
    return factories.trace(
        project_id,
        f"{number:032x}",
        timestamp=at,
        name=XSS if number == 0 else f"{'chat' if number % 2 else 'search'} {number}",
        user_id=f"user-{number % 5}",
        session_id=f"session-{number % 9}",
        environment="production" if number % 3 else "staging",
        level="ERROR" if number == 7 else "DEFAULT",
        error_count=int(number == 7),
        observation_count=3,
        total_tokens=150,
        total_cost=Decimal("0.25"),
        latency_ms=100.0 * (number + 1),
        tags=["vip"] if number == 3 else [],
    )


def _observations(project_id: str, number: int, at: datetime) -> list[dict[str, Any]]:
    trace_id, root = f"{number:032x}", f"{number:015x}a"
    chat = '[{"role": "user", "content": "How are **you**?"}, {"role": "assistant", "content": "%s"}]'
    return [
        factories.observation(
            project_id,
            trace_id,
            root,
            name="agent run",
            type="AGENT",
            start_time=at,
            input=XSS,
            output=XSS,
            metadata=[("note", XSS)],
        ),
        factories.observation(
            project_id,
            trace_id,
            f"{number:015x}b",
            name="ask the model",
            type="GENERATION",
            parent_observation_id=root,
            start_time=at + timedelta(milliseconds=50),
            input=chat % XSS.replace('"', "'"),
            output="[click](javascript:window.hacked=1)",
            provided_model_name="gpt-4.1-mini",
            usage_details=[("input", 100), ("output", 50)],
            total_tokens=150,
            cost_details=[("total", Decimal("0.25"))],
            total_cost=Decimal("0.25"),
            prompt_name="mail/reply",
            prompt_version=2,
        ),
        factories.observation(
            project_id, trace_id, f"{number:015x}c", name=XSS, type="TOOL", parent_observation_id=root, start_time=at
        ),
    ]
