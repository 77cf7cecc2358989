"""Evaluation rules that the browser's tests look at."""

from heliograph.domain.evaluation_rules import Assignment, NewRule, RuleTarget
from heliograph.domain.project_evaluators import Definition, EvaluatorType
from storage.postgres.connection import opened
from storage.postgres.evaluation_rules import AllEvaluationRules, EvaluationRules
from storage.postgres.evaluators import Evaluators
from tests.browser.conftest import Site, arranged

SHORT = Definition(
    type=EvaluatorType.CODE, source_code="def evaluate(ctx):\n    return len(ctx.observation.output) < 400\n"
)


def kept_evaluator(site: Site, name: str) -> str:
    """The id of an evaluator of code of the full project."""

    async def keep() -> str:
        async with opened(site.stores.postgres_dsn) as database:
            return (await Evaluators(database, site.full.id).save(name, SHORT)).id

    return arranged(keep())


def kept_rule(site: Site, name: str) -> str:
    """The id of an active rule with an evaluator of its own."""
    assigned = Assignment(kept_evaluator(site, f"of {name}"), "", EvaluatorType.CODE, ())
    new = NewRule(name=name, target=RuleTarget.OBSERVATION, is_enabled=True, assignments=(assigned,))

    async def keep() -> str:
        async with opened(site.stores.postgres_dsn) as database:
            return (await EvaluationRules(database, site.full.id).create(new)).id

    return arranged(keep())


def block(site: Site, rule_id: str) -> None:
    """Pause a rule with a reason."""

    async def blocking() -> None:
        async with opened(site.stores.postgres_dsn) as database:
            await AllEvaluationRules(database).block(rule_id, "EVAL_FAILING", "Its code failed too often.")

    arranged(blocking())
