"""Score analytics in the browser: a judge of two versions, and how far it agrees with people."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from storage.clickhouse.connection import connect_blocking
from tests import factories
from tests.browser.conftest import Site


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    return own_site


def insert_verdicts(site: Site) -> None:
    """People and a judge say of the first traces whether they are right; the judge misses every fifth."""
    now = datetime.now(UTC).replace(microsecond=0)
    rows = []
    for number in range(40):
        at, is_right = now - timedelta(minutes=5 + 9 * number), number % 3 > 0
        about = {"trace_id": f"{number:032x}", "timestamp": at, "data_type": "BOOLEAN"}
        said = is_right if number % 5 else not is_right
        version = "c" * 64 if number < 20 else "d" * 64
        judge = {"name": "right_judge", "source": "EVAL", "evaluator_version": version}
        rows.append(_verdict(site, f"judge {number}", is_true=said, **judge, **about))
        if number % 4:
            rows.append(_verdict(site, f"human {number}", is_true=is_right, name="right", source="ANNOTATION", **about))
    client = connect_blocking(site.stores.clickhouse, site.stores.clickhouse_url)
    client.insert_arrow("scores", factories.table("scores", rows))
    client.close()


def _verdict(site: Site, score_id: str, *, is_true: bool, **values: object) -> dict[str, object]:
    return factories.score(
        site.full.id, score_id, value=float(is_true), string_value=str(is_true), **values
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_a_judge_is_held_against_people_with_intervals_and_counts(page: Page, site: Site) -> None:
    insert_verdicts(site)
    page.goto(f"/score-analytics?project={site.full.id}&range=24h&score=right_judge")
    expect(page.get_by_role("heading", name="Distribution, by version")).to_be_visible()
    expect(page.locator("table.small").first.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_text("Choose a second score above")).to_be_visible()
    page.get_by_label("Compared with, as the truth").click()
    page.get_by_role("menuitem", name="right", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile(r"Confusion matrix: kappa 0\.\d+ \[.+\], n 30"))).to_be_visible()
    expect(page).to_have_url(re.compile("truth=right"))
    expect(page.get_by_role("heading", name="Calibration against the truth")).to_be_visible()
    expect(page.locator("table.small").last.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Each of these scores").click()
    expect(page.get_by_text("1–40 of 40 scores")).to_be_visible()
    page.get_by_role("link", name="Analytics").click()
    page.wait_for_url(re.compile("/score-analytics.*score=right_judge"))


def test_without_a_choice_the_most_frequent_score_is_shown(page: Page, site: Site) -> None:
    page.goto(f"/score-analytics?project={site.full.id}&range=24h")
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    expect(page).to_have_url(re.compile("score="))
