"""Masking rules to test with."""

from heliograph.domain.masking import MaskedField, MaskingRule, RuleKind
from ingestion.masking.masker import Masker
from ingestion.masking.projects import masking_of


def expression(pattern: str, field: MaskedField = MaskedField.ALL, replacement: str = "[hidden]") -> MaskingRule:
    return MaskingRule(f"x-{pattern}", RuleKind.EXPRESSION, pattern, field, replacement)


def detector(name: str, field: MaskedField = MaskedField.ALL) -> MaskingRule:
    return MaskingRule(f"d-{name}", RuleKind.DETECTOR, name, field)


def masker(*rules: MaskingRule) -> Masker:
    return masking_of(rules).masker
