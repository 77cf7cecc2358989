"""What rules would hide, and whether a rule can be one, before anything depends on it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.masking import MaskedField, MaskingRule, RuleKind
from heliograph.outbound import check_url
from ingestion.masking import fields
from ingestion.masking.finders import hiding
from ingestion.masking.projects import masking_of
from ingestion.values import Value

MAX_HEADERS = 20
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Set by the call itself; or they would hand our keys on.
_KEPT_BACK = re.compile(
    r"authorization|proxy-.*|cookie|host|content-.*|connection|transfer-encoding|te|upgrade|trailer|expect|keep-alive"
    r"|accept-encoding|x-langfuse-(?:org|project)-id|x-heliograph-payload"
)
_LOOKED_INTO = {
    MaskedField.ALL: fields.NEITHER,
    **{one: (one,) for one in (MaskedField.INPUT, MaskedField.OUTPUT, MaskedField.METADATA)},
}


@dataclass(frozen=True)
class Hidden:
    """Something that a rule hides."""

    rule: MaskingRule
    text: str


@dataclass(frozen=True)
class Shown:
    """A value as it would be stored, and what is hidden in it."""

    masked: Value
    hidden: list[Hidden] = field(default_factory=list)


def check(rule: MaskingRule) -> None:
    """Raises InvalidRequest with what makes a rule inapplicable."""
    if rule.kind is not RuleKind.CALLBACK:
        hiding(rule)
        if rule.headers or rule.is_fail_closed:
            raise InvalidRequest("kind", "only a callback has headers, and only a callback can fail")
        return
    try:
        check_url(rule.target)
    except ValueError as error:
        raise InvalidRequest("target", str(error)) from None
    if rule.field is not MaskedField.ALL or rule.replacement:
        raise InvalidRequest("field", "and replacement are not for a callback: it sees whole requests")
    for header in rule.headers:
        if not _HEADER.fullmatch(header) or _KEPT_BACK.fullmatch(header):
            raise InvalidRequest("headers", f"{header!r} cannot be passed on")
    if len(rule.headers) > MAX_HEADERS:
        raise InvalidRequest("headers", f"has more than {MAX_HEADERS} names")


def dry_run(rules: Sequence[MaskingRule], value: Value, looked_into: MaskedField = MaskedField.ALL) -> Shown:
    """What these rules would make of a value in that field; callbacks are not asked.

    Raises:
        InvalidRequest: a rule cannot be applied.
    """
    hidden: list[Hidden] = []
    masking = masking_of(rules, lambda rule, text: hidden.append(Hidden(rule, text)))
    return Shown(masking.masker.value(value, _LOOKED_INTO[looked_into]), hidden)
