"""Rules followed: what the lanes have stored since the last look becomes jobs, each of them once.

Nothing of this runs where events are taken in; see docs/decisions/0012.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from evals.project_evaluators import version_of
from heliograph import telemetry
from heliograph.domain.evaluation_jobs import NewJob
from heliograph.domain.evaluation_rules import Assignment, EvaluationRule, sample_place
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.domain.project_evaluators import ModelChoice, ProjectEvaluator
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.rule_targets import RuleTargets, Span
from storage.postgres.connection import Database
from storage.postgres.evaluation_jobs import EvaluationJobs
from storage.postgres.evaluation_rules import AllEvaluationRules
from storage.postgres.evaluators import Evaluators
from storage.postgres.lanes import LaneRegistry
from storage.postgres.rule_cursors import RuleCursors

_log = telemetry.logger("rules")
# What one query looks at; after a long absence the rest follows.
_MAX_SEGMENTS = 2_000


class RuleMatching:
    """Follows the lanes for the active rules of all projects.

    Args:
        database: where rules, cursors and jobs are.
        clickhouse: where targets are read.
    """

    def __init__(self, database: Database, clickhouse: ClickHouse) -> None:
        self._database, self._clickhouse = database, clickhouse
        self._rules, self._jobs = AllEvaluationRules(database), EvaluationJobs(database)
        self._cursors, self._lanes = RuleCursors(database), LaneRegistry(database)

    async def advance(self) -> int:
        """Look at what is new, and return how many jobs came of it; raises Unavailable.

        A cursor moves once its jobs are kept. Whoever is killed between the two looks again, and finds the same jobs.
        """
        rules = sorted(await self._rules.active(), key=attrgetter("project_id"))
        if not rules:
            return 0
        lane_map, stored, seen = await self._lanes.lane_map(), await self._cursors.stored(), await self._cursors.all()
        added = 0
        for project_id, own in groupby(rules, key=attrgetter("project_id")):
            added += await self._advance(project_id, list(own), _Progress(lane_map, stored, seen))
        return added

    async def _advance(self, project_id: ProjectId, rules: Sequence[EvaluationRule], progress: "_Progress") -> int:
        evaluators = Evaluators(self._database, project_id)
        named = {one.evaluator_id for rule in rules for one in rule.assignments}
        known = {evaluator_id: await evaluators.get(evaluator_id) for evaluator_id in named}
        default = await evaluators.default_model()
        added = 0
        for lane, span in progress.spans(project_id):
            for rule in rules if span.through > span.after else ():
                added += await self._jobs.add(await self._matched(rule, span, _versions(rule, known, default)))
            await self._cursors.advance(project_id, lane, span.through)
        return added

    async def _matched(self, rule: EvaluationRule, span: Span, versions: Mapping[str, str]) -> list[NewJob]:
        targets = await RuleTargets(self._clickhouse, rule.project_id).seen(rule, span)
        return [
            NewJob(
                project_id=rule.project_id,
                rule_id=rule.id,
                evaluator_id=evaluator_id,
                evaluator_version=version,
                target=target,
                delay=rule.delay,
            )
            for target in targets
            if sample_place(target.id) < rule.sampling
            for evaluator_id, version in versions.items()
        ]


class _Progress:
    """How far the lanes and the cursors are."""

    def __init__(
        self,
        lane_map: LaneMap,
        stored: Mapping[LaneNumber, int],
        seen: Mapping[tuple[ProjectId, LaneNumber], int],
    ) -> None:
        self._map, self._stored, self._seen = lane_map, stored, seen

    def spans(self, project_id: ProjectId) -> list[tuple[LaneNumber, Span]]:
        """What is new in each lane of a project; in a lane that was never looked at, what was stored last.

        What lies before was stored before there was a rule, which does not take it for new.
        """
        found = []
        for lane in self._map.lanes_of(project_id):
            share = self._map.share_of(lane, project_id)
            through = self._stored.get(lane, 0)
            after = self._seen.get((project_id, lane), max(0, through - _MAX_SEGMENTS))
            if share is not None and (through > after or (project_id, lane) not in self._seen):
                found.append((lane, Span(after, min(through, after + _MAX_SEGMENTS), share)))
        return found


def _versions(
    rule: EvaluationRule, known: Mapping[str, ProjectEvaluator], default: ModelChoice | None
) -> dict[str, str]:
    return {one.evaluator_id: assigned_version(known[one.evaluator_id], one, default) for one in rule.assignments}


def assigned_version(evaluator: ProjectEvaluator, one: Assignment, default: ModelChoice | None) -> str:
    """The hash of an evaluator under a rule."""
    judge = f"{default.provider}/{default.model}" if default else ""
    return version_of(evaluator.definition, one.mapping, judge)
