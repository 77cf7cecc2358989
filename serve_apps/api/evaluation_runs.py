"""Evaluation runs: planned with what they would take, begun, watched, paused and retried; parts for who evaluates."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.errors import Conflict, InvalidRequest
from heliograph.domain.evaluation_runs import EvaluationPart, NewRun, Place, RunState
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.llm_connections import Adapter
from heliograph.domain.rule_specs import TargetKey
from pipelines.evaluation_plan import PlanStores, plan
from pipelines.target_trees import TargetTrees
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies, ProjectSelections
from serve_apps.api.parameters import Paged
from serve_apps.api.shapes.evaluation_runs import (
    BlockBody,
    ClaimShape,
    EvaluationRunShape,
    FailureShape,
    KeptShape,
    PartNumber,
    ReportBody,
    ResumeBody,
    RunProgressShape,
    failure_shape,
    part_shape,
    progress_shape,
    run_shape,
)
from serve_apps.api.shapes.lists import ListOf, PageOf, Retried, Told
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.traces import Traces
from storage.postgres.evaluation_parts import EvaluationParts
from storage.postgres.evaluation_runs import EvaluationRuns
from storage.postgres.llm_connections import LlmConnections

router = APIRouter(prefix="/evaluation-runs", tags=["evaluation-runs"])
_ALL_CONNECTIONS = Page(1, 1_000)
_MAX_FAILURES = 10_000
_TURNS: Mapping[str, RunState] = {
    "start": RunState.RUNNING,
    "resume": RunState.RUNNING,
    "pause": RunState.PAUSED,
    "cancel": RunState.CANCELLED,
}


async def _runs(dependencies: Dependencies, principal: ProjectPrincipal) -> EvaluationRuns:
    return EvaluationRuns(dependencies.database, principal.project_id)


ProjectRuns = Annotated[EvaluationRuns, Depends(_runs)]


class ProjectParts:
    """The parts of one project's runs, for evaluators that run elsewhere."""

    def __init__(self, runs: EvaluationRuns, parts: EvaluationParts) -> None:
        self._runs, self.all = runs, parts

    async def part(self, run_id: str, number: int, body: ReportBody) -> EvaluationPart:
        """The part that somebody says to hold; raises EvaluationRunNotFound for the run of another project."""
        await self._runs.get(run_id)
        return EvaluationPart(run_id, Place.CLIENT, number, None, None, body.attempt, body.is_retry)


async def _parts(dependencies: Dependencies, runs: ProjectRuns) -> ProjectParts:
    return ProjectParts(runs, EvaluationParts(dependencies.database))


PartsOfRuns = Annotated[ProjectParts, Depends(_parts)]


async def _plan_stores(
    dependencies: Dependencies, principal: ProjectPrincipal, selections: ProjectSelections
) -> PlanStores:  # fmt: skip
    clickhouse, project_id = dependencies.clickhouse, principal.project_id
    return PlanStores(selections, Traces(clickhouse, project_id), TargetTrees(clickhouse, project_id))


ProjectPlanStores = Annotated[PlanStores, Depends(_plan_stores)]


@router.post("", status_code=201)
async def plan_run(
    asked: NewRun,
    *,
    runs: ProjectRuns,
    dependencies: Dependencies,
    principal: ProjectPrincipal,
    stores: ProjectPlanStores,
) -> Answer[EvaluationRunShape]:
    """Plan a run and estimate what it takes; nothing is evaluated before it is started."""
    if any(spec.rule is not None for spec in asked.evaluators):
        raise InvalidRequest("evaluators", "a rule's evaluators run when the rule is about what is stored (timeScope)")
    prices = dependencies.prices.of(principal.project_id)
    adapters = await adapters_of(dependencies, principal.project_id)
    planned = await plan(asked, stores, prices, adapters=adapters)
    return answer(run_shape(await runs.plan(planned.asked, planned.estimate, planned.partitions.periods)), 201)


@router.get("")
async def list_runs(asked: Annotated[Paged, Query()], runs: ProjectRuns) -> Answer[PageOf[EvaluationRunShape]]:
    """One page of the runs, newest first."""
    found, total = await runs.page(asked.asked_page)
    return page_answer(list(map(run_shape, found)), asked.asked_page, total)


@router.get("/{run_id}")
async def get_run(run_id: str, runs: ProjectRuns) -> Answer[EvaluationRunShape]:
    """One run, with its estimate."""
    return answer(run_shape(await runs.get(run_id)))


@router.get("/{run_id}/progress")
async def get_progress(run_id: str, runs: ProjectRuns) -> Answer[RunProgressShape]:
    """How far a run is, and what it has spent."""
    run = await runs.get(run_id)
    return answer(progress_shape(run, (await runs.progress([run_id]))[run_id]))


@router.get("/{run_id}/failures")
async def list_failures(
    run_id: str,
    runs: ProjectRuns,
    limit: Annotated[int, Query(ge=1, le=_MAX_FAILURES)] = 100,
    *,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Answer[ListOf[FailureShape]]:
    """What has failed, each with its cause."""
    found = await runs.failures(run_id, limit=limit, offset=offset)
    return answer({"data": [failure_shape(failure) for failure in found]})


@router.post("/{run_id}/retry-failed")
async def retry_failed(run_id: str, runs: ProjectRuns) -> Answer[Retried]:
    """Have what has failed tried again."""
    return answer({"retried": await runs.retry_failed(run_id)})


@router.post("/{run_id}/claims")
async def claim_part(run_id: str, runs: ProjectRuns, parts: PartsOfRuns) -> Answer[ClaimShape]:
    """Claim a part of the evaluators that run at the client, and hear which targets are to be tried again."""
    await runs.get(run_id)
    part = await parts.all.claim(run_id, Place.CLIENT)
    if part is None:
        return answer({"part": None})
    failed = await parts.all.failed_targets(part) if part.is_retry else {}
    wanted: dict[str, Sequence[TargetKey]] = {name: sorted(targets) for name, targets in failed.items()}
    return answer({"part": part_shape(part), "failed": wanted})


@router.post("/{run_id}/parts/{number}/keep")
async def keep_part(run_id: str, number: PartNumber, body: ReportBody, *, parts: PartsOfRuns) -> Answer[KeptShape]:
    """Keep a claimed part, and hear whether to go on."""
    return answer({"go_on": await parts.all.keep(await parts.part(run_id, number, body), body.report)})


@router.post("/{run_id}/parts/{number}/give-back")
async def give_back_part(run_id: str, number: PartNumber, body: ReportBody, *, parts: PartsOfRuns) -> Answer[Told]:
    """Leave a claimed part to the next one."""
    await parts.all.give_back(await parts.part(run_id, number, body))
    return answer({"message": "Part successfully given back"})


@router.post("/{run_id}/parts/{number}/finish")
async def finish_part(run_id: str, number: PartNumber, body: ReportBody, *, parts: PartsOfRuns) -> Answer[Told]:
    """Note that a claimed part is done, and what failed in it."""
    part = await parts.part(run_id, number, body)
    if not await parts.all.finish(part, body.report, body.failures):
        raise Conflict("attempt", "somebody else has claimed the part since")
    return answer({"message": "Part successfully finished"})


@router.post("/{run_id}/block")
async def block_run(run_id: str, body: BlockBody, runs: ProjectRuns, *, parts: PartsOfRuns) -> Answer[Told]:
    """Have a run wait for a person."""
    await runs.get(run_id)
    await parts.all.block(run_id, body.cause, body.reason)
    return answer({"message": "Run successfully blocked"})


@router.post("/{run_id}/{turn}")
async def turn_run(
    run_id: str, turn: str, runs: ProjectRuns, *, body: ResumeBody | None = None
) -> Answer[EvaluationRunShape]:
    """Start, pause, resume or cancel a run."""
    if turn not in _TURNS:
        raise Conflict("turn", f"must be one of {', '.join(_TURNS)}")
    usd = body.budget_usd if body else None
    units = None if usd is None else round(usd * UNITS_PER_DOLLAR)
    return answer(run_shape(await runs.turn(run_id, _TURNS[turn], budget_units=units)))


async def adapters_of(dependencies: Dependencies, project_id: ProjectId) -> dict[str, Adapter]:
    """The adapters of a project's connections, by provider."""
    connections = LlmConnections(dependencies.database, project_id, dependencies.administration.seal)
    found, _ = await connections.page(_ALL_CONNECTIONS)
    return {connection.provider: connection.adapter for connection in found}
