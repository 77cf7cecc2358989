"""The version of an evaluator: a hash of everything that shapes its verdicts, and of nothing else."""

import ast
import hashlib
import inspect
import json
import re
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from heliograph.domain.errors import InvalidRequest

_PLAIN = (str, bytes, int, float, bool, type(None))
# 16 hexadecimal digits: among a million versions of one project, two agree by chance once in 37 million.
_DIGITS = 16


def content_hash(**parts: object) -> str:
    """A short hash of values by their content: order of keys, formatting and comments change nothing.

    Functions count by their source and the source of what they use of their own package; judges, embedders and
    evaluators by their identity.

    Raises:
        InvalidRequest: a part has no content of its own, as an object that only has an address.
    """
    return _digest({name: _content(name, value) for name, value in parts.items()})


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def _content(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, _PLAIN):
        return value.hex() if isinstance(value, bytes) else value
    if isinstance(value, re.Pattern):
        return [value.pattern, value.flags]
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _content_of_many(name, value)
    for attribute in ("identity", "version"):
        if isinstance(getattr(value, attribute, None), str):
            return str(getattr(value, attribute))
    return _content_of_object(name, value)


def _content_of_many(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _content(name, part) for key, part in value.items()}
    parts = [_content(name, part) for part in value]
    return parts if isinstance(value, list | tuple) else sorted(json.dumps(part, sort_keys=True) for part in parts)


def _content_of_object(name: str, value: Any) -> Any:
    if isinstance(value, types.FunctionType):
        return code_of(value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    text = repr(value)
    if " at 0x" in text and not is_dataclass(value):
        raise InvalidRequest(name, f"{type(value).__name__} has no content that a version could be taken of")
    return text


@lru_cache(maxsize=4_096)
def code_of(function: Callable[..., Any]) -> str:
    """A hash of a function, of what it closes over, and of the functions and constants of its package that it uses."""
    return _digest(sorted(_pieces(function, set())))


def _pieces(subject: Any, seen: set[int]) -> Iterator[str]:
    if id(subject) in seen:
        return
    seen.add(id(subject))
    yield _source(subject)
    if not isinstance(subject, types.FunctionType):
        return
    yield from _closed_over(subject, seen)
    names = set(_names(subject.__code__))
    for name in sorted(names & subject.__globals__.keys()):
        yield from _used(name, subject.__globals__[name], (subject, names, seen))


def _closed_over(function: types.FunctionType, seen: set[int]) -> Iterator[str]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            value = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
        if isinstance(value, types.FunctionType):
            yield from _pieces(value, seen)
        else:
            yield f"{name}={json.dumps(_content(name, value), sort_keys=True)}"
    for name, value in (function.__kwdefaults__ or {}).items():
        yield f"{name}={value!r}"


def _used(name: str, value: Any, by: tuple[types.FunctionType, set[str], set[int]]) -> Iterator[str]:
    function, names, seen = by
    package = function.__module__.partition(".")[0]
    if isinstance(value, types.ModuleType):
        if value.__name__.partition(".")[0] == package:
            for part in sorted(names & vars(value).keys()):
                yield from _used(part, vars(value)[part], by)
    elif isinstance(value, types.FunctionType | type):
        if value.__module__.partition(".")[0] == package:
            yield from _pieces(value, seen)
    elif isinstance(value, (*_PLAIN, re.Pattern, tuple, frozenset, Mapping)) or is_dataclass(value):
        yield f"{name}={json.dumps(_content(name, value), sort_keys=True)}"


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _source(subject: Any) -> str:
    """Source without comments, formatting and docstrings; the bytecode of what has no source, as in some notebooks."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(subject)))
    except (OSError, TypeError, SyntaxError):
        code = getattr(subject, "__code__", None)
        return repr(subject) if code is None else f"{code.co_code.hex()} {code.co_names} {code.co_consts!r}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
