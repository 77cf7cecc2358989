"""Masking rules: what of the project's events must not be stored."""

import asyncio

from fastapi import APIRouter

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.observations import observations_from
from ingestion.masking.dry_run import check, dry_run
from ingestion.masking.observations import COLUMNS, dry_run_of
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies, ProjectObservations
from serve_apps.api.shapes.lists import ListOf, Told
from serve_apps.api.shapes.masking_rules import (
    DryRunBody,
    MaskedFieldShape,
    MaskedObservations,
    MaskedValueShape,
    MaskingRuleBody,
    MaskingRuleShape,
    masking_rule_shape,
    shown_shape,
)
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.masking_rules import MaskingRules

router = APIRouter(tags=["masking"])


@router.get("/masking-rules")
async def list_masking_rules(
    principal: ProjectPrincipal, dependencies: Dependencies
) -> Answer[ListOf[MaskingRuleShape]]:
    """Every rule of the project, in the order in which they are applied."""
    rules = await MaskingRules(dependencies.database, principal.project_id).all()
    return answer({"data": [masking_rule_shape(rule) for rule in rules]})


@router.post("/masking-rules")
async def add_masking_rule(
    body: MaskingRuleBody, principal: ProjectPrincipal, dependencies: Dependencies
) -> Answer[MaskingRuleShape]:
    """Add a rule; every replica applies it within seconds. What is stored already stays as it is."""
    await asyncio.to_thread(check, body.rule)
    return answer(masking_rule_shape(await MaskingRules(dependencies.database, principal.project_id).add(body.rule)))


@router.post("/masking-rules/dry-run")
async def try_masking_rules(
    body: DryRunBody,
    *,
    principal: ProjectPrincipal,
    dependencies: Dependencies,
    observations: ProjectObservations,
) -> Answer[MaskedValueShape] | Answer[MaskedObservations]:
    """Show what rules would hide in a value, or would have hidden in the newest observations."""
    if body.rules is None:
        rules = await MaskingRules(dependencies.database, principal.project_id).all()
    else:
        rules = [one.rule for one in body.rules]
        for rule in rules:
            await asyncio.to_thread(check, rule)
    if not body.observations:
        if body.value is None:
            raise InvalidRequest("value", "is what to try the rules on: give it, or a number of observations")
        return answer(shown_shape(await asyncio.to_thread(dry_run, rules, body.value, body.field)))
    found = list(observations_from(await observations.newest([], COLUMNS, limit=body.observations)))
    shown = await asyncio.to_thread(lambda: list(dry_run_of(rules, found)))
    data: list[MaskedFieldShape] = [
        {"traceId": one.trace_id, "observationId": one.observation_id, "field": one.field, **shown_shape(one.shown)}
        for one in shown
    ]
    looked_at: MaskedObservations = {"observations": len(found), "data": data}
    return answer(looked_at)


@router.delete("/masking-rules/{rule_id}")
async def remove_masking_rule(rule_id: str, principal: ProjectPrincipal, dependencies: Dependencies) -> Answer[Told]:
    """Remove a rule."""
    await MaskingRules(dependencies.database, principal.project_id).remove(rule_id)
    return answer({"message": "Masking rule successfully deleted"})
