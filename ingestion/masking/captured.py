"""Secrets of captured HTTP calls, in headers and URLs: hidden always, without a rule."""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache

import re2

from ingestion.masking import json_text
from ingestion.masking.expressions import options
from ingestion.values import MAX_DEPTH, Value, to_json
from ingestion.word_search import WordSearch

HIDDEN = "***"


class Kind(Enum):
    """What an attribute holds by its name."""

    SECRET = 1
    HEADERS = 2
    URL = 3


_LETS_IN = r"(?:api[_-]?key|access[_-]?key|auth[_-]?key|secret[_-]?key|token|secret|password|passwd|credentials?)"
_SECRET_HEADER = re.compile(
    rf"(?:proxy-)?authorization|(?:set-)?cookie2?|(?:[\w.-]*-)?{_LETS_IN}|[\w-]*-(?:subscription|functions)-key",
    re.IGNORECASE,
)
_HEADER_ATTRIBUTE = re.compile(r".*(?:headers?|request\.metadata|response\.metadata)\.([^.]+)", re.IGNORECASE)
_HEADERS_NAME = re.compile(r"(?:.*[._-])?headers?|.*Headers", re.IGNORECASE)
_URL_ATTRIBUTE = re.compile(
    r"(?:.*[._])?(?:url|uri|dsn|connection_string)|url\.(?:full|original|query)|http\.target", re.IGNORECASE
)
_AUTHORIZATION = re.compile(r"\s*(?:bearer|basic|token|digest|apikey|aws4-hmac-sha256)\s", re.IGNORECASE)
_HEADER_LINE = re.compile(r"([\w.-]+)(\s*:\s*)([^\r\n]+)")

# JSON writes / as \/ where PHP made it, and & as \u0026 where Go did.
_USER = re.compile(r"((?::|\\u003a)(?:\\?/){2})([^\s/?#@\"'<>\\:]*):([^\s/?#\"'<>\\]+)@")
_TOKEN_AS_USER = re.compile(r"(:(?:\\?/){2})([^\s/?#@\"'<>\\:]{16,})@")
_QUERY = re.compile(
    rf"([?&;#]|\\u0026)([\w.-]{{0,40}}?(?:{_LETS_IN}|signature)|key|sig|auth|authorization|jwt|pwd|pass)(?:=|\\u003d)"
    r"([^&\s\"'<>#\\;]+)",
    re.IGNORECASE,
)

# All of it in a message of OTLP or in JSON, whatever layers of escapes there are.
SUSPECT = (
    r"(?i:headers?(?:\\*\"|[.:\x12])|authorization(?:\\*\"|[:\x12])|(?:request|response)\.metadata\.|url\.query|http\.target"
    r"|(?:\\*/){2}[^\s/?#<>']+@"
    r"|(?:[?&;#]|\\u0026)[\w.\-]{0,60}(?:key|token|secret|passw|credential|sig|auth|jwt|pwd|pass)\w{0,20}(?:=|\\+u003d))"
)
_SUSPECT = re2.compile(SUSPECT.encode(), options(is_text=False))
_TEXT_SIGNS = ("//", "\\/", "eader", "EADER", "uthorization")
# Four bytes of each longer one.
_SIGNS = WordSearch(b"//", b"\\/", b"ader", b"ADER", b"oriz")


def to_look_at(raws: Sequence[bytes]) -> list[int]:
    """Which of them have a URL, headers or an authorization in them; not exact, but it misses none."""
    return [number for number in _SIGNS.which(raws) if is_suspect(raws[number])]


def is_suspect(raw: bytes) -> bool:
    """Whether it, in serialized form, may hold a secret: a URL without a user or such a parameter does not."""
    return _SUSPECT.search(raw) is not None


@lru_cache(maxsize=4096)
def kind_of(key: str) -> Kind | None:
    """What an attribute of this name holds: a secret, headers, a URL, or nothing of that."""
    header = _HEADER_ATTRIBUTE.fullmatch(key)
    if header is not None and is_secret_header(header[1]):
        return Kind.SECRET
    if _HEADERS_NAME.fullmatch(key):
        return Kind.HEADERS
    return Kind.URL if _URL_ATTRIBUTE.fullmatch(key) else None


@lru_cache(maxsize=4096)
def is_secret_header(name: str) -> bool:
    """Whether the header's value lets somebody in."""
    return _SECRET_HEADER.fullmatch(name.strip().replace("_", "-")) is not None


def text(content: str, kind: Kind | None = None) -> str:
    """A text without such secrets; the kind tells what it is known to be."""
    if kind is Kind.SECRET:
        return HIDDEN
    if kind is None and not any(sign in content for sign in _TEXT_SIGNS):
        return content
    found = json_text.parsed(content)
    if found is not None:
        cleaned = value(found.value, kind)
        if cleaned is not found.value:
            return to_json(cleaned)
    if kind is Kind.URL:
        return _QUERY.sub(r"\1\2=" + HIDDEN, "?" + _without_users(content))[1:]
    if kind is Kind.HEADERS:
        return _HEADER_LINE.sub(_line, _url(content))
    return _url(content)


def value(found: Value, kind: Kind | None = None, depth: int = 0) -> Value:
    """JSON without such secrets; the same object when there is none."""
    if kind is Kind.SECRET:
        return found if found is None or found == HIDDEN else HIDDEN
    if depth > MAX_DEPTH:
        return HIDDEN if isinstance(found, dict | list) and found else found
    if isinstance(found, str):
        cleaned = text(found, kind)
        return found if cleaned == found else cleaned
    if isinstance(found, list):
        elements = _header_list(found) if kind is Kind.HEADERS else [value(one, kind, depth + 1) for one in found]
        return found if all(map(_is, elements, found)) else elements
    if isinstance(found, dict):
        members = {key: value(one, kind_of_member(key, kind, one), depth + 1) for key, one in found.items()}
        return found if all(members[key] is one for key, one in found.items()) else members
    return found


def _is(one: Value, other: Value) -> bool:
    return one is other


def kind_of_member(key: str, kind: Kind | None, found: Value = None) -> Kind | None:
    """What the member of an object holds by its name, if the object is of that kind."""
    if kind is Kind.HEADERS:
        return Kind.SECRET if is_secret_header(key) else None
    if key.lower().endswith("authorization") and isinstance(found, str) and _AUTHORIZATION.match(found):
        return Kind.SECRET
    return Kind.HEADERS if _HEADERS_NAME.fullmatch(key) else None


def _header_list(found: list[Value]) -> list[Value]:
    """Headers as a list: names and values in turn, pairs, objects, or whole lines."""
    cleaned: list[Value] = []
    for place, element in enumerate(found):
        before = found[place - 1] if place % 2 else None
        if isinstance(before, str) and isinstance(element, str) and is_secret_header(before):
            cleaned.append(HIDDEN)
        else:
            cleaned.append(_header(element))
    return [old if new == old else new for old, new in zip(found, cleaned, strict=True)]


def _header(element: Value) -> Value:
    match element:
        case [str(name), _] if is_secret_header(name):
            return [name, HIDDEN]
        case {"name": str(name), "value": _} | {"key": str(name), "value": _} if is_secret_header(name):
            return {key: HIDDEN if key == "value" else found for key, found in _members(element)}
    return value(element, Kind.HEADERS)


def _members(element: Value) -> Iterable[tuple[str, Value]]:
    return element.items() if isinstance(element, dict) else ()


def _line(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{HIDDEN}" if is_secret_header(found[1]) else found[0]


def _url(content: str) -> str:
    return _QUERY.sub(r"\1\2=" + HIDDEN, _without_users(content))


def _without_users(content: str) -> str:
    return _TOKEN_AS_USER.sub(rf"\1{HIDDEN}@", _USER.sub(rf"\1\2:{HIDDEN}@", content))
