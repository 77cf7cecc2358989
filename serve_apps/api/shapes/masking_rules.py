"""Masking rules as the API takes and shows them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.masking import MaskedField, MaskingRule, RuleKind
from ingestion.masking.dry_run import Shown
from serve_apps.api.shapes.values import Instant, Json, JsonShape, optional_iso

MAX_OBSERVATIONS = 100


class Body(BaseModel):
    """A request's body; unknown fields are refused, since a rule that is half understood hides too little."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=AliasGenerator(validation_alias=to_camel))


class MaskingRuleBody(Body):
    """A rule to be added, or to be tried."""

    kind: RuleKind
    target: Annotated[str, Field(max_length=2000)] = ""
    field: MaskedField = MaskedField.ALL
    replacement: str = ""
    fail_closed: bool = False
    headers: list[str] = Field(default_factory=list)

    @property
    def rule(self) -> MaskingRule:
        """The rule that it declares."""
        headers = tuple(header.strip().lower() for header in self.headers)
        return MaskingRule(
            "", self.kind, self.target, self.field, self.replacement, is_fail_closed=self.fail_closed, headers=headers
        )


class DryRunBody(Body):
    """A value to try rules on, or how many stored observations; without rules the project's own are tried."""

    rules: list[MaskingRuleBody] | None = None
    value: Any = None
    field: MaskedField = MaskedField.ALL
    observations: Annotated[int, Field(ge=0, le=MAX_OBSERVATIONS)] = 0


class MaskingRuleShape(JsonShape):
    """A rule; without a replacement the usual one stands in the place of what it hides."""

    id: str
    kind: RuleKind
    target: str
    field: MaskedField
    replacement: str | None
    failClosed: bool
    headers: Sequence[str]
    createdAt: Instant | None


class HiddenShape(JsonShape):
    """What a rule hides; one that is only tried has no id."""

    ruleId: str | None
    kind: RuleKind
    target: str
    text: str


class _Shown(JsonShape):
    masked: Json
    hidden: Sequence[HiddenShape]


class MaskedValueShape(_Shown):
    """A value as it would be stored, and what is hidden in it."""


class MaskedFieldShape(_Shown):
    """A field of an observation as it would have been stored, and what would have been hidden in it."""

    traceId: str
    observationId: str
    field: str


class MaskedObservations(JsonShape):
    """How many observations were looked at, and each field of theirs in which something would have been hidden."""

    observations: int
    data: Sequence[MaskedFieldShape]


def masking_rule_shape(rule: MaskingRule) -> MaskingRuleShape:
    """A rule."""
    return {
        "id": rule.id,
        "kind": rule.kind,
        "target": rule.target,
        "field": rule.field,
        "replacement": rule.replacement or None,
        "failClosed": rule.is_fail_closed,
        "headers": list(rule.headers),
        "createdAt": optional_iso(rule.created_at),
    }


def shown_shape(shown: Shown) -> MaskedValueShape:
    """A value as it would be stored, and what is hidden in it by which rule."""
    hidden: list[HiddenShape] = [
        {"ruleId": one.rule.id or None, "kind": one.rule.kind, "target": one.rule.target, "text": one.text}
        for one in shown.hidden
    ]
    return {"masked": shown.masked, "hidden": hidden}
