"""Verdicts over columns: reasons by value, and loops where Arrow has no function for the measure."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.errors import InvalidRequest
from heliograph.evaluator import Verdicts


def truths(values: pa.Array, yes: str, no: str) -> Verdicts:
    """Booleans, each with the reason that its value has."""
    return Verdicts(values, pc.fill_null(pc.if_else(values, yes, no), "does not apply"))


def each(measure: Callable[..., Any], *columns: pa.Array, type_: pa.DataType | None = None) -> pa.Array:
    """The measure of every row; numbers unless another type is named."""
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return pa.array([measure(*row) for row in rows], type_ or pa.float64())


def each_explained(measure: Callable[..., tuple[Any, str]], *columns: pa.Array, type_: pa.DataType) -> Verdicts:
    """The measure of every row, which gives a value and its reason."""
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    found = [measure(*row) for row in rows]
    return Verdicts(pa.array([value for value, _ in found], type_), pa.array([why for _, why in found], pa.string()))


def checked_pattern(pattern: str) -> str:
    """A pattern that RE2 understands.

    Raises:
        InvalidRequest: it does not.
    """
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise InvalidRequest("pattern", str(error)) from None
    return pattern


def folded(texts: pa.Array, *, is_folded: bool) -> pa.Array:
    """Texts for comparison: trimmed, in lower case and with single spaces, where that is asked."""
    if not is_folded:
        return texts
    lower = pc.utf8_lower(texts)
    # To replace costs many times what to look does, and few texts need it.
    is_uneven = pc.match_substring_regex(lower, r"\s\s|[^\S ]|^ | $")
    if not pc.any(is_uneven).as_py():
        return lower
    even = pc.utf8_trim_whitespace(pc.replace_substring_regex(lower.filter(is_uneven), r"\s+", " "))
    return pc.replace_with_mask(lower, is_uneven, even)
