"""One part of an evaluation run, carried out wherever its evaluators are: on the cluster, or in a notebook."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.errors import Unavailable
from heliograph.domain.evaluation_runs import (
    COUNTED,
    EvaluationPart,
    EvaluatorSpec,
    Failure,
    OnExisting,
    RunReport,
    score_ids,
)
from heliograph.domain.evaluators import Outcome, OutcomeStatus
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.rule_specs import TargetKey
from heliograph.domain.selections import SelectedTable
from heliograph.run_evaluator import KEPT, VERDICTS, RunEvaluator, key_of, keys_of, only, scores_of

# So many verdicts of judges, or those of a second, are written at once: what a kill may cost.
_WRITTEN_AT_ONCE = 200
_ASKED_AT_ONCE = 500
_BEAT_SECONDS = 1.0
_KEEP_EVERY_BEATS = 3


class Targets(Protocol):
    """The rows of a part, in portions, with `trace_id`, `observation_id`, `environment` and what evaluators read."""

    def read(self, part: EvaluationPart) -> AsyncIterator[pa.Table]: ...

    async def known(self, spec: EvaluatorSpec, targets: pa.Table) -> Mapping[str, str]:
        """By the column `score_id` of targets, the scores that there are, or that a rule is about to give itself.

        Returns:
            Which run gave each; '' where none has.
        """
        ...


class Scores(Protocol):
    """Where verdicts go."""

    async def write(self, scores: pa.Table) -> None:
        """Return when these are durable: the columns of `ScoresOfProject.write`, all of them with an `id`."""


class Ledger(Protocol):
    """What is kept of parts; see `storage.postgres.evaluation_parts`."""

    async def keep(self, part: EvaluationPart, report: RunReport) -> bool: ...

    async def give_back(self, part: EvaluationPart) -> None: ...

    async def finish(self, part: EvaluationPart, report: RunReport, failures: Sequence[Failure]) -> bool: ...

    async def block(self, run_id: str, cause: str, reason: str) -> None: ...

    async def failed_targets(self, part: EvaluationPart) -> Mapping[str, frozenset[TargetKey]]: ...


class Asking(Protocol):
    """How an asynchronous evaluator is asked about one target."""

    async def __call__(self, asked: RunEvaluator, row: Mapping[str, Any], /) -> tuple[Outcome, str]:
        """The outcome, and the id of the trace of its judges' calls, if any."""
        ...


async def _plainly(asked: RunEvaluator, row: Mapping[str, Any], /) -> tuple[Outcome, str]:
    return await asked.evaluator.evaluate(row), ""


@dataclass(frozen=True)
class PartWork:
    """What a part is carried out with.

    Attributes:
        blocks: causes of failures that no other target escapes, and what the run is blocked for.
        concurrency: how many targets an asynchronous evaluator is asked about at a time.
        awaited: the cause of outcomes that only a later attempt brings, as of judges that are asked by batches.
        postpone: has them brought, and gives the part back until then.
    """

    table: SelectedTable
    on_existing: OnExisting
    targets: Targets
    scores: Scores
    ledger: Ledger
    ask: Asking = _plainly
    blocks: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 64
    awaited: str = ""
    postpone: Callable[[], Awaitable[None]] | None = None


class PartEvaluation:
    """Judges every target of a part once for each evaluator. It may be killed anywhere, and done again."""

    def __init__(self, part: EvaluationPart, evaluators: Sequence[RunEvaluator], work: PartWork) -> None:
        self._part, self._evaluators, self._work = part, evaluators, work
        self._rows = 0
        self._counts = {one.spec.score_name: Counter(dict.fromkeys(COUNTED, 0)) for one in evaluators}
        self._causes: Counter[str] = Counter()
        self._failures: list[Failure] = []
        self._verdicts: list[tuple[RunEvaluator, list[dict[str, Any]]]] = []
        self._must_stop = self._is_awaiting = False
        self._writing = asyncio.Lock()

    @property
    def report(self) -> RunReport:
        """What became of the targets so far."""
        counts = {name: dict(counted) for name, counted in self._counts.items()}
        return RunReport(self._rows, counts, dict(self._causes))

    async def run(self) -> bool:
        """Return whether the part is done.

        It is not where the run was paused, blocked or cancelled meanwhile, or where something is still awaited.
        """
        ledger, part = self._work.ledger, self._part
        beating = asyncio.create_task(self._beat())
        try:
            wanted = await ledger.failed_targets(part) if part.is_retry else None
            async with contextlib.aclosing(self._work.targets.read(part)) as portions:  # type: ignore[type-var]
                async for table in portions:
                    for one in self._evaluators:
                        if not self._must_stop:
                            await self._evaluate(one, table, wanted)
                    self._rows += 0 if part.is_retry else table.num_rows
                    if self._must_stop:
                        break
            await self._write_verdicts()
            if self._is_awaiting and not self._must_stop and self._work.postpone is not None:
                # Whoever has lost the part, or whose run was stopped, has nothing asked: its successor does.
                if await ledger.keep(part, self.report):
                    await self._work.postpone()
                    return False
                self._must_stop = True
        except BaseException:
            await ledger.give_back(part)
            raise
        finally:
            beating.cancel()
        if self._must_stop:
            await ledger.give_back(part)
            return False
        return await ledger.finish(part, self.report, self._failures)

    async def _beat(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            beats += 1
            # What could not be written is kept, and tried again.
            with contextlib.suppress(Unavailable):
                await self._write_verdicts()
                if beats % _KEEP_EVERY_BEATS == 0 and not await self._work.ledger.keep(self._part, self.report):
                    self._must_stop = True

    async def _evaluate(
        self, one: RunEvaluator, table: pa.Table, wanted: Mapping[str, frozenset[TargetKey]] | None
    ) -> None:
        table = one.targets(table)
        if wanted is not None:
            table = only(table, wanted.get(one.spec.score_name, frozenset()))
        ids = score_ids(one.spec, one.evaluator.version, keys_of(table))
        table = await self._left(one, table.append_column("score_id", pa.array(ids, pa.string())))
        if not table.num_rows:
            return
        if one.is_asked:
            await self._ask(one, table)
        else:
            await self._evaluate_columns(one, table)

    async def _left(self, one: RunEvaluator, table: pa.Table) -> pa.Table:
        """The targets without a score that counts."""
        is_first = self._part.attempt == 1 and not self._part.is_retry
        if is_first and self._work.on_existing is OnExisting.REPLACE:
            return table
        known = await self._work.targets.known(one.spec, table)
        own = {score for score, run in known.items() if run == self._part.run_id}
        others = known.keys() - own if self._work.on_existing is OnExisting.SKIP else set()
        counted = self._counts[one.spec.score_name]
        counted["scored"] += len(own)
        counted["existing"] += len(others)
        have = own | others
        return table.filter(pc.invert(pc.is_in(table["score_id"], pa.array(have, pa.string())))) if have else table

    async def _evaluate_columns(self, one: RunEvaluator, table: pa.Table) -> None:
        evaluator = one.evaluator
        if evaluator.is_async:
            # A failure of its model is one of all these rows.
            for start in range(0, table.num_rows, _ASKED_AT_ONCE):
                if not self._must_stop:
                    some = table.slice(start, _ASKED_AT_ONCE)
                    await self._take(one, some, await evaluator.evaluate_table(some))
        else:
            await self._take(one, table, await asyncio.to_thread(evaluator.evaluate_batch, table))

    async def _take(self, one: RunEvaluator, table: pa.Table, outcomes: pa.Table) -> None:
        joined = table.select(list(KEPT))
        for name in outcomes.column_names:
            joined = joined.append_column(name, outcomes[name])
        is_scored = pc.equal(joined["status"], OutcomeStatus.SCORED.value)
        await self._write(one, joined.filter(is_scored))
        others = joined.filter(pc.invert(is_scored))
        self._counts[one.spec.score_name]["scored"] += joined.num_rows - others.num_rows
        for row in others.to_pylist():
            cause = row["reason"].partition(":")[0]
            if row["status"] == OutcomeStatus.SKIPPED:
                self._counts[one.spec.score_name]["skipped"] += 1
            elif cause in self._work.blocks:
                await self._block(cause, row["reason"])
                return
            else:
                self._fail(one, row, cause=cause, reason=row["reason"])

    async def _ask(self, one: RunEvaluator, table: pa.Table) -> None:
        slots = asyncio.Semaphore(self._work.concurrency)

        async def ask(row: Mapping[str, Any]) -> None:
            try:
                outcome, trace_id = await self._work.ask(one, row)
                await self._note(one, row, outcome, trace_id=trace_id)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as asked:
            for row in plain_rows(table):
                await slots.acquire()
                if self._must_stop:
                    break
                asked.create_task(ask(row))

    async def _note(self, one: RunEvaluator, row: Mapping[str, Any], outcome: Outcome, *, trace_id: str) -> None:
        counted = self._counts[one.spec.score_name]
        if outcome.cause in self._work.blocks:
            await self._block(outcome.cause, outcome.reason)
        elif outcome.cause and outcome.cause == self._work.awaited:
            self._is_awaiting = True
        elif outcome.verdict is None and outcome.status is OutcomeStatus.SKIPPED:
            counted["skipped"] += 1
        elif outcome.verdict is None:
            self._fail(one, row, cause=outcome.cause, reason=outcome.reason)
        else:
            self._verdicts.append((one, one.scores(row, outcome.verdict, trace_id)))
            if len(self._verdicts) >= _WRITTEN_AT_ONCE and not self._writing.locked():
                await self._write_verdicts()

    async def _block(self, cause: str, reason: str) -> None:
        self._must_stop = True
        await self._work.ledger.block(self._part.run_id, self._work.blocks[cause], reason)

    def _fail(self, one: RunEvaluator, row: Mapping[str, Any], *, cause: str, reason: str) -> None:
        self._counts[one.spec.score_name]["failed"] += 1
        self._causes[cause] += 1
        self._failures.append(Failure(one.spec.score_name, *key_of(row), cause, reason))

    async def _write_verdicts(self) -> None:
        async with self._writing:
            written = len(self._verdicts)
            for one in self._evaluators:
                own = [told for by, told in self._verdicts[:written] if by is one]
                if own:
                    await self._write(one, pa.Table.from_pylist([score for told in own for score in told], VERDICTS))
                    self._counts[one.spec.score_name]["scored"] += len(own)
            # After an error all are written again: they are the same scores.
            del self._verdicts[:written]

    async def _write(self, one: RunEvaluator, verdicts: pa.Table) -> None:
        """Numbers and truth values apart from texts, since a column has one type."""
        is_text = pc.is_null(verdicts["value"])
        for texts in (False, True):
            some = verdicts.filter(is_text if texts else pc.invert(is_text))
            if some.num_rows:
                await self._work.scores.write(scores_of(one, some, self._part.run_id, texts=texts))
