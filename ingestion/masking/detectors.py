"""Built-in detectors: what an e-mail address, a phone number, a card, an IBAN and a secret look like."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from heliograph.domain.errors import InvalidRequest

Span = tuple[int, int]
Found = Callable[[str, Any], Iterable[Span]]  # the text and a match of RE2


@dataclass(frozen=True)
class Detector:
    """An expression of RE2, and what of a match is meant."""

    name: str
    expression: str
    spans: Found


def _whole(_text: str, match: Any) -> Iterable[Span]:
    return [match.span()]


_EMAIL = r"[\p{L}\p{N}._%+\-]+(?:@|%40)(?:[\p{L}\p{N}\-]+\.)+\p{L}{2,24}"

_SEPARATED = r"[ .\-/]"
_PHONE = "|".join(
    (
        r"\+[ ]?[1-9](?:[ .\-/()]{0,2}[0-9]){6,14}\b",
        r"\b00[1-9][0-9]{0,2}(?:[ .\-/()]{1,2}[0-9]{2,}){2,6}\b",
        rf"(?:\([2-9][0-9]{{2}}\)[ ]?|\b[2-9][0-9]{{2}}{_SEPARATED})[0-9]{{3}}{_SEPARATED}[0-9]{{4}}\b",
        r"\(0[0-9]{1,5}\)[ ]?[0-9](?:[ \-/]?[0-9]){4,9}\b",
        r"\b0[1-9][0-9]{1,4}[ /\-][0-9](?:[ \-/]?[0-9]){4,9}\b",
    )
)
_WITHIN_A_NUMBER = re.compile(r"[\w.\-]")


def _phone(text: str, match: Any) -> Iterable[Span]:
    start, end = match.span()
    digits = sum(map(str.isdecimal, text[start:end]))
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    # Parts of ids, of decimals and of longer numbers are none.
    is_part = (_WITHIN_A_NUMBER.match(before) and text[start] != "+") or after == "-"
    return [(start, end)] if 7 <= digits <= 15 and not is_part else []


_CARD = r"[0-9](?:[ \-]?[0-9]){12,}"
_GROUP = re.compile("[0-9]+")
# Issuers by their first digits, and how long their numbers are.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)


def _cards(text: str, match: Any) -> Iterable[Span]:
    """Any run of whole groups of digits that is a card's number."""
    start, end = match.span()
    groups = [group.span() for group in _GROUP.finditer(text, start, end)]
    place = 0
    while place < len(groups):
        taken = next((last for last in range(len(groups), place, -1) if _is_card(text, groups[place:last])), place)
        if taken > place:
            yield groups[place][0], groups[taken - 1][1]
        place = max(taken, place + 1)


def _is_card(text: str, groups: list[Span]) -> bool:
    if groups[-1][1] - groups[0][0] > 40:
        return False
    number = "".join(text[start:end] for start, end in groups)
    return _ISSUERS.fullmatch(number) is not None and _luhn(number)


def _luhn(number: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


_IBAN = r"\b[A-Z]{2}[0-9]{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b"


def _iban(text: str, match: Any) -> Iterable[Span]:
    """What follows a number in capitals may look like more of it: the longest that its check digits confirm."""
    start, end = match.span()
    while end - start >= 15:
        compact = text[start:end].replace(" ", "")
        if int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1:
            return [(start, end)]
        end = text.rfind(" ", start, end)
    return []


_SECRET_FORMS = (
    r"\bsk-[A-Za-z0-9_\-]{20,}",  # OpenAI, Anthropic, Langfuse and those that followed them
    r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"(?i:aws_?secret_?(?:access_?)?key)[\"'\\]{0,4}\s{0,3}[:=]\s{0,3}[\"'\\]{0,4}([A-Za-z0-9/+]{40})",
    r"\bgh[pousr]_[A-Za-z0-9]{36,}",
    r"\bgithub_pat_[A-Za-z0-9_]{22,}",
    r"\bglpat-[A-Za-z0-9_\-]{20,}",
    r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}",
    r"\bxapp-[0-9]-[A-Za-z0-9\-]{10,}",
    r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,})",
    r"\bAIza[A-Za-z0-9_\-]{35}",  # Google
    r"\bhf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*",
    r"(?i:\b(bearer|basic)\s{1,3})([A-Za-z0-9._~+/\-]{12,}={0,2})",
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\z)",
)
_SECRETS = "|".join(_SECRET_FORMS)


def _secret(_text: str, match: Any) -> Iterable[Span]:
    """Where a secret follows its name, the name stays."""
    aws, slack, scheme, credentials = range(1, 5)
    if match.group(scheme):
        is_meant = _is_token if match.group(scheme).lower() == "bearer" else _is_login
        return [match.span(credentials)] if is_meant(match.group(credentials)) else []
    return [next((match.span(group) for group in (aws, slack) if match.group(group)), match.span())]


def _is_token(credentials: str) -> bool:
    """Prose goes on in words."""
    return any(map(str.isdecimal, credentials))


def _is_login(credentials: str) -> bool:
    try:
        return b":" in base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return False


DETECTORS = {
    detector.name: detector
    for detector in (
        Detector("email", _EMAIL, _whole),
        Detector("phone", _PHONE, _phone),
        Detector("card", _CARD, _cards),
        Detector("iban", _IBAN, _iban),
        Detector("secrets", _SECRETS, _secret),
    )
}


def detector(name: str) -> Detector:
    """The detector of that name; raises InvalidRequest."""
    if name not in DETECTORS:
        raise InvalidRequest("target", f"is none of the detectors {', '.join(DETECTORS)}")
    return DETECTORS[name]
