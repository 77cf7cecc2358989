"""Base64 content in payloads becomes media, and everything else stays to the byte."""

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.domain.media import MediaContent, MediaField, TraceUse, reference
from ingestion import media, otlp
from ingestion.attributes.timing import microseconds
from ingestion.batch.events import Event, event_of
from ingestion.media import Extraction
from tests.unit.ingestion.spans import CONTEXT, event, export, mapped, span

CONTENT = bytes(range(256)) * 3
PNG = MediaContent("image/png", CONTENT)
BASE64 = b64encode(CONTENT).decode()
URI = f"data:image/png;base64,{BASE64}"
FROM_URI = reference("image/png", PNG.id, "base64_data_uri")


def from_bytes(content_type: str) -> str:
    return reference(content_type, PNG.id, "bytes")


def extracted(*spans: Any) -> tuple[otlp.ExportTraceServiceRequest, Extraction]:
    found = Extraction()
    return found.export(otlp.decode(export(list(spans)), otlp.PROTOBUF)), found


def replaced(text: str, key: str = "langfuse.observation.input") -> tuple[str, Extraction]:
    """What is stored of an attribute with this text."""
    request, found = extracted(span({key: text}))
    batch = otlp.map_export(request, CONTEXT).batch
    return batch.observations["input"][0].as_py(), found


def test_the_id_is_the_one_that_sdks_make_of_the_same_content() -> None:
    from langfuse.media import LangfuseMedia  # noqa: PLC0415 - half a second

    theirs = LangfuseMedia(base64_data_uri=URI)
    assert theirs._reference_string == FROM_URI


SHAPES: list[tuple[str, Callable[[str], Any], str]] = [
    ("image/png", lambda data: {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}, URI),
    ("audio/wav", lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}, BASE64),
    (
        "image/jpeg",
        lambda data: {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": data}},
        BASE64,
    ),
    ("image/png", lambda data: {"inline_data": {"mime_type": "image/png", "data": data}}, BASE64),
    ("video/mp4", lambda data: {"inlineData": {"mimeType": "video/mp4", "data": data}}, BASE64),
    ("application/pdf", lambda data: {"source_type": "base64", "mime_type": "application/pdf", "data": data}, BASE64),
]


@pytest.mark.parametrize(("content_type", "part", "whole"), SHAPES)
def test_the_parts_of_every_provider_are_found(content_type: str, part: Callable[[str], Any], whole: str) -> None:
    expected = reference(content_type, PNG.id, "base64_data_uri" if whole is URI else "bytes")
    sent = {"messages": [{"role": "user", "content": ["see", part(BASE64)], "n": 1.50}]}
    text, found = replaced(json.dumps(sent))
    assert list(found.contents.values()) == [MediaContent(content_type, CONTENT)]
    # Nothing but the content changes: neither spaces nor numbers.
    assert text == json.dumps(sent).replace(whole, expected)


@pytest.mark.parametrize(("content_type", "part", "whole"), SHAPES)
def test_parts_are_found_in_json_within_json(content_type: str, part: Callable[[str], Any], whole: str) -> None:
    nested = json.dumps({"content": json.dumps([part(BASE64)])})
    text, found = replaced(nested)
    assert [one.content_type for one in found.contents.values()] == [content_type]
    assert BASE64 not in text
    json.loads(json.loads(text)["content"])


@pytest.mark.parametrize(
    "text",
    [
        "{uri}",
        "look: {uri}, then say what it is",
        "![x]({uri})",
        '{{"image": "{uri}"}}',
        "{uri} and the same again {uri}",
        "{uri}\nDescribe it.",
        '["{uri}\\nDescribe it."]',
        '"{{\\"a\\": \\"{uri}\\"}}"',
    ],
)
def test_data_uris_are_found_anywhere_in_a_text(text: str) -> None:
    stored, found = replaced(text.format(uri=URI))
    assert stored == text.format(uri=FROM_URI)
    assert list(found.contents) == [PNG.id]


def test_escaped_slashes_and_other_spellings_are_understood() -> None:
    high = b"\xfb\xff\xfe" * 20
    expected = MediaContent("image/png", high).id
    standard, safe = b64encode(high).decode(), urlsafe_b64encode(high).decode()
    assert "/" in standard
    for written in (standard, standard.rstrip("="), safe, safe.rstrip("="), standard.replace("/", "\\/")):
        for kind in ("image/png", "image\\/png", "IMAGE/PNG", "image/png;charset=utf-8"):
            stored, found = replaced(f'{{"a": "data:{kind};base64,{written}"}}')
            assert list(found.contents) == [expected]
            assert stored == f'{{"a": "{reference("image/png", expected, "base64_data_uri")}"}}'


def test_bytes_as_python_writes_them_are_understood() -> None:
    stored, found = replaced(json.dumps({"inline_data": {"mime_type": "image/png", "data": repr(CONTENT)}}))
    assert json.loads(stored) == {"inline_data": {"mime_type": "image/png", "data": from_bytes("image/png")}}
    assert list(found.contents.values()) == [PNG]


@pytest.mark.parametrize(
    "text",
    [
        "data:image/png;base64,",
        "data:image/png;base64,=",
        "data:image/png;base64,A",
        "data:image/png;base64,AAAAA",
        "data:image/png;base64,AA=A",
        "data:image/png;base64,AAA===",
        "data:image/png;base64,AAAA%2BAAA",
        "data:image/png;base64,\u00e4\u00e4",
        "data:;base64,AAAA",
        "data:image;base64,AAAA",
        "data:evil/type;base64,AAAA",
        "data:image/png|id=x;base64,AAAA",
        f"data:image/png;base64,{'A' * 76}\n{'A' * 76}",
        json.dumps(f"data:image/png;base64,{'A' * 76}\r\n{'A' * 76}"),
        '{"type": "base64", "media_type": "image/png", "data": "no base64"}',
        '{"type": "base64", "media_type": "evil", "data": "AAAA"}',
        '{"type": "base64", "media_type": null, "data": "AAAA"}',
        '{"type": "base64", "media_type": "image/png", "data": 5}',
        '{"type": "base64", "media_type": "image/png"}',
        '{"type": ["base64"], "media_type": "image/png", "data": "AAAA"}',
        '{"inline_data": {"mime_type": "image/png", "data": "b\'\\\\x"}}',
        '{"inline_data": {"mime_type": "image/png", "data": "b\'a\' + exit()"}}',
        '{"input_audio": {"data": "AAAA"}, "broken',
        '{"input_audio": "AAAA"}',
        '{"mime_type": "text/plain", "data": "test", "note": "not base64"}',
        "[" * 5_000 + '"input_audio"' + "]" * 5_000,
        FROM_URI,
        json.dumps({"type": "base64", "media_type": "image/png", "data": from_bytes("image/png")}),
    ],
)
def test_what_is_no_valid_base64_of_a_known_type_stays_as_it_is(text: str) -> None:
    sent = otlp.decode(export([span({"langfuse.observation.input": text})]), otlp.PROTOBUF)
    found = Extraction()
    assert found.export(sent).scopes[0].spans == sent.scopes[0].spans
    assert found.contents == {}
    assert found.uses == set()


def test_hostile_texts_take_no_longer_than_their_size() -> None:
    size = 1 << 20
    hostile = [
        "data:" * (size // 5) + ";base64,",
        "data:image/png" + ";a=b" * (size // 4) + ";base64,AAAA",
        "data:image/png;base64," + "A" * size + "%",
        "data:image/png;base64," + "A\\" * (size // 2),
        "data:image/png;base64,A=" * (size // 24),
        '{"input_audio":' * 300 + "1" + "}" * 300,
    ]
    started = time.process_time()
    for text in hostile:
        replaced(text)
    assert time.process_time() - started < 5


def test_a_huge_file_is_taken_out_whole() -> None:
    huge = bytes(20 << 20)
    stored, found = replaced(json.dumps({"file": f"data:application/pdf;base64,{b64encode(huge).decode()}"}))
    (content,) = found.contents.values()
    assert content == MediaContent("application/pdf", huge)
    assert found.nbytes == 20 << 20
    assert len(stored) < 200


def test_uses_name_trace_observation_and_field() -> None:
    sent = span(
        {
            "langfuse.observation.input": URI,
            "gen_ai.completion.0.content": URI,
            "langfuse.observation.metadata.image": URI,
            "langfuse.trace.input": URI,
            "list": [URI, {"inner": URI}],
        },
        events=[event("gen_ai.user.message", {"content": URI})],
    )
    request, found = extracted(sent)
    trace_id, span_id = sent.trace_id.hex(), sent.span_id.hex()
    assert found.uses == {
        TraceUse(PNG.id, trace_id, span_id, MediaField.INPUT),
        TraceUse(PNG.id, trace_id, span_id, MediaField.OUTPUT),
        TraceUse(PNG.id, trace_id, span_id, MediaField.METADATA),
        TraceUse(PNG.id, trace_id, "", MediaField.INPUT),
    }
    batch = otlp.map_export(request, CONTEXT).batch
    assert BASE64.encode() not in batch.records["payload"][0].as_py()
    assert BASE64 not in str(batch.observations.to_pylist())


def test_spans_without_media_are_the_same_objects_and_unreadable_ones_too() -> None:
    request = otlp.decode(export([span({"input": "a"}), span({"input": URI})]), otlp.PROTOBUF)
    request.scopes[0].spans.append(b"\x4a\x0abase64")
    (scope,) = Extraction().export(request).scopes
    assert scope.spans[0] is request.scopes[0].spans[0]
    assert scope.spans[1] != request.scopes[0].spans[1]
    assert scope.spans[2] is request.scopes[0].spans[2]
    quiet = mapped(span({"input": "a"}))
    assert quiet.batch.records.num_rows == 1


def batch_event(kind: str, body: dict[str, Any]) -> Event:
    return event_of("e", kind, microseconds(CONTEXT.received_at), body=body)


def test_events_of_batches_are_searched_in_input_output_and_metadata() -> None:
    audio = {"input_audio": {"data": BASE64, "format": "mp3"}}
    body = {"id": "o", "traceId": "t", "input": {"a": [URI, 1.5]}, "output": audio, "metadata": {"k": URI}}
    found = Extraction()
    (changed,) = found.events([batch_event("generation-create", body)])
    assert changed.body == {
        **body,
        "input": {"a": [FROM_URI, 1.5]},
        "output": {"input_audio": {"data": from_bytes("audio/mp3"), "format": "mp3"}},
        "metadata": {"k": FROM_URI},
    }
    assert BASE64 not in str(changed.fields)
    assert found.uses == {
        TraceUse(PNG.id, "t", "o", field) for field in (MediaField.INPUT, MediaField.OUTPUT, MediaField.METADATA)
    }


def test_a_trace_event_refers_to_media_itself() -> None:
    found = Extraction()
    (changed,) = found.events([batch_event("trace-create", {"id": "t", "input": URI})])
    assert changed.fields["input"] == FROM_URI
    assert found.uses == {TraceUse(PNG.id, "t", "", MediaField.INPUT)}


def test_events_without_media_and_scores_are_the_same_objects() -> None:
    score = batch_event("score-create", {"id": "s", "traceId": "t", "name": "n", "value": 1, "metadata": {"a": URI}})
    plain = batch_event("trace-create", {"id": "t", "input": "base64 is an encoding"})
    odd = batch_event("trace-create", {"id": "t\0", "input": URI})
    found = Extraction().events([score, plain, odd])
    assert [one is other for one, other in zip(found, [score, plain, odd], strict=True)] == [True] * 3


def test_most_payloads_are_not_looked_at() -> None:
    assert not media.may_hold(export([span({"langfuse.observation.input": json.dumps({"data": "AAAA"})})]))


@pytest.mark.parametrize("before", [0, 1, (1 << 18) - 5, 1 << 18, 3 << 18])
def test_a_large_payload_is_searched_to_its_end(before: int) -> None:
    assert media.may_hold(bytes(before) + b"input_audio")
    assert not media.may_hold(bytes(before) + b"input audio")
