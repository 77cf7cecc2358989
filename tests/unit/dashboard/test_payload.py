import json

import pytest

from dashboard.components.payload import payload, prose

ATTACKS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![picture](http://elsewhere.example/x.png)",
    "<svg/onload=alert(1)>",
    "</pre><script>alert(1)</script>",
    "```\n</code></pre><script>alert(1)</script>\n```",
]


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
def test_markup_in_a_payload_stays_text(attack: str, wrap: "type[str]") -> None:
    html = str(payload(wrap(attack)))
    for opening in ("<script", "<img", "<svg", 'href="javascript', 'href="data'):
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
