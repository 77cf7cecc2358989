"""Previews: what a person would read first."""

import pytest

from ingestion.previews import preview

MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("x" * 300, "x" * 200),
        ('[{"role":"system","content":"a"},{"role":"user","content":"b"}]', "b"),
        (MESSAGES, "hi"),
        ('{"messages":[{"role":"user","content":[{"type":"text","text":"deep"}]}], "content": ""}', "deep"),
        ('"quoted \\"text\\""', 'quoted "text"'),
        ('{"a": 1}', '{"a": 1}'),
        ('{"content": broken', '{"content": broken'),
        ("", ""),
    ],
)
def test_preview_is_what_a_person_would_read(text: str, expected: str) -> None:
    assert preview(text) == expected
