"""Why an evaluator or a rule cannot be kept as it was asked: a code for programs, a reason for people."""

from typing import Any

from heliograph.domain.errors import HeliographError


class EvaluationRefused(HeliographError):
    """{reason}"""

    fields = ("code", "reason", "details")
    code: str
    reason: str
    details: dict[str, Any]


class RuleInvalid(EvaluationRefused):
    """{reason}"""


class NameConflict(EvaluationRefused):
    """{reason}"""


class EvaluatorNotRunnable(EvaluationRefused):
    """{reason}"""
