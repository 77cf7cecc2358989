"""Heuristics on outputs with a form: JSON, XML, SQL, numbers, addresses."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from jsonschema.validators import validator_for
from referencing import Registry

from evals.columns import each, each_explained, truths
from heliograph.domain.errors import InvalidRequest
from heliograph.evaluator import BOOLEAN, SHARE, Verdicts, evaluator_factory

Score = Callable[..., Verdicts]
ArrayScore = Callable[..., pa.Array]

# Models like to wrap what they were asked for.
_FENCE = re.compile(r"\A\s*```[\w+-]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_NUMBER = r"(?s)(?P<number>[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?)[^\d]*$"
_URL = re.compile(r"(?i)\bhttps?:[^\s<>\"')\]]*")
_HOST = re.compile(
    r"(?i)(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?|\[[0-9a-f:.]+\]"
)


def unfenced(text: str) -> str:
    """What is inside of a Markdown fence around all of the text, else the text."""
    found = _FENCE.match(text)
    return found[1] if found else text


@evaluator_factory(BOOLEAN, vectorised=True)
def json_valid(*, allow_fence: bool = False) -> Score:
    """Whether the output is one JSON document.

    Args:
        allow_fence: Whether a Markdown fence around it is forgiven.

    Source: RFC 8259.
    """

    def is_valid(text: str) -> bool:
        try:
            orjson.loads(unfenced(text) if allow_fence else text)
        except orjson.JSONDecodeError:
            return False
        return True

    return lambda output: truths(each(is_valid, output, type_=pa.bool_()), "is JSON", "is no JSON")


@evaluator_factory(BOOLEAN, vectorised=True)
def json_matches_schema(schema: Mapping[str, Any], *, allow_fence: bool = False) -> Score:
    """Whether the output is JSON of a schema; the reason names the first place that is not. References stay local.

    Raises:
        InvalidRequest: the schema is none.

    Source: JSON Schema, draft 2020-12 unless the schema names another.
    """
    kind = validator_for(schema, jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InvalidRequest("schema", error.message) from None
    validator = kind(schema, registry=Registry())

    def check(text: str) -> tuple[bool, str]:
        try:
            document = orjson.loads(unfenced(text) if allow_fence else text)
        except orjson.JSONDecodeError as error:
            return False, f"is no JSON: {error}"
        problem = next(validator.iter_errors(document), None)
        return (True, "keeps to the schema") if problem is None else (False, f"{problem.json_path}: {problem.message}")

    return lambda output: each_explained(check, output, type_=pa.bool_())


@evaluator_factory(SHARE, vectorised=True)
def json_similarity(*, tolerance: float = 1e-9) -> Score:
    """The share of leaves, of all that either document has, with the same value in output and expected JSON.

    Numbers are the same within the relative tolerance. An output that is no JSON has nothing in common with any.

    Source: the Jaccard index of paths with their values (Jaccard, Bulletin de la Société vaudoise 37, 1901).
    """

    def compare(output: str, expected: str) -> tuple[float | None, str]:
        try:
            meant = dict(_leaves(orjson.loads(expected)))
        except orjson.JSONDecodeError:
            return None, "what is expected is no JSON"
        try:
            said = dict(_leaves(orjson.loads(unfenced(output))))
        except orjson.JSONDecodeError:
            return 0.0, "is no JSON"
        paths = sorted(said.keys() | meant.keys())
        wrong = [path for path in paths if not _is_same(said.get(path, ...), meant.get(path, ...), tolerance)]
        return 1 - len(wrong) / len(paths), f"differs at {', '.join(wrong[:5])}" if wrong else "is the same"

    return lambda output, expected: each_explained(compare, output, expected, type_=pa.float64())


def _leaves(document: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    if isinstance(document, dict) and document:
        for key, value in document.items():
            yield from _leaves(value, f"{path}.{key}")
    elif isinstance(document, list) and document:
        for place, value in enumerate(document):
            yield from _leaves(value, f"{path}[{place}]")
    else:
        yield path, document


def _is_same(one: Any, other: Any, tolerance: float) -> bool:
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    if are_numbers:
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return type(one) is type(other) and bool(one == other)


@evaluator_factory(BOOLEAN, vectorised=True)
def xml_valid() -> Score:
    """Whether the output is one well-formed XML element; entities and document types are refused unread.

    Source: XML 1.0, fifth edition, section 2.1.
    """
    from xml.parsers import expat  # noqa: PLC0415 - nothing else here parses XML

    def check(text: str) -> tuple[bool, str]:
        parser = expat.ParserCreate()
        # Neither entities that grow nor references to files are ever followed.
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            parser.Parse(unfenced(text).strip(), True)
        except (expat.ExpatError, ValueError) as error:
            return False, str(error)
        return True, "is well-formed"

    return lambda output: each_explained(check, output, type_=pa.bool_())


def _refuse_doctype(*_: object) -> None:
    raise ValueError("has a document type")


@evaluator_factory(BOOLEAN, vectorised=True)
def sql_valid(dialect: str = "") -> Score:
    """Whether the output is one or more statements of SQL that a parser understands; '' is sqlglot's own dialect.

    Raises:
        InvalidRequest: there is no such dialect.
    """
    if dialect and dialect not in sqlglot.Dialect.classes and sqlglot.Dialect.get(dialect) is None:
        raise InvalidRequest("dialect", f"{dialect!r} is none that sqlglot knows")

    def check(text: str) -> tuple[bool, str]:
        try:
            found = [statement for statement in sqlglot.parse(unfenced(text), read=dialect or None) if statement]
        except sqlglot.errors.SqlglotError as error:
            return False, str(error).partition("\n")[0][:200]
        # What it does not know it keeps as a command, and a bare word as a column.
        odd = [one for one in found if not isinstance(one, sqlglot.exp.Query | sqlglot.exp.DML | sqlglot.exp.DDL)]
        is_statement = bool(found) and not odd
        return is_statement, "is SQL" if is_statement else "is no query and changes nothing"

    return lambda output: each_explained(check, output, type_=pa.bool_())


@evaluator_factory(BOOLEAN, vectorised=True)
def number_close(*, relative: float = 1e-6, absolute: float = 0.0) -> Score:
    """Whether the last number of the output is the last one of the expected text, within tolerances.

    Skips targets whose expected text has no number. Commas between digits are read as thousands.

    Source: the answers of Cobbe et al., GSM8K (2021), are read so.
    """

    def score(output: pa.Array, expected: pa.Array) -> Verdicts:
        said, meant = _last_number(output), _last_number(expected)
        distance = pc.abs(pc.subtract(pc.fill_null(said, math.inf), meant))
        close = pc.less_equal(distance, pc.max_element_wise(pc.multiply(pc.abs(meant), relative), absolute))
        close = pc.if_else(pc.is_null(meant), pa.scalar(None, pa.bool_()), close)
        return truths(close, "is the expected number", "is not the expected number")

    return score


def _last_number(texts: pa.Array) -> pa.Array:
    plain = pc.replace_substring_regex(texts, r"(\d),(\d{3})\b", r"\1\2")
    return pc.struct_field(pc.extract_regex(plain, _NUMBER), "number").cast(pa.float64())


@evaluator_factory(BOOLEAN, vectorised=True)
def urls_valid() -> Score:
    """Whether every web address in the output is well-formed; skips outputs without one. Nothing is fetched.

    Source: RFC 3986, and RFC 1123 for names of hosts.
    """

    def check(text: str) -> tuple[bool | None, str]:
        found = [url.rstrip(".,;:!?") for url in _URL.findall(text)]
        if not found:
            return None, "has no address"
        wrong = [url for url in found if not _is_url(url)]
        return not wrong, f"is no address: {wrong[0]}" if wrong else f"{len(found)} well-formed"

    return lambda output: each_explained(check, output, type_=pa.bool_())


@lru_cache(maxsize=10_000)
def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return bool(parts.netloc) and _HOST.fullmatch(f"[{host}]" if ":" in host else host) is not None
