import json
from collections.abc import Callable

import pytest

from dashboard.components.payload import Style, payload, prose

ATTACKS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![picture](http://elsewhere.example/x.png)",
    "<svg/onload=alert(1)>",
    "</pre><script>alert(1)</script>",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>click</a>",
    "[click](JaVaScRiPt:alert(1))",
    "[click](vbscript:alert(1))",
    "[click](\\x01javascript:alert(1))",
    "[click]( &#106;avascript:alert(1) )",
    "<javascript:alert(1)>",
    "[click]: javascript:alert(1)\n\n[click]",
    "![x](x 'y\"onerror=alert(1)')",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "<details open ontoggle=alert(1)>",
    "<style>@import 'http://elsewhere.example'</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "<!--<img src=--><img src=x onerror=alert(1)>",
]


FORBIDDEN = (
    *("<script", "<img", "<svg", "<iframe", "<style", "<math", "<details", "<form", "<!--"),
    *('href="javascript', 'href="vbscript', 'href="data'),
)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "wrap",
    [
        str,
        json.dumps,
        lambda text: json.dumps({text: text}),
        lambda text: json.dumps([{"role": text, "content": text, "tool_calls": [text]}]),
        lambda text: json.dumps([{"role": "user", "content": [{"type": "text", "text": text}, {"image": text}]}]),
        lambda text: text + "x" * 300_000,
    ],
)
def test_markup_in_a_payload_stays_text(attack: str, wrap: Callable[[str], str]) -> None:
    for style in Style:
        html = str(payload(wrap(attack), style)).lower()
        for opening in FORBIDDEN:
            assert opening not in html


def test_messages_are_shown_by_role() -> None:
    html = payload('{"messages": [{"role": "user", "content": "**hello**"}]}')
    assert '<article class="message user"><h4>user</h4>' in html
    assert "<strong>hello</strong>" in html


def test_json_is_indented() -> None:
    assert payload('{"a":1}') == "<pre>{\n  &#34;a&#34;: 1\n}</pre>"


def test_absence_is_said() -> None:
    assert "None" in payload("")


def test_safe_links_are_links() -> None:
    assert 'href="https://example.com"' in prose("[see](https://example.com)")


def test_a_payload_is_shown_as_json_markdown_or_letter_by_letter_when_asked() -> None:
    chat = '[{"role": "user", "content": "**hello**"}]'
    assert "<strong>" in payload(chat)
    assert payload(chat, Style.JSON).startswith("<pre>[\n  {")
    assert "<strong>hello</strong>" in payload('"**hello**"', Style.MARKDOWN)
    assert payload("**hello**", Style.PLAIN) == "<pre>**hello**</pre>"


REFERENCE = "@@@langfuseMedia:type={}|id=_a-b_|source=bytes@@@"


@pytest.mark.parametrize(
    ("content_type", "opening"),
    [("image/png", "<img"), ("audio/wav", "<audio"), ("video/mp4", "<video"), ("text/html", '"><a href')],
)
@pytest.mark.parametrize(
    "wrap",
    [
        str,
        lambda text: json.dumps({"deep": [text]}),
        lambda text: json.dumps([{"role": "user", "content": f"see {text}!"}]),
        lambda text: json.dumps([{"role": "user", "content": [{"type": "image", "image": text}]}]),
    ],
)
def test_files_of_the_project_are_shown(content_type: str, opening: str, wrap: Callable[[str], str]) -> None:
    html = payload(wrap(REFERENCE.format(content_type)), project_id="p1")
    assert opening in html
    assert '"/files/p1/_a-b_"' in html
    assert 'class="media"' not in payload(wrap(REFERENCE.format(content_type)))


@pytest.mark.parametrize(
    "text",
    [
        REFERENCE.format('image/png" onerror="alert(1)'),
        REFERENCE.format("image/png").replace("_a-b_", "../../x"),
        "[x](https://example.com '" + REFERENCE.format("image/png") + "')",
        "`" + REFERENCE.format("image/png") + "`",
    ],
)
def test_what_is_no_reference_stays_text(text: str) -> None:
    for style in Style:
        assert "<img" not in payload(text, style, "p1")
