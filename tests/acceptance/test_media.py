"""Media on a whole stack: sent by the unmodified Langfuse SDK and in base64, read back, deleted from every store."""

import json
import time
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from heliograph.domain.media import MediaContent
from storage.objects import connection
from tests.acceptance.stack import Stack
from tests.acceptance.test_event_life import client, run_sdk

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

SENDS = """
    import json, os
    from base64 import b64encode
    from langfuse import get_client
    from langfuse.media import LangfuseMedia
    from opentelemetry import trace

    langfuse = get_client()
    picture, sound = os.urandom(300_000), os.urandom(1_000)
    media = LangfuseMedia(content_bytes=picture, content_type="image/png")
    with langfuse.start_as_current_observation(name="see", input={"picture": media}) as root:
        # As a sender that knows nothing of media.
        part = {"type": "input_audio", "input_audio": {"data": b64encode(sound).decode(), "format": "wav"}}
        trace.get_current_span().set_attribute("langfuse.observation.output", json.dumps([part]))
        trace_id = root.trace_id
    langfuse.flush()
    print(json.dumps({"trace": trace_id, "picture": picture.hex(), "sound": sound.hex()}))
"""
RESOLVES = """
    import json
    from langfuse import get_client
    from langfuse.media import LangfuseMedia

    read = json.loads(READ)
    print(json.dumps(LangfuseMedia.resolve_media_references(
        obj=read, langfuse_client=get_client(), resolve_with="base64_data_uri")))
"""


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def observation(stack: Stack, trace_id: str) -> dict[str, Any] | None:
    with client(stack) as http:
        found = http.get(f"/traces/{trace_id}").json().get("observations", [])
    return found[0] if found else None


def is_gone(http: httpx.Client, file: MediaContent) -> bool:
    return http.get(f"/media/{file.id}").status_code == 404


def is_stored(stack: Stack, file: MediaContent) -> bool:
    s3 = connection.connect(stack.settings.s3, stack.settings.s3_url)
    found = s3.list_objects_v2(Bucket=stack.settings.s3.bucket, Prefix="media/").get("Contents", [])
    return any(one["Key"].endswith(f"/{file.id}") for one in found)


def test_media_are_uploaded_read_back_and_deleted_with_their_trace(stack: Stack) -> None:
    sent = json.loads(run_sdk(stack, SENDS))
    picture = MediaContent("image/png", bytes.fromhex(sent["picture"]))
    sound = MediaContent("audio/wav", bytes.fromhex(sent["sound"]))

    seen = until(lambda: observation(stack, sent["trace"]))
    read = {"input": seen["input"], "output": seen["output"]}
    assert picture.id in read["input"]["picture"]
    assert sound.id in read["output"][0]["input_audio"]["data"]
    resolved = json.loads(run_sdk(stack, RESOLVES.replace("READ", repr(json.dumps(read)))))
    for file, found in (
        (picture, resolved["input"]["picture"]),
        (sound, resolved["output"][0]["input_audio"]["data"]),
    ):
        kind, _, content = found.partition(";base64,")
        assert (kind, MediaContent(file.content_type, b64decode(content)).id) == (f"data:{file.content_type}", file.id)

    with client(stack) as http:
        url = http.get(f"/media/{picture.id}").json()["url"]
        read_back = httpx.get(url, timeout=20)
        assert (read_back.status_code, read_back.headers["content-security-policy"]) == (200, "sandbox")
        # Nothing else of the store is reached by this origin, and nothing of it without a signature.
        assert httpx.get(url.split("?", 1)[0]).status_code == 403
        assert "ListBucketResult" not in httpx.get(f"{stack.settings.url}/{stack.settings.s3.bucket}/").text

        http.delete(f"/traces/{sent['trace']}")
        for file in (picture, sound):
            until(partial(is_gone, http, file))
    until(lambda: not is_stored(stack, picture) and not is_stored(stack, sound), 150)
    assert "2 media files" in stack.heliograph("deletions")
