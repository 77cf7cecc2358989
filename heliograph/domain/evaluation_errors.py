"""Why an evaluator or a rule cannot be kept as it was asked: a reason for people, a code and details for programs."""

from collections.abc import Mapping
from typing import Any, Self

from heliograph.domain.errors import HeliographError


class EvaluationRefused(HeliographError):
    """{reason}"""

    fields = ("reason",)
    reason: str
    code: str = "invalid_request"
    details: Mapping[str, Any] = {}

    @classmethod
    def of(cls, code: str, reason: str, details: Mapping[str, Any]) -> Self:
        """The refusal with what programs read of it."""
        made = cls(reason)
        made.code, made.details = code, details
        return made


class RuleInvalid(EvaluationRefused):
    """{reason}"""


class NameConflict(EvaluationRefused):
    """{reason}"""


class EvaluatorNotRunnable(EvaluationRefused):
    """{reason}"""
