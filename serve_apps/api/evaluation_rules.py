"""Evaluation rules: what of that which arrives is evaluated, and by which evaluators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_jobs import JobState
from pipelines.rule_checks import RuleChecks
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Optional, Paged, Text
from serve_apps.api.rule_backfills import Backfills
from serve_apps.api.rule_drafts import RuleDrafts
from serve_apps.api.shapes.evaluation_rules import (
    EvaluationRuleShape,
    ExecutionShape,
    RuleBody,
    RuleChange,
    execution_shape,
    rule_shape,
)
from serve_apps.api.shapes.lists import PageOf, Retried, Told
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.datasets import Datasets
from storage.postgres.evaluation_rules import EvaluationRules
from storage.postgres.evaluators import Evaluators
from storage.postgres.llm_connections import LlmConnections

router = APIRouter(prefix="/unstable/evaluation-rules", tags=["unstable"])


async def _rules(dependencies: Dependencies, principal: ProjectPrincipal) -> EvaluationRules:
    return EvaluationRules(dependencies.database, principal.project_id)


async def _drafts(dependencies: Dependencies, principal: ProjectPrincipal) -> RuleDrafts:
    database, project_id = dependencies.database, principal.project_id
    evaluators = Evaluators(database, project_id)
    connections = LlmConnections(database, project_id, dependencies.administration.seal)
    return RuleDrafts(evaluators, RuleChecks(evaluators, connections, Datasets(database, project_id)))


Rules = Annotated[EvaluationRules, Depends(_rules)]
Drafts = Annotated[RuleDrafts, Depends(_drafts)]


@router.post("")
async def create_rule(
    body: RuleBody, rules: Rules, drafts: Drafts, *, backfills: Backfills
) -> Answer[EvaluationRuleShape]:
    """Keep a rule. An enabled one is about what arrives from now on, with `EXISTING` about what is stored, too."""
    draft = await drafts.of(body)
    await backfills.check(draft)
    return answer(rule_shape(await backfills.begin(await rules.create(draft))))


@router.get("")
async def list_rules(asked: Annotated[Paged, Query()], rules: Rules) -> Answer[PageOf[EvaluationRuleShape]]:
    """One page of the project's rules, the newest first."""
    found, total = await rules.page(asked.asked_page)
    return page_answer(list(map(rule_shape, found)), asked.asked_page, total)


@router.get("/{rule_id}")
async def get_rule(rule_id: Text, rules: Rules) -> Answer[EvaluationRuleShape]:
    """One rule, with the reason why it is paused, if it is."""
    return answer(rule_shape(await rules.get(rule_id)))


@router.patch("/{rule_id}")
async def change_rule(
    rule_id: Text, body: RuleChange, *, rules: Rules, drafts: Drafts, backfills: Backfills
) -> Answer[EvaluationRuleShape]:  # fmt: skip
    """Change what is named. `enabled: true` also resumes a paused rule, once its cause is removed.

    What is stored is evaluated when `timeScope` is named, and when a rule about it is enabled for the first time.
    """
    if not body.model_fields_set:
        raise InvalidRequest("body", "names nothing to change")
    known = await rules.get(rule_id)
    changed = await drafts.changed(known, body)
    is_backfilled = body.time_scope is not None or not known.backfill_run_id
    if is_backfilled:
        await backfills.check(changed)
    rule = await rules.replace(rule_id, changed, is_resumed=body.enabled is True)
    return answer(rule_shape(await backfills.begin(rule) if is_backfilled else rule))


@router.delete("/{rule_id}")
async def delete_rule(rule_id: Text, rules: Rules) -> Answer[Told]:
    """Delete a rule; its evaluators and its scores stay."""
    await rules.delete(rule_id)
    return answer({"message": "Evaluation rule successfully deleted"})


class ExecutionList(Paged):
    """Which executions, and which page of them."""

    status: Optional[JobState] = None


@router.get("/{rule_id}/executions")
async def list_executions(
    rule_id: Text, asked: Annotated[ExecutionList, Query()], rules: Rules
) -> Answer[PageOf[ExecutionShape]]:
    """One page of what came of a rule, the newest first: waiting, scored, skipped, or failed and why."""
    executions = await rules.executions(rule_id)
    found, total = await executions.page(asked.asked_page, asked.status)
    return page_answer(list(map(execution_shape, found)), asked.asked_page, total)


@router.post("/{rule_id}/executions/retry")
async def retry_executions(rule_id: Text, rules: Rules) -> Answer[Retried]:
    """Try every failed one again, also those whose judge may have been paid already."""
    return answer({"retried": await (await rules.executions(rule_id)).retry()})
