"""Whether an experiment passes a gate: the same answer every time, since bootstraps are seeded."""

from collections.abc import Iterator, Sequence

from evals.analytics.experiments import Experiment
from evals.statistics.intervals import bootstrap, paired_difference
from evals.statistics.samples import Pairs
from heliograph.domain.gates import Gate, GateRule, GateVerdict, RuleVerdict
from heliograph.domain.statistics import Estimate


def verdict(gate: Gate, ran: Experiment, wanted: Sequence[str], *, baseline: Experiment | None = None) -> GateVerdict:
    """Hold an experiment to a gate.

    Args:
        gate: the policy.
        ran: the experiment.
        wanted: the items of the gate's version of the dataset: other items do not count.
        baseline: what differences are from, where rules ask for some.
    """
    items = sorted(set(wanted))
    rules = [_ruled(gate, rule, ran, baseline=baseline, items=items) for rule in gate.rules]
    reasons = [*_coverage(gate, ran, items), *(rule.reason for rule in rules if not rule.passed)]
    return GateVerdict(
        gate=gate.name, experiment=ran.name, passed=not reasons, reasons=tuple(reasons), rules=tuple(rules)
    )


def _coverage(gate: Gate, ran: Experiment, items: Sequence[str]) -> Iterator[str]:
    if not items:
        yield f"dataset {gate.dataset_name!r} has no items"
        return
    missing, failed = sum(item not in ran.traces for item in items), sum(item in ran.failed for item in items)
    if (missing + failed) / len(items) > gate.max_failed:
        yield (
            f"of {len(items)} items {missing} did not run and {failed} failed: "
            f"more than {gate.max_failed:.1%} are not allowed"
        )


def _ruled(
    gate: Gate, rule: GateRule, ran: Experiment, *, baseline: Experiment | None, items: Sequence[str]
) -> RuleVerdict:
    version, problem = _version(rule, ran, baseline)
    if problem:
        return RuleVerdict(rule=rule, passed=False, reason=problem, estimate=None)
    sample = ran.sample(rule.metric, version, items)
    if rule.of == "value" or baseline is None:
        found = bootstrap(sample, confidence=gate.confidence, seed=gate.seed)
    else:
        pairs = Pairs.of(baseline.sample(rule.metric, version, items), sample)
        found = paired_difference(pairs, confidence=gate.confidence, seed=gate.seed)
    failures = list(_failures(rule, found))
    told = f"{rule.metric}: {'difference ' if rule.of == 'difference' else ''}{found}"
    return RuleVerdict(
        rule=rule, passed=not failures, reason=f"{told}: {'; '.join(failures) or 'kept'}", estimate=found
    )


def _version(rule: GateRule, ran: Experiment, baseline: Experiment | None) -> tuple[str, str]:
    """Which version of the evaluator decides, or why none can."""
    known = ran.versions(rule.metric)
    if not known:
        return "", f"{rule.metric}: the experiment has no such metric"
    version = known[0] if rule.evaluator_version is None else rule.evaluator_version
    if version not in known:
        return "", f"{rule.metric}: no scores of version {version!r}, only of {', '.join(known)}"
    if rule.of == "difference":
        if baseline is None:
            return "", f"{rule.metric}: there is no baseline to differ from"
        if version not in baseline.versions(rule.metric):
            return (
                "",
                f"{rule.metric}: another version of the evaluator judged the baseline: judge both with one",
            )
    return version, ""


def _failures(rule: GateRule, found: Estimate) -> Iterator[str]:
    if found.counts.n < rule.min_items:
        yield f"fewer than {rule.min_items} items"
        return
    low, high = (found.value, found.value) if rule.by == "estimate" else (found.low, found.high)
    # What is not known keeps no threshold: comparisons with NaN are false.
    if rule.at_least is not None and not low >= rule.at_least:
        yield f"not certainly at least {rule.at_least:g}" if rule.by == "interval" else f"below {rule.at_least:g}"
    if rule.at_most is not None and not high <= rule.at_most:
        yield f"not certainly at most {rule.at_most:g}" if rule.by == "interval" else f"above {rule.at_most:g}"
