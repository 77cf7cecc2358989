"""The jobs of rules carried out: taken under a lease, judged, written as scores, each step noted before the next."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from evals.errors import CallFailed, RateLimited
from evals.project_evaluators import GivenScore, coded_scores, judged_scores
from evals.sandbox.process import CodeProcess
from heliograph import telemetry
from heliograph.domain.errors import EvaluationSkipped, HeliographError, Overloaded, Unavailable
from heliograph.domain.evaluation_jobs import EvaluationJob, RuleEvaluator, retry_after, score_id
from heliograph.domain.evaluation_rules import RULE_KEY, Assignment, EvaluationRule
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import EvaluatorNotFound, LlmConnectionNotFound
from heliograph.domain.project_evaluators import EvaluatorType, ModelChoice, ProjectEvaluator
from heliograph.domain.scores import ScoreDataType
from ingestion.scores import ScoreBody
from pipelines.rule_judges import RuleJudges, subject
from pipelines.rule_matching import assigned_version
from pipelines.rule_rows import TargetRow, TargetRows
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.run_scores import RunScores
from storage.postgres.connection import Database
from storage.postgres.evaluation_jobs import EvaluationJobs
from storage.postgres.evaluation_rules import AllEvaluationRules
from storage.postgres.evaluators import Evaluators

_log = telemetry.logger("rules")
JOBS_AT_ONCE = 16
# A judge may take two minutes, and is asked a few times within one attempt.
LEASE = timedelta(minutes=15)
# So many failures in a row are not the targets' fault.
FAILURES_IN_A_ROW = 10
_AWAY = timedelta(seconds=20)

JudgesOf = Callable[[ProjectId], AbstractAsyncContextManager[RuleJudges]]


class _Work(NamedTuple):
    """A job with all that it needs."""

    job: EvaluationJob
    rule: EvaluationRule
    evaluator: ProjectEvaluator
    assignment: Assignment
    judges: RuleJudges
    # The project's model for evaluators that name none.
    default: ModelChoice | None

    @property
    def version(self) -> str:
        """The hash of what judges now."""
        return assigned_version(self.evaluator, self.assignment, self.default)


class _NoDefaultModel(HeliographError):
    """The evaluator names no model, and the project has no default one for evaluations."""


class RuleJobs:
    """Carries jobs out.

    Args:
        database: where they are.
        clickhouse: where targets are read.
        judges: of a project.
        lease: after which a job whose worker has died is taken again.
    """

    def __init__(
        self, database: Database, clickhouse: ClickHouse, judges: JudgesOf, *, lease: timedelta = LEASE
    ) -> None:  # fmt: skip
        self._database, self._clickhouse, self._judges, self._lease = database, clickhouse, judges, lease
        self._jobs, self._rules = EvaluationJobs(database), AllEvaluationRules(database)

    async def advance(self) -> int:
        """Carry out some of what is due, and return how many that were; raises Unavailable."""
        jobs = await self._jobs.take(JOBS_AT_ONCE, self._lease)
        rules = await self._rules.of({job.rule_id for job in jobs})
        for project_id in {job.project_id for job in jobs}:
            async with self._judges(project_id) as judges:
                own = [job for job in jobs if job.project_id == project_id and job.rule_id in rules]
                await asyncio.gather(*(self._carry_out(job, rules[job.rule_id], judges) for job in own))
        return len(jobs)

    async def _carry_out(self, job: EvaluationJob, rule: EvaluationRule, judges: RuleJudges) -> None:
        """One job; whatever goes wrong is noted with it, and none stops the others."""
        try:
            await self._judge(job, rule, judges)
        except EvaluationSkipped as skipped:
            await self._jobs.skip(job.id, skipped.reason)
        except (Unavailable, Overloaded) as error:
            # A store of ours is away, which is no fault of the evaluator: what is noted is gone on with.
            await self._jobs.put_back(job.id, _AWAY, str(error))
        except Exception as error:  # noqa: BLE001 - a user's evaluator may raise anything
            await self._failed(job, rule, error)

    async def _judge(self, job: EvaluationJob, rule: EvaluationRule, judges: RuleJudges) -> None:
        if job.verdict is None and job.was_asked:
            reason = "A worker ended after it had asked the judge. It may have been paid for, and is not asked again."
            await self._jobs.fail(job.id, "OutcomeUnknown", reason)
            return
        assignment = next((one for one in rule.assignments if one.evaluator_id == job.evaluator_id), None)
        if assignment is None:
            raise EvaluationSkipped("the rule has another evaluator now")
        row = await TargetRows(self._clickhouse, job.project_id).read(job.target)
        if row is None:
            raise EvaluationSkipped("the target is gone, or is no target of rules")
        evaluators = Evaluators(self._database, job.project_id)
        evaluator, default = await evaluators.get(job.evaluator_id), await evaluators.default_model()
        # The evaluator may have another version than when the target was matched: the scores name what gives them.
        work = _Work(job, rule, evaluator, assignment, judges, default)
        if job.verdict is None and await self._was_judged_by_run(work):
            raise EvaluationSkipped("the run over what was stored before the rule has judged it")
        verdict = job.verdict or await self._verdict(work, row)
        # 3. Write the scores, under ids that a repetition would give them, too.
        bodies = list(_bodies(work, verdict, row.environment))
        await judges.write(bodies)
        # 4. They are durable.
        await self._jobs.complete(job.id, [body.id for body in bodies], verdict["execution_trace_id"])

    async def _was_judged_by_run(self, work: _Work) -> bool:
        """Whether the rule's run has the target: a job that was tried again is of the time before the rule's run."""
        job, rule = work.job, work.rule
        if not rule.backfill_run_id or job.created_at >= rule.active_since:
            return False
        by = RuleEvaluator(job.project_id, rule.id, work.version)
        given = score_id(by, job.target, work.evaluator.name)
        return rule.backfill_run_id in (await RunScores(self._clickhouse, job.project_id).runs([given])).values()

    async def _verdict(self, work: _Work, row: TargetRow) -> Mapping[str, Any]:
        if work.evaluator.definition.type is EvaluatorType.CODE:
            async with CodeProcess(work.evaluator.definition.source_code) as process:
                scores, trace_id = await coded_scores(process, row.code_context), ""
        else:
            scores, trace_id = await self._asked(work, row)
        verdict = {
            "scores": [asdict(score) for score in scores],
            "execution_trace_id": trace_id,
            "evaluator_version": work.version,
        }
        # 2. Keep what was paid for, before anything else can go wrong.
        await self._jobs.note_verdict(work.job.id, verdict)
        return verdict

    async def _asked(self, work: _Work, row: TargetRow) -> tuple[list[GivenScore], str]:
        definition = work.evaluator.definition
        model = definition.model or work.default
        if model is None:
            raise _NoDefaultModel
        judge = await work.judges.judge(model)
        asking = partial(judged_scores, judge, definition, work.assignment.mapping, target=row.columns)
        # 1. From here on it may have cost something.
        await self._jobs.note_asked(work.job.id)
        return await work.judges.recorded(asking(), job=work.job, name=work.evaluator.name, model=model.model)

    async def _failed(self, job: EvaluationJob, rule: EvaluationRule, error: Exception) -> None:
        cause, message = type(error).__name__.lstrip("_"), str(error)[:2_000]
        named = error.retry_after if isinstance(error, RateLimited) else 0.0
        wait = retry_after(job.attempts, named) if isinstance(error, CallFailed) and error.is_passing else None
        if wait is not None:
            await self._jobs.postpone(job.id, wait, cause=cause, message=message)
            return
        if not isinstance(error, HeliographError):
            _log.exception("evaluation_failed", job=job.id, rule=job.rule_id)
        await self._jobs.fail(job.id, cause, message)
        reason = _block(error)
        if not reason:
            failures = await self._jobs.latest_failures(job.rule_id, FAILURES_IN_A_ROW)
            reason = "EVALUATOR_KEEPS_FAILING" if failures else ""
            message = f"The last {FAILURES_IN_A_ROW} evaluations failed, the last one so: {message}"
        if reason:
            _log.warning("rule_blocked", rule=rule.id, reason=reason)
            await self._rules.block(rule.id, reason, message)


_BLOCKS: Mapping[type[HeliographError], str] = {
    LlmConnectionNotFound: "LLM_CONNECTION_MISSING",
    _NoDefaultModel: "DEFAULT_EVAL_MODEL_MISSING",
    EvaluatorNotFound: "EVALUATOR_MISSING",
}


def _block(error: Exception) -> str:
    """Why nothing of the rule can succeed until a person acts; '' where the next target may."""
    return str(getattr(error, "block", "")) or next(
        (reason for kind, reason in _BLOCKS.items() if isinstance(error, kind)), ""
    )


def _bodies(work: _Work, verdict: Mapping[str, Any], environment: str) -> Sequence[ScoreBody]:
    job, names, bodies = work.job, list[str](), list[ScoreBody]()
    about = subject(job)
    for score in verdict["scores"]:
        name = score["name"] or work.evaluator.name
        value, is_truth = score["value"], score["data_type"] == ScoreDataType.BOOLEAN
        text = value if isinstance(value, str) else str(bool(value)) if is_truth else ""
        bodies.append(
            ScoreBody(
                name=name,
                data_type=str(score["data_type"]),
                id=score_id(job.by, job.target, name, occurrence=names.count(name)),
                value=0.0 if isinstance(value, str) else float(value),
                text=text,
                source="EVAL",
                environment=environment,
                comment=score["comment"],
                metadata=score["metadata"]
                | {RULE_KEY: job.rule_id, "evaluator_id": job.evaluator_id, "evaluation_job_id": job.id},
                execution_trace_id=verdict["execution_trace_id"],
                evaluator_version=verdict["evaluator_version"],
                trace_id=about.trace_id,
                observation_id=about.observation_id,
                session_id=about.session_id,
            )
        )
        names.append(name)
    return bodies
