"""Files in traces and datasets."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from langfuse.media import LangfuseMedia
from reading import observations

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


@pytest.mark.majors(3, 5)
def test_a_file_in_a_trace_is_uploaded_and_resolved(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    media = LangfuseMedia(content_bytes=PIXEL + name.encode(), content_type="image/png")
    span = langfuse.start_observation(name=name, input={"picture": media})
    span.end()
    langfuse.flush()

    found = eventually(lambda: observations(api, span.trace_id, 1))

    assert f"@@@langfuseMedia:type=image/png|id={media._media_id}|source=" in str(found[name].input)
    stored = eventually(lambda: api("media.get", media_id=media._media_id))
    assert (stored.content_type, stored.content_length) == ("image/png", len(PIXEL) + len(name))
    assert httpx.get(stored.url).content == PIXEL + name.encode()
    token = f"@@@langfuseMedia:type=image/png|id={media._media_id}|source=bytes@@@"
    resolved = langfuse.resolve_media_references(obj={"picture": token}, resolve_with="base64_data_uri")
    assert resolved == {"picture": "data:image/png;base64," + base64.b64encode(PIXEL + name.encode()).decode()}


def test_a_file_is_uploaded_by_hand(api: Any, name: str) -> None:
    content = name.encode()
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()

    asked = api(
        "media.get_upload_url", trace_id=f"t-{name}", content_type="text/plain", content_length=len(content),
        sha256hash=digest, field="input",
    )  # fmt: skip
    headers = {"content-type": "text/plain", "x-amz-checksum-sha256": digest}
    put = httpx.put(asked.upload_url, content=content, headers=headers)
    api("media.patch", media_id=asked.media_id, uploaded_at=datetime.now(UTC), upload_http_status=put.status_code)

    assert put.status_code == 200
    assert asked.media_id == digest.replace("+", "-").replace("/", "_")[:22]
    assert api("media.get", media_id=asked.media_id).content_length == len(content)
    again = api(
        "media.get_upload_url", trace_id=f"t-{name}", content_type="text/plain", content_length=len(content),
        sha256hash=digest, field="output",
    )  # fmt: skip
    assert (again.media_id, again.upload_url) == (asked.media_id, None)
