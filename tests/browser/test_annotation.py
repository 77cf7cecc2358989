"""Annotation in the browser: queues, and labelling with the keyboard alone."""

import uuid

import pytest
from playwright.sync_api import Page, expect

from heliograph.domain.annotations import Annotated, AnnotatedType
from heliograph.domain.score_configs import TRUTHS, Category, ScoreConfig
from heliograph.domain.scores import ScoreDataType
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.connection import opened
from storage.postgres.score_configs import ScoreConfigs
from tests.browser.conftest import Site, arranged

GRADES = tuple(Category(label, float(place)) for place, label in enumerate(("poor", "fair", "good")))


def queue_of(site: Site, count: int) -> str:
    """A queue with a category, a truth and a number to answer, and so many traces."""

    async def making() -> str:
        async with opened(site.stores.postgres_dsn) as database:
            configs = ScoreConfigs(database, site.full.id)
            made = [
                await configs.create(ScoreConfig(name=name, data_type=kind, **more))
                for name, kind, more in (
                    ("grade", ScoreDataType.CATEGORICAL, {"categories": GRADES}),
                    ("safe", ScoreDataType.BOOLEAN, {"categories": TRUTHS}),
                    ("stars", ScoreDataType.NUMERIC, {"min_value": 1.0, "max_value": 5.0}),
                )
            ]
            name = f"queue {uuid.uuid4().hex[:8]}"
            queue = await AnnotationQueues(database, site.full.id).create(name, None, [each.id for each in made])
            items = AnnotationQueueItems(database, site.full.id, queue.id)
            await items.add_waiting([Annotated(AnnotatedType.TRACE, f"{number:032x}") for number in range(count)])
            return queue.id

    return arranged(making())


@pytest.mark.timeout(300)
def test_twenty_items_are_labelled_with_the_keyboard_alone(page: Page, site: Site) -> None:
    queue_id = queue_of(site, 20)
    page.goto(f"/labelling?project={site.full.id}&queue={queue_id}")
    expect(page.locator(".field.active")).to_contain_text("grade")
    for number in range(20):
        expect(page.get_by_text(f"{number} of 20 done")).to_be_visible()
        expect(page.locator(".field.active")).to_contain_text("grade")
        expect(page.locator("[aria-checked=true]")).to_have_count(0)
        page.keyboard.press(str(number % 3 + 1))
        page.keyboard.press("y" if number % 2 else "n")
        page.keyboard.type("4")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing is waiting")).to_be_visible()
    expect(page.get_by_text("20 of 20 done")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[aria-checked=true]")).to_have_count(2)
    assert page.evaluate("window.hacked") is None
    page.goto(f"/scores?project={site.full.id}&range=24h&source=ANNOTATION&score=grade")
    expect(page.get_by_text("1–20 of 20 scores")).to_be_visible()
    page.goto(f"/queue?project={site.full.id}&queue={queue_id}")
    expect(page.get_by_text("20 of 20").first).to_be_visible()
