"""What the built-in detectors find, and what they leave."""

import time

import pytest

from heliograph.domain.errors import InvalidRequest
from ingestion.masking.detectors import DETECTORS
from ingestion.masking.finders import hint_of
from tests.unit.ingestion.masking_rules import detector, expression, masker

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

FOUND = [
    ("email", "write to ann.lee+work@mail.example.org today", "write to [email] today"),
    ("email", "<jörg@müller.example>", "<[email]>"),
    ("email", "?to=ann%40example.org&x=1", "?to=[email]&x=1"),
    ("phone", "call +49 30 901820 now", "call [phone] now"),
    ("phone", "(+1) or +14155552671.", "(+1) or [phone]."),
    ("phone", "(415) 555-2671", "[phone]"),
    ("phone", "415.555.2671", "[phone]"),
    ("phone", "030/9018-2000, 0171 1234567", "[phone], [phone]"),
    ("phone", "0049 30 901820", "[phone]"),
    ("card", "card 4111 1111 1111 1111 ok", "card [card] ok"),
    ("card", "5555-5555-5555-4444", "[card]"),
    ("card", "378282246310005", "[card]"),
    ("card", "no. 1 4111111111111111 2", "no. 1 [card] 2"),
    ("card", "4111111111111111 4012888888881881", "[card] [card]"),
    ("iban", "DE89 3704 0044 0532 0130 00", "[iban]"),
    ("iban", "GB82WEST12345698765432 THEN", "[iban] THEN"),
    ("secrets", "sk-proj-abcdefghijklmnopqrst1234", "[secrets]"),
    ("secrets", "sk-lf-0f6a1b2c-1111-2222-3333-444455556666", "[secrets]"),
    ("secrets", "AKIAIOSFODNN7EXAMPLE", "[secrets]"),
    (
        "secrets",
        "aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYAB",
        "aws_secret_access_key = [secrets]",
    ),
    ("secrets", "ghp_" + "a1" * 18, "[secrets]"),
    ("secrets", "github_pat_11ABCDEFG0abcdefghijkl", "[secrets]"),
    ("secrets", "xoxb-123456789012-abcdef", "[secrets]"),
    ("secrets", f"token {JWT}!", "token [secrets]!"),
    ("secrets", "Authorization: Bearer abc123def456ghi789", "Authorization: Bearer [secrets]"),
    ("secrets", "Basic cGstbGYtMTpzay1sZi0y", "Basic [secrets]"),
    ("secrets", f"a {KEY} b", "a [secrets] b"),
    ("secrets", "-----BEGIN PRIVATE KEY-----\ncut off", "[secrets]"),
]
LEFT = [
    ("email", "user@localhost, @decorator, a@b, 3 @ 4.50"),
    ("phone", "2026-11-28 10:15, 192.168.100.200, 12345678901, 3.14159265358, 01.02.2026 10:00"),
    ("phone", "9ca23b14-0123-4567-8901-e1f0bb9cb3a5, $1,234,567.89, 1795510371674231596"),
    ("card", "4111 1111 1111 1112, 1795510371674231596, 1234567812345670"),
    ("iban", "DE89 3704 0044 0532 0130 01, ABCD EFGH IJKL MNOP"),
    ("secrets", "sk-short, pk-lf-0f6a1b2c-1111-2222-3333-444455556666, AKIA1234, the bearer of this letter"),
    ("secrets", "bearer internationalization, basic understanding-of-things, eyJ.a.b, -----BEGIN CERTIFICATE-----"),
]


@pytest.mark.parametrize(("name", "text", "masked"), FOUND)
def test_a_detector_hides(name: str, text: str, masked: str) -> None:
    assert masker(detector(name)).text(text) == masked


@pytest.mark.parametrize(("name", "text"), LEFT)
def test_a_near_miss_stays(name: str, text: str) -> None:
    assert masker(detector(name)).text(text) == text


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detectors_hint_lets_nothing_pass(name: str) -> None:
    assert hint_of(DETECTORS[name].expression) is not None


def test_groups_alone_are_hidden() -> None:
    assert masker(expression(r"pin=(\d+)|code (\w+)")).text("pin=1234 code abc") == "pin=[hidden] code [hidden]"


@pytest.mark.parametrize("pattern", ["", "(", "a*", "(?=a)a", r"(a)\1", "x" * 3000])
def test_what_is_no_usable_expression_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest):
        masker(expression(pattern))


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="none of the detectors"):
        masker(detector("passport"))


def test_an_expression_that_explodes_elsewhere_takes_linear_time() -> None:
    began = time.perf_counter()
    assert masker(expression("(a+)+$")).text("a" * 100_000 + "!") == "a" * 100_000 + "!"
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        (r"\bcat\b", "(?:)cat(?:)"),
        (r"^a[^$\]]$", r"(?:)a[^$\]](?:)"),
        (r"\\b", r"\\b"),
        (r"\Q\b\E", None),
        (r"\b", None),
    ],
)
def test_a_hint_says_nothing_of_its_surroundings(pattern: str, hint: str | None) -> None:
    assert hint_of(pattern) == hint
