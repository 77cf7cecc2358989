"""JSON schemas that values are held to.

A schema is written by a client and applied in processes that many projects share: it refers to nothing outside of
itself, its expressions take linear time, and what its references unfold to is bounded.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import re2
from jsonschema import exceptions, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

from heliograph.domain.errors import InvalidRequest

_MAX_REFERENCES = 10_000
_MAX_MESSAGE = 300


class _TooManyReferencesError(Exception):
    """A schema's references unfold to more than a value may be compared with."""


class JsonSchema:
    """One schema. A value is checked by one thread at a time.

    Args:
        schema: as JSON; the draft is what `$schema` says, else 2020-12.
        field: what an error about the schema itself is about.

    Raises:
        InvalidRequest: it is no schema, or none that can be applied here.
    """

    def __init__(self, schema: Any, field: str) -> None:
        self._field = field
        self._left = 0
        if not isinstance(schema, dict | bool):
            raise InvalidRequest(field, "a JSON schema is an object")
        base = validators.validator_for(schema, default=validators.Draft202012Validator)
        try:
            base.check_schema(schema)
        except exceptions.SchemaError as error:
            raise InvalidRequest(field, f"no JSON schema: at {_path(error)}: {_shortened(error.message)}") from None
        except RecursionError:
            raise InvalidRequest(field, "is nested too deeply") from None
        _check_expressions(schema, field)
        keywords = {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
            "$ref": self._counted(base.VALIDATORS.get("$ref")),
            "$dynamicRef": self._counted(base.VALIDATORS.get("$dynamicRef")),
        }
        kind = validators.extend(base, {name: check for name, check in keywords.items() if check is not None})
        # An empty registry: the default one would fetch what a reference names.
        self._validator = kind(schema, registry=Registry())

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, with its path; None when it meets the schema. Raises InvalidRequest."""
        self._left = _MAX_REFERENCES
        try:
            error = exceptions.best_match(self._validator.iter_errors(value))
        except Unresolvable as unresolvable:
            raise InvalidRequest(self._field, f"refers to {str(unresolvable.ref)[:100]!r}, not in it") from None
        except (_TooManyReferencesError, RecursionError):
            raise InvalidRequest(self._field, "its references unfold to too much") from None
        return None if error is None else f"at {error.json_path}: {_shortened(error.message)}"

    def _counted(self, keyword: Any) -> Any:
        """The keyword, which ends what unfolds to too much."""
        if keyword is None:
            return None

        def check(validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._left -= 1
            if self._left < 0:
                raise _TooManyReferencesError
            yield from keyword(validator, reference, instance, schema)

        return check


def _path(error: Any) -> str:
    return str(error.json_path)


def _shortened(message: str) -> str:
    """Messages quote whole values."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[: _MAX_MESSAGE // 2]} … {message[-100:]}"


def _check_expressions(schema: Any, field: str) -> None:
    has_expressions, stack = False, [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            stack.extend(part)
            continue
        if not isinstance(part, dict):
            continue
        stack.extend(part.values())
        named = part.get("patternProperties")
        expressions = [*(named if isinstance(named, dict) else ()), part.get("pattern")]
        for expression in expressions:
            if isinstance(expression, str):
                has_expressions = True
                _compiled(expression, field)
    if has_expressions and _mentions(schema, "unevaluatedProperties"):
        raise InvalidRequest(field, "unevaluatedProperties cannot be combined with expressions here")


def _compiled(expression: str, field: str) -> None:
    try:
        re2.compile(expression)
    except re2.error:
        raise InvalidRequest(field, f"expression {expression[:100]!r} is not one of RE2") from None


def _mentions(schema: Any, keyword: str) -> bool:
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if keyword in part:
                return True
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
    return False


def _pattern(validator: Any, expression: str, instance: Any, schema: Any) -> Iterator[Any]:
    del schema
    if validator.is_type(instance, "string") and not _finds(expression, instance):
        yield exceptions.ValidationError(f"{instance!r} does not match {expression!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[Any]:
    del schema
    if not validator.is_type(instance, "object"):
        return
    for expression, below in patterns.items():
        for name in instance:
            if _finds(expression, name):
                yield from validator.descend(instance[name], below, path=name, schema_path=expression)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extra = [name for name in instance if name not in known and not any(_finds(each, name) for each in patterns)]
    if validator.is_type(allowed, "object"):
        for name in extra:
            yield from validator.descend(instance[name], allowed, path=name)
    elif not allowed and extra:
        yield exceptions.ValidationError(f"additional properties are not allowed: {_named(extra)}")


def _named(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def _finds(expression: str, text: str) -> bool:
    try:
        return re2.search(expression, text) is not None
    except UnicodeEncodeError:
        # Half a surrogate pair is no character that an expression could mean.
        return False
