"""What an experiment came to, and how another differs from it, item by item."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from evals.statistics.comparison import EvaluatorVersionsDiffer, adjusted, compare
from evals.statistics.intervals import bootstrap
from evals.statistics.samples import Sample
from heliograph.domain.comparisons import (
    COST,
    LATENCY,
    ComparisonQuestion,
    ExperimentComparison,
    ExperimentSummary,
    ItemDifference,
    Metric,
    MetricComparison,
    MetricKind,
)
from heliograph.domain.evaluators import OutcomeStatus
from heliograph.domain.experiments import DatasetRun, DatasetRunItem
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.statistics import NAN

_MEASURED = {COST: MetricKind.COST, LATENCY: MetricKind.LATENCY}


@dataclass(frozen=True)
class Experiment:
    """An experiment by its items; one that ran several times counts by its means.

    Attributes:
        id: of the run.
        name: of the run.
        traces: of each item, the one in which it ran last.
        failed: items whose task raised.
        values: of each metric and version, by item.
        unscored: of each metric and version, how many items failed or were skipped.
    """

    id: str
    name: str
    dataset_name: str
    traces: Mapping[str, str]
    failed: frozenset[str]
    values: Mapping[tuple[str, str], Mapping[str, float]]
    unscored: Mapping[tuple[str, str], Counter[str]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of its metrics, cost and latency last."""
        return sorted({name for name, _ in self.values}, key=lambda name: (name in _MEASURED, name))

    def versions(self, name: str) -> list[str]:
        """Of a metric's evaluator, the one that scored most items first."""
        found = [(version, len(values)) for (metric, version), values in self.values.items() if metric == name]
        return [version for version, _ in sorted(found, key=lambda one: (-one[1], one[0]))]

    def sample(self, name: str, version: str, items: Sequence[str]) -> Sample:
        """The values of a metric over items, in their order."""
        values = self.values[name, version]
        numbers = np.array([values.get(item, NAN) for item in items], dtype=np.float64)
        missing = int(np.isnan(numbers).sum())
        raised = sum(item in self.failed for item in items)
        unscored = self.unscored.get((name, version), Counter())
        failed = min(missing, unscored[OutcomeStatus.FAILED] + raised)
        return Sample(numbers, failed, missing - failed, version)


def experiment(
    run: DatasetRun, items: Sequence[DatasetRunItem], tables: Mapping[str, pa.Table], *, dataset_name: str
) -> Experiment:
    """An experiment from its run and the tables of `ExperimentResults`: scores, traces and roots."""
    items_of: dict[str, list[DatasetRunItem]] = defaultdict(list)
    for item in items:
        items_of[item.trace_id].append(item)
    values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in plain_rows(tables["scores"]):
        for item in items_of[row["trace_id"]]:
            # Two items may share a trace: a score of an observation is of the item that ran in it.
            if len(items_of[row["trace_id"]]) == 1 or row["observation_id"] in {"", item.observation_id}:
                values[row["name"], row["version"]][item.dataset_item_id].append(row["value"])
    for row in plain_rows(tables["traces"]):
        for name in _MEASURED:
            if row[name] is not None:
                for item in items_of[row["trace_id"]]:
                    values[name, ""][item.dataset_item_id].append(row[name])
    roots = list(plain_rows(tables["roots"]))
    return Experiment(
        id=run.id,
        name=run.name,
        dataset_name=dataset_name,
        traces={item.dataset_item_id: item.trace_id for item in items},
        failed=frozenset(
            item.dataset_item_id for row in roots if row["has_failed"] for item in items_of[row["trace_id"]]
        ),
        values={key: {item: float(np.mean(found)) for item, found in own.items()} for key, own in values.items()},
        unscored=_unscored(row["unscored"] for row in roots),
    )


def summary(of: Experiment, *, confidence: float = 0.95, seed: int = 0) -> ExperimentSummary:
    """What an experiment came to, with bootstrap intervals."""
    items = sorted(of.traces)
    return ExperimentSummary(
        id=of.id,
        name=of.name,
        dataset_name=of.dataset_name,
        items=len(items),
        failed=len(of.failed),
        metrics=tuple(_metric(of, name, items, confidence=confidence, seed=seed) for name in of.names),
    )


def comparison(first: Experiment, second: Experiment, asked: ComparisonQuestion) -> ExperimentComparison:
    """How the second experiment differs from the first, over the items that both ran."""
    pair = _Pair(first, second, sorted(first.traces.keys() & second.traces.keys()))
    metrics = [pair.compared(name, asked) for name in pair.names]
    p_values = adjusted([metric.p_value for metric in metrics], control=asked.control)
    differences = [one for name in pair.names for one in pair.differences(name)] if asked.with_items else []
    return ExperimentComparison(
        first=summary(first, confidence=asked.confidence, seed=asked.seed),
        second=summary(second, confidence=asked.confidence, seed=asked.seed),
        paired_items=len(pair.items),
        confidence=asked.confidence,
        control=asked.control,
        metrics=tuple(
            metric.model_copy(update={"adjusted_p_value": p_value})
            for metric, p_value in zip(metrics, p_values, strict=True)
        ),
        items=tuple(sorted(differences, key=_loss, reverse=True)),
    )


def kind_of(name: str) -> MetricKind:
    """What a metric is of."""
    return _MEASURED.get(name, MetricKind.SCORE)


@dataclass(frozen=True)
class _Pair:
    """Two experiments over the items that both ran."""

    first: Experiment
    second: Experiment
    items: Sequence[str]

    @property
    def names(self) -> list[str]:
        """The metrics that both have."""
        known = set(self.first.names)
        return [name for name in self.second.names if name in known]

    def versions(self, name: str) -> tuple[str, str]:
        """The version that both have, else of each the one that scored most items."""
        ours, theirs = self.first.versions(name), self.second.versions(name)
        common = next((version for version in theirs if version in ours), None)
        return (ours[0], theirs[0]) if common is None else (common, common)

    def compared(self, name: str, asked: ComparisonQuestion) -> MetricComparison:
        """One metric."""
        ours, theirs = self.versions(name)
        named = {"name": name, "kind": kind_of(name), "first_version": ours, "second_version": theirs}
        samples = self.first.sample(name, ours, self.items), self.second.sample(name, theirs, self.items)
        confidence, seed = asked.confidence, asked.seed
        try:
            found = compare(*samples, confidence=confidence, on_version_change=asked.on_version_change, seed=seed)
        except EvaluatorVersionsDiffer as error:
            return MetricComparison(**named, refused=str(error))
        better, worse = found.win_tie_loss.wins, found.win_tie_loss.losses
        if kind_of(name).is_better_low:
            better, worse = worse, better
        before, after = (bootstrap(sample, confidence=confidence, seed=seed) for sample in samples)
        return MetricComparison(
            **named,
            first=before,
            second=after,
            difference=found.difference,
            test=found.test.name,
            p_value=found.test.p_value if found.difference.counts.n else NAN,
            wins=better,
            ties=found.win_tie_loss.ties,
            losses=worse,
            minimal_detectable_effect=found.minimal_detectable_effect,
        )

    def differences(self, name: str) -> Iterator[ItemDifference]:
        """Those of the items that have the metric in both."""
        ours, theirs = self.versions(name)
        before, after = self.first.values[name, ours], self.second.values[name, theirs]
        for item in self.items:
            if item in before and item in after:
                yield ItemDifference(
                    item_id=item,
                    metric=name,
                    first=before[item],
                    second=after[item],
                    first_trace_id=self.first.traces[item],
                    second_trace_id=self.second.traces[item],
                )


def _metric(of: Experiment, name: str, items: Sequence[str], *, confidence: float, seed: int) -> Metric:
    version, *others = of.versions(name)
    mean = bootstrap(of.sample(name, version, items), confidence=confidence, seed=seed)
    return Metric(name=name, kind=kind_of(name), version=version, other_versions=tuple(others), mean=mean)


def _loss(one: ItemDifference) -> tuple[bool, float]:
    loss = one.first - one.second
    return kind_of(one.metric) is MetricKind.SCORE, -loss if kind_of(one.metric).is_better_low else loss


def _unscored(texts: Iterable[str]) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for text in texts:
        told: dict[str, dict[str, Any]] = json.loads(text) if text else {}
        for name, one in told.items():
            found[name, one["version"]][one["status"]] += 1
    return found
