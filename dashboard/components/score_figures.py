"""Figures of many scores as small tables, each with the number of scores on which it stands."""

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components import formats
from dashboard.components.tables import table
from dashboard.plots.analytics import version_name
from heliograph.domain.score_analytics import Agreement, Calibration, Distribution, PairAgreement
from heliograph.domain.statistics import Counts, Estimate

NO_NAMES = Markup(
    '<h2>No scores in this period</h2><p class="quiet">Scores come from annotators, from evaluators and from your'
    " application. Widen the period, label something in an annotation queue, or evaluate what is stored.</p>"
)
CHOOSE = Markup(
    '<p class="absent">Choose a second score above, such as what annotators said, to see how far the two agree and how'
    " far the first can be trusted.</p>"
)
NO_PAIRS = Markup(
    '<p class="absent">Nothing has both scores in this period. Widen the period, or let scores match anywhere in a'
    " trace.</p>"
)


def estimate(found: Estimate | None) -> str:
    """A figure with its interval: 0.72 [0.61, 0.80]."""
    if found is None or found.value != found.value:
        return formats.ABSENT
    interval = f" [{formats.number(found.low)}, {formats.number(found.high)}]" if found.has_interval else ""
    return formats.number(found.value) + interval


def standing(counts: Counts) -> str:
    """On how many targets a figure stands: n 40, skipped 3."""
    more = [f"{name} {formats.count(n)}" for name, n in (("failed", counts.failed), ("skipped", counts.skipped)) if n]
    return ", ".join([f"n {formats.count(counts.n)}", *more])


def versions(distribution: Distribution) -> Markup:
    """Each version of the evaluator by itself."""
    titles = ["Version", "Type", "First (UTC)", "Last (UTC)", "n", "Mean", "Deviation", "Least", "Median", "Greatest"]
    rows = [
        [
            version_name(one.version), one.data_type.lower(), formats.moment(one.first_at), formats.moment(one.last_at),
            formats.count(one.mean.counts.n), estimate(one.mean),
            *map(formats.number, (one.deviation, one.minimum, one.median, one.maximum)),
        ]
        for one in distribution.versions
    ]  # fmt: skip
    return table(titles, rows, numbers=6)


def shown_pair(agreement: Agreement) -> PairAgreement | None:
    """The pair that is drawn: all versions together where there are several."""
    return agreement.pairs[-1] if agreement.pairs else None


def pairs(agreement: Agreement) -> Markup:
    """How far two raters agree, version by version."""
    titles = ["Truth", "Judged", "Stands on", "Accuracy", "Kappa", "Quadratic kappa", "Pearson", "Spearman", "Bias"]
    return table(titles, [pair_row(pair) for pair in agreement.pairs], numbers=6)


def calibrations(calibration: Calibration) -> Markup:
    """What each version's verdicts say of everything that it judged, and what people would have said."""
    titles = ["Version", "Stands on", "Sensitivity", "Specificity", "Bias", "As judged", "Corrected"]
    rows = [
        [
            version_name(one.version), standing(one.agreement.counts),
            *map(estimate, (one.sensitivity, one.specificity, one.bias, one.apparent, one.corrected)),
        ]
        for one in calibration.versions
    ]  # fmt: skip
    return table(titles, rows, numbers=5)


def trusted(calibration: Calibration) -> dict[str, Estimate]:
    """What the versions' verdicts say and what people would have said, one below the other."""
    found: dict[str, Estimate] = {}
    for one in calibration.versions:
        found[f"{version_name(one.version)} as judged"] = one.apparent
        found[f"{version_name(one.version)} corrected"] = one.corrected
    return found


def pair_row(pair: PairAgreement) -> Sequence[str]:
    """Who agreed with whom, on how many, and how far."""
    labels, numbers = pair.labels, pair.numbers
    names = ("all together", "all together") if pair.mixes_versions else (pair.first_version, pair.second_version)
    return [
        *(name if pair.mixes_versions else version_name(name) for name in names),
        standing(pair.counts),
        *map(estimate, (labels.accuracy, labels.kappa, labels.quadratic_kappa) if labels else (None, None, None)),
        *map(estimate, (numbers.pearson, numbers.spearman, numbers.bias) if numbers else (None, None, None)),
    ]
