"""What a definition of a model must keep."""

import re
import time
from dataclasses import replace

import pytest

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.model_rules import check
from heliograph.domain.models import CallCondition, Circumstance, Model, Operator, PricingTier, UsageCondition

STANDARD = PricingTier("Standard", {"input": 1})
LONG = PricingTier("long", {"input": 2}, 1, (UsageCondition("^input", Operator.GT, 10),))
MODEL = Model("", "mine", r"(?i)^(openai/)?mine(-\d{4}-\d{2}-\d{2})?$", (STANDARD, LONG))


def test_an_ordinary_definition_is_fine() -> None:
    check(MODEL)


@pytest.mark.parametrize("pattern", ["", "(", "a{99999999999}", "x" * 1001, "(" * 500 + ")" * 500])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest, match="matchPattern"):
        check(replace(MODEL, match_pattern=pattern))


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|b+)*c", "(?:(x*)y)*", "((a{2,})b)*", "(?=(a+)+)b", ".*a.*b.*c.*d", "(?P<n>a*)(?(n)(b+)+|c)"],
)
def test_a_pattern_that_could_take_very_long_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest, match="very long"):
        check(replace(MODEL, match_pattern=pattern))


@pytest.mark.parametrize("pattern", ["^.*a.*b.*$", r"(\d{4}-){2}x?", "(?i)^(a|b)?c+$", "[a-z]+-v[0-9]+"])
def test_what_is_allowed_is_fast_on_the_longest_name(pattern: str) -> None:
    check(replace(MODEL, match_pattern=pattern))
    began = time.process_time()
    for name in ("a" * 256, "ab" * 128, "1234-" * 51, "x-" * 128):
        re.search(pattern, name)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("tiers", "field"),
    [
        ((), "pricingTiers:"),
        ((LONG,), "pricingTiers:"),
        ((STANDARD, replace(STANDARD, name="two")), "pricingTiers:"),
        ((replace(STANDARD, priority=3), LONG), "pricingTiers:"),
        ((STANDARD, replace(LONG, name="Standard")), "pricingTiers:"),
        ((STANDARD, LONG, replace(LONG, name="two")), "pricingTiers:"),
        ((STANDARD, replace(LONG, priority=1000)), "pricingTiers.priority"),
        ((STANDARD, replace(LONG, name="")), "pricingTiers.name"),
        ((STANDARD, replace(LONG, name="x" * 101)), "pricingTiers.name"),
        ((STANDARD, replace(LONG, prices={"output": 1})), "pricingTiers.prices"),
        ((replace(STANDARD, prices={}),), "pricingTiers.prices"),
        ((STANDARD, replace(LONG, conditions=(UsageCondition("x" * 201, Operator.GT, 1),))), "usageDetailPattern"),
        ((STANDARD, replace(LONG, conditions=(UsageCondition("(a+)+", Operator.GT, 1),))), "usageDetailPattern"),
        ((STANDARD, replace(LONG, conditions=(CallCondition(Circumstance.METADATA, "k", ()),))), "conditions.values"),
    ],
)
def test_rules_of_tiers(tiers: tuple[PricingTier, ...], field: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(field)):
        check(replace(MODEL, tiers=tiers))


def test_a_model_has_a_name() -> None:
    with pytest.raises(InvalidRequest, match="modelName"):
        check(replace(MODEL, name=""))
