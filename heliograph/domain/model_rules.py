"""What a definition of a model must keep, so that it can be applied to every event without harm."""

import re
from collections.abc import Iterator, Sequence
from re import _constants, _parser  # type: ignore[attr-defined, unused-ignore]  # the parser of `re`, which typeshed leaves out
from typing import Any

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.models import Model, PricingTier, UsageCondition

MAX_TIER_PATTERN = 200
MAX_MATCH_PATTERN = 1000
MAX_TIER_NAME = 100
MAX_PRIORITY = 999
# Each of them multiplies the time that a name can cost: four need a second for the longest name, three milliseconds.
MAX_REPEATS = 3

_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}


def check(model: Model) -> None:
    """Raises InvalidRequest with the field that breaks a rule."""
    if not model.name:
        raise InvalidRequest("modelName", "must not be empty")
    _check_pattern("matchPattern", model.match_pattern, MAX_MATCH_PATTERN)
    _check_tiers(model.tiers)
    for tier in model.tiers:
        for condition in tier.conditions:
            if isinstance(condition, UsageCondition):
                _check_pattern("pricingTiers.conditions.usageDetailPattern", condition.pattern, MAX_TIER_PATTERN)
            elif not condition.values:
                raise InvalidRequest("pricingTiers.conditions.values", "must not be empty")


def _check_tiers(tiers: Sequence[PricingTier]) -> None:
    defaults = [tier for tier in tiers if not tier.conditions]
    if len(defaults) != 1 or defaults[0].priority != 0:
        raise InvalidRequest("pricingTiers", "exactly one tier is the default: priority 0, no conditions")
    if any(not 0 < len(tier.name) <= MAX_TIER_NAME for tier in tiers):
        raise InvalidRequest("pricingTiers.name", f"must have 1 to {MAX_TIER_NAME} characters")
    if any(not 0 <= tier.priority <= MAX_PRIORITY for tier in tiers):
        raise InvalidRequest("pricingTiers.priority", f"must be from 0 to {MAX_PRIORITY}")
    if len({tier.name for tier in tiers}) < len(tiers) or len({tier.priority for tier in tiers}) < len(tiers):
        raise InvalidRequest("pricingTiers", "names and priorities must differ")
    if len({frozenset(tier.prices) for tier in tiers}) > 1:
        raise InvalidRequest("pricingTiers.prices", "every tier must have the same usage keys")
    if not defaults[0].prices:
        raise InvalidRequest("pricingTiers.prices", "must not be empty")


def _check_pattern(field: str, pattern: str, max_length: int) -> None:
    if not 0 < len(pattern) <= max_length:
        raise InvalidRequest(field, f"must have 1 to {max_length} characters")
    try:
        parsed = _parser.parse(pattern)
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidRequest(field, f"is no regular expression: {error}") from None
    depths = list(_repeats(parsed, 1))
    if max(depths, default=0) > 1 or len(depths) > MAX_REPEATS:
        reason = f"could take very long: repeat nothing that repeats, and at most {MAX_REPEATS} times"
        raise InvalidRequest(field, reason)


def _repeats(parsed: Any, depth: int) -> Iterator[int]:
    """For each repetition of changing length, how many such repetitions it is in, itself included."""
    for operation, argument in parsed:
        if operation in _REPEATS:
            fewest, most, body = argument
            is_variable = fewest != most and most > 1
            if is_variable:
                yield depth
            yield from _repeats(body, depth + is_variable)
        else:
            for inner in _within(argument):
                yield from _repeats(inner, depth)


def _within(argument: Any) -> Iterator[Any]:
    """The sub-patterns of an operation, wherever among its arguments they stand."""
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for part in argument:
            yield from _within(part)
