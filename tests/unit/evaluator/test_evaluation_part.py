"""A part of a run: each target once for each evaluator, whatever was done before, and nothing after a stop."""

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from heliograph.domain.evaluation_runs import EvaluationPart, EvaluatorSpec, Failure, OnExisting, Place, RunReport
from heliograph.domain.rule_specs import TargetKey
from heliograph.domain.selections import SelectedTable
from heliograph.evaluation_part import PartEvaluation, PartWork
from heliograph.evaluator import evaluator
from heliograph.run_evaluator import RunEvaluator

PART = EvaluationPart("run", Place.CLIENT, 0, None, None, 1, is_retry=False)


@dataclass
class Kept:
    """Targets, scores and ledger in memory."""

    rows: list[dict[str, str]]
    scores: dict[str, dict[str, object]] = field(default_factory=dict)
    given_before: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, frozenset[TargetKey]] = field(default_factory=dict)
    writes: int = 0
    failures: list[Failure] = field(default_factory=list)
    report: RunReport | None = None
    ended: list[str] = field(default_factory=list)

    async def read(self, part: EvaluationPart) -> AsyncIterator[pa.Table]:
        del part
        yield pa.Table.from_pylist(self.rows)

    async def known(self, spec: EvaluatorSpec, targets: pa.Table) -> Mapping[str, str]:
        del spec
        ids = targets["score_id"].to_pylist()
        return {one: self.given_before[one] for one in ids if one in self.given_before}

    async def write(self, scores: pa.Table) -> None:
        for row in scores.to_pylist():
            self.writes += 1
            self.scores[row["id"]] = row

    async def keep(self, part: EvaluationPart, report: RunReport) -> bool:
        del part, report
        return True

    async def give_back(self, part: EvaluationPart) -> None:
        del part
        self.ended.append("given back")

    async def finish(self, part: EvaluationPart, report: RunReport, failures: Sequence[Failure]) -> bool:
        del part
        self.report, self.failures = report, list(failures)
        self.ended.append("finished")
        return True

    async def block(self, run_id: str, cause: str, reason: str) -> None:
        del run_id, reason
        self.ended.append(f"blocked: {cause}")

    async def failed_targets(self, part: EvaluationPart) -> Mapping[str, frozenset[TargetKey]]:
        del part
        return self.wanted


def kept(*outputs: str) -> Kept:
    """So many targets with these outputs."""
    named = {"trace_id": "t", "environment": "default"}
    return Kept([{**named, "observation_id": str(n), "output": output} for n, output in enumerate(outputs)])


@evaluator
def length(output: str) -> float:
    if output == "bad":
        raise ValueError(output)
    return float(len(output))


@evaluator
async def later(output: str) -> str:
    if output == "bad":
        raise ValueError(output)
    return output


ALL = [RunEvaluator(EvaluatorSpec(name=one.name, place=Place.CLIENT), one) for one in (length, later)]


async def carried_out(store: Kept, part: EvaluationPart = PART, **work: object) -> bool:
    given = PartWork(SelectedTable.OBSERVATIONS, OnExisting.SKIP, store, store, store)
    return await PartEvaluation(part, ALL, dataclasses.replace(given, **work)).run()  # type: ignore[arg-type]


async def test_every_target_is_scored_skipped_or_failed_with_its_cause() -> None:
    store = kept("a", "", "bad", "bbb")
    assert await carried_out(store)
    counts = {"scored": 2, "skipped": 1, "failed": 1, "existing": 0}
    assert store.report == RunReport(4, {"length": counts, "later": counts}, {"ValueError": 2})
    assert [(one.evaluator, one.observation_id, one.cause) for one in store.failures] == [
        ("length", "2", "ValueError"),
        ("later", "2", "ValueError"),
    ]
    assert sorted(str(one["value"]) for one in store.scores.values()) == ["1.0", "3.0", "a", "bbb"]


async def test_what_another_run_gave_is_existing_and_what_this_one_gave_before_it_died_is_scored() -> None:
    store = kept("a", "bb")
    await carried_out(store)
    store.given_before = {one: "run" if row["name"] == "length" else "other" for one, row in store.scores.items()}
    store.writes = 0
    await carried_out(store, dataclasses.replace(PART, attempt=2))
    assert store.writes == 0
    assert store.report is not None
    assert (store.report.counts["length"]["scored"], store.report.counts["later"]["existing"]) == (2, 2)


async def test_a_retry_asks_about_what_has_failed_alone() -> None:
    store = kept("a", "bb", "ccc")
    store.wanted = {"later": frozenset({TargetKey("t", "1")})}
    await carried_out(store, dataclasses.replace(PART, attempt=2, is_retry=True))
    assert [row["value"] for row in store.scores.values()] == ["bb"]


async def test_a_cause_that_no_target_escapes_blocks_the_run_and_gives_the_part_back() -> None:
    store = kept("bad", "a")
    assert not await carried_out(store, blocks={"ValueError": "NO_KEY"}, concurrency=1)
    assert store.ended == ["blocked: NO_KEY", "given back"]
