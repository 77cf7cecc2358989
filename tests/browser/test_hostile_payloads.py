"""Scripts in what applications send never run, wherever it is shown."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from heliograph.domain.access import Project
from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.datasets import ItemChange, NewDataset
from heliograph.domain.errors import HeliographError
from heliograph.domain.prompts import NewPrompt, PromptType
from storage.clickhouse.connection import connect_blocking
from storage.postgres.comments import Comments
from storage.postgres.connection import Database
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.datasets import Datasets
from storage.postgres.projects import Projects
from storage.postgres.prompts import Prompts
from tests import factories
from tests.browser.conftest import Site, arranged
from tests.browser.payloads import PAYLOADS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
LISTS = ("", "traces", "observations", "sessions", "users", "scores", "prompts", "datasets", "annotation", "dashboards")


@pytest.fixture(scope="module")
def hostile(site: Site) -> Project:
    """A project in which every text that applications choose is a payload."""
    project = arranged(_documents(site))
    client = connect_blocking(site.stores.clickhouse, site.stores.clickhouse_url)
    for name, rows in _rows(project.id).items():
        client.insert_arrow(name, factories.table(name, rows))
    client.close()
    return project


async def _documents(site: Site) -> Project:
    database = Database(site.stores.postgres_dsn)
    project = await Projects(database).create("Hostile", organization_id=site.full.organization_id)
    prompts, datasets = Prompts(database, project.id), Datasets(database, project.id)
    comments, items = Comments(database, project.id), DatasetItems(database, project.id)
    await datasets.put(NewDataset(name="all", description=PAYLOADS[0]))
    for place, text in enumerate(PAYLOADS):
        trace_id = f"{place:032x}"
        await comments.create(Commented(CommentedType.TRACE, trace_id, trace_id), text)
        await items.put("all", [ItemChange(id=f"item {place}", input={"question": text}, expected_output=text)])
        for name in (text, f"plain {place}"):
            try:
                await prompts.created(NewPrompt(name=name, type=PromptType.TEXT, body=text))
                await datasets.put(NewDataset(name=name, description=text))
            except (HeliographError, ValueError):
                # Not every text may be a name.
                continue
    await database.close()
    return project


def _rows(project_id: str) -> dict[str, list[dict[str, Any]]]:
    now = datetime.now(UTC)
    rows: dict[str, list[dict[str, Any]]] = {"traces": [], "observations": [], "scores": []}
    for place, text in enumerate(PAYLOADS):
        trace_id, at = f"{place:032x}", now - timedelta(minutes=place + 1)
        told: dict[str, Any] = {"name": text, "environment": text, "release": text, "version": text, "tags": [text]}
        told |= {"user_id": text, "session_id": text, "metadata": [(text, json.dumps({text: text}))]}
        rows["traces"].append(
            factories.trace(
                project_id, trace_id, timestamp=at, input=text, output=text, score_labels=[(text, text)], **told
            )
        )
        chat = json.dumps(
            [{"role": text, "content": text}, {"role": "user", "content": [{"text": text}, {text: text}]}]
        )
        rows["observations"] += [
            factories.observation(
                project_id, trace_id, f"{place:015x}a", start_time=at, input=text, output=chat, level="ERROR",
                status_message=text, type="GENERATION", provided_model_name=text, prompt_name=text, prompt_version=1,
                model_parameters=json.dumps({text: text}), usage_details=[(text, 3)], total_tokens=3, **told,
            ),
            factories.observation(
                project_id, trace_id, f"{place:015x}b", parent_observation_id=f"{place:015x}a", start_time=at,
                input=json.dumps(text), output=json.dumps({text: [text]}), type="TOOL", **told,
            ),
        ]  # fmt: skip
        rows["scores"].append(
            factories.score(
                project_id, f"score {place}", trace_id=trace_id, timestamp=at, name=text, comment=text,
                data_type="CATEGORICAL", string_value=text, environment=text, evaluator_version=text,
            )
        )  # fmt: skip
    return rows


def _is_harmless(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    links = page.locator("a").evaluate_all("links => links.map(each => each.getAttribute('href') || '')")
    assert [link for link in links if link.lower().strip().startswith(("javascript", "data:", "vbscript"))] == []


def test_no_list_runs_what_it_shows(page: Page, hostile: Project) -> None:
    for path in LISTS:
        page.goto(f"/{path}?project={hostile.id}&range=24h&size=100")
        expect(page.locator(".skeleton, .frame.busy")).to_have_count(0)
        expect(page.get_by_text("hacked").first).to_be_attached() if path not in {"annotation", "dashboards"} else None
        _is_harmless(page)
    page.goto(f"/dataset?project={hostile.id}&dataset=all&size=100")
    expect(page.get_by_text("hacked").first).to_be_attached()
    _is_harmless(page)


@pytest.mark.parametrize("place", range(len(PAYLOADS)))
def test_no_trace_runs_what_it_shows(page: Page, hostile: Project, place: int) -> None:
    page.goto(f"/trace?project={hostile.id}&trace={place:032x}")
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(2)
    for row in rows.all():
        row.click()
        for style in ("Markdown", "JSON", "Plain", "Formatted"):
            page.get_by_role("button", name=style, exact=True).click()
        for tab in ("Details", "Scores", "Comments", "Input and output"):
            page.get_by_role("tab", name=tab).click()
        _is_harmless(page)
    page.get_by_role("button", name="Graph").click()
    expect(page.locator("svg a.node")).to_have_count(2)
    _is_harmless(page)
    session = page.request.get("/session", params={"project": hostile.id, "session": PAYLOADS[place]})
    assert session.ok
    page.goto(session.url)
    expect(page.locator(".turn")).to_have_count(1)
    _is_harmless(page)
