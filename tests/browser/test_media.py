"""Files in payloads, in the browser: shown from the project's own store, and to nobody else."""

import base64
import io
import wave
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from heliograph.domain.media import MediaContent, MediaField, TraceUse, reference
from storage.clickhouse.connection import connect_blocking
from storage.objects.media import MediaObjects
from storage.postgres.connection import Database
from storage.postgres.media import ProjectMedia
from tests import factories
from tests.browser.conftest import PASSWORD, STRANGER, Site, arranged, sign_in

TRACE = "e" * 32
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def files(site: Site) -> dict[str, str]:
    """A trace with a picture in its chat and a sound in its output; the addresses of both."""
    picture, sound = MediaContent("image/png", PIXEL), MediaContent("audio/wav", _silence())
    shown = {each.content_type: reference(each.content_type, each.id, "bytes") for each in (picture, sound)}
    arranged(_kept(site, picture, sound))
    message = '[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "%s"}}]}]'
    begun = datetime.now(UTC) - timedelta(minutes=1)
    observation = factories.observation(
        site.full.id, TRACE, "e" * 16, name="look", start_time=begun,
        input=message % shown["image/png"],
        output=f"Listen: {shown['audio/wav']} ![elsewhere](http://elsewhere.example/x.png)",
    )  # fmt: skip
    client = connect_blocking(site.stores.clickhouse, site.stores.clickhouse_url)
    trace = factories.trace(
        site.full.id, TRACE, name="sees", timestamp=begun - timedelta(days=60), root_observation_id="e" * 16
    )
    client.insert_arrow("observations", factories.table("observations", [observation]))
    client.insert_arrow("traces", factories.table("traces", [trace]))
    client.close()
    return {each.content_type: f"/files/{site.full.id}/{each.id}" for each in (picture, sound)}


async def _kept(site: Site, *contents: MediaContent) -> None:
    database = Database(site.stores.postgres_dsn)
    known, objects = ProjectMedia(database, site.full.id), MediaObjects.connect(site.stores)
    for each in contents:
        await known.refer([each.described], [TraceUse(each.id, TRACE, "e" * 16, MediaField.INPUT)])
        objects.put(site.full.id, each)
        await known.note_upload([each.id], 200)
    await database.close()


def _silence() -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setparams((1, 1, 8000, 800, "NONE", ""))
        sound.writeframes(b"\x80" * 800)
    return written.getvalue()


def test_files_of_a_payload_are_shown_and_pictures_of_others_are_not(
    page: Page, site: Site, files: dict[str, str]
) -> None:
    page.goto(f"/trace?project={site.full.id}&trace={TRACE}")
    picture = page.locator(f"img[src='{files['image/png']}']")
    expect(picture).to_be_visible()
    page.wait_for_function("node => node.complete && node.naturalWidth === 1", arg=picture.element_handle())
    sound = page.locator(f"audio[src='{files['audio/wav']}']")
    expect(sound).to_be_visible()
    sound.evaluate("node => { node.load() }")
    page.wait_for_function("node => node.duration > 0", arg=sound.element_handle())
    expect(page.get_by_text("elsewhere", exact=False)).to_be_visible()
    assert page.locator("img[src*='elsewhere']").count() == 0


def test_links_to_files_are_good_for_minutes_and_only_for_those_who_see_the_project(
    page: Page, visitor: Page, site: Site, files: dict[str, str]
) -> None:
    answer = page.request.get(files["image/png"], max_redirects=0)
    assert answer.status == 303
    assert answer.headers["cache-control"] == "no-store"
    assert "X-Amz-Expires=600" in answer.headers["location"]
    assert page.request.get(f"/files/{site.full.id}/{'x' * 22}").status == 404
    page.context.clear_cookies()
    assert "/login" in page.request.get(files["image/png"]).url
    sign_in(visitor, PASSWORD, email=STRANGER)
    expect(visitor.get_by_text(STRANGER)).to_be_visible()
    assert visitor.request.get(files["image/png"]).status == 404
