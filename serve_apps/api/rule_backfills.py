"""What is stored already, evaluated for a rule, as the routes of rules are given it."""

from typing import Annotated

from fastapi import Depends

from pipelines.rule_backfills import RuleBackfills
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.evaluation_runs import ProjectPlanStores, adapters_of
from serve_apps.authentication import ProjectPrincipal


async def _backfills(
    dependencies: Dependencies, principal: ProjectPrincipal, stores: ProjectPlanStores
) -> RuleBackfills:  # fmt: skip
    adapters = await adapters_of(dependencies, principal.project_id)
    prices = dependencies.prices.of(principal.project_id)
    return RuleBackfills(principal.project_id, dependencies.database, stores, prices=prices, adapters=adapters)


Backfills = Annotated[RuleBackfills, Depends(_backfills)]
