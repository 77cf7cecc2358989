"""Versions change with what shapes the verdicts, and with nothing else."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.content_hash import content_hash
from heliograph.domain.errors import InvalidRequest
from heliograph.evaluator import BOOLEAN, SHARE, Source, evaluator, evaluator_factory


def defined(source: str, **names: object) -> Callable[..., Any]:
    """The function `f` of a source of its own, as a notebook's cell makes it."""
    import linecache  # noqa: PLC0415

    file = f"<cell-{hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(source, file, "exec"), scope)  # noqa: S102
    function: Callable[..., Any] = scope["f"]
    return function


PLAIN = "def f(output):\n    return len(output) > 3\n"


def test_comments_formatting_and_docstrings_change_nothing() -> None:
    other = 'def f( output ):\n    "Long enough."\n    # a comment\n    return len(output)>3\n'
    assert evaluator(defined(PLAIN)).version == evaluator(defined(other)).version


def test_code_constants_and_used_functions_change_the_version() -> None:
    helped = "def g(x):\n    return {}\ndef f(output):\n    return g(output)\n"
    limited = "LIMIT = {}\ndef f(output):\n    return len(output) > LIMIT\n"
    versions = [
        evaluator(defined(source)).version
        for source in (
            PLAIN, PLAIN.replace("3", "4"), helped.format("x"), helped.format("not x"), limited.format(1),
            limited.format(2),
        )
    ]  # fmt: skip
    assert len(set(versions)) == len(versions)


def test_what_a_function_closes_over_changes_the_version() -> None:
    closing = "def make(n):\n    def inner(output):\n        return len(output) > n\n    return inner\nf = make({})\n"
    assert evaluator(defined(closing.format(1))).version != evaluator(defined(closing.format(2))).version


def test_the_name_is_no_part_of_the_version_but_values_and_sources_are() -> None:
    judged = evaluator(defined(PLAIN))
    assert judged.named("other").version == judged.version
    assert evaluator(values=BOOLEAN)(defined(PLAIN)).version != evaluator(values=SHARE)(defined(PLAIN)).version
    assert judged.reading(output=Source("output", "$.a")).version != judged.version


def test_parameters_of_a_factory_change_the_version_however_they_are_passed() -> None:
    @evaluator_factory(BOOLEAN)
    def matching(pattern: str, *, flags: int = 0):  # type: ignore[no-untyped-def] # noqa: ANN202
        return lambda output: bool(re.search(pattern, output, flags))

    assert matching("a").version == matching(pattern="a", flags=0).version
    assert matching("a").version != matching("b").version


def test_order_of_keys_and_of_sets_changes_nothing() -> None:
    assert content_hash(a={"x": 1, "y": {3, 1}}, b=2) == content_hash(b=2, a={"y": {1, 3}, "x": 1})


def test_what_has_no_content_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no content"):
        content_hash(judge=object())
