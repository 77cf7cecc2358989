"""What many scores say together, computed by the server over all of them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from heliograph.client.asked import Moment, moment
from heliograph.client.columns import Where
from heliograph.client.connection import Connection
from heliograph.client.figures import Figures
from heliograph.domain.score_analytics import (
    Agreement,
    AgreementQuestion,
    Calibration,
    CalibrationQuestion,
    Distribution,
    DistributionQuestion,
    Match,
    PairAgreement,
    Rater,
    ScoreScope,
    Trend,
    TrendQuestion,
)
from heliograph.domain.wire import Wire

Found = TypeVar("Found", bound=Wire)


class ScoreAnalytics:
    """Figures over the scores of a project: exact at any number of them, since the server sums them up in place.

    Versions of an evaluator are kept apart; a figure over several of them says so (`mixes_versions`). Every estimate
    says on how many targets it stands, and how many had no score.

    Example:
        >>> project.scores.analytics.distribution("quality", since="30d").to_pandas()
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def distribution(
        self, name: str, *, since: Moment = None, until: Moment = None, where: Where | None = None, bins: int = 20
    ) -> Figures[Distribution]:
        """How the scores of a name are distributed: one row a version.

        Args:
            name: of the scores.
            since: from here on, as in `Project.scores`.
            until: before here.
            where: a condition on the scores.
            bins: into how many `answer.bins` numbers are counted.

        Raises:
            InvalidRequest: a time or a condition cannot be understood.
        """
        asked = DistributionQuestion(name=name, bins=bins, **_scope(since, until, where))
        answer = self._ask("distribution", asked, Distribution)
        rows = ({**dict(one), "n": one.mean.counts.n, "labels": str(one.labels or "")} for one in answer.versions)
        return Figures.of(answer, rows, f"distribution of {name}")

    def trend(
        self,
        names: str | Sequence[str],
        *,
        interval: timedelta = timedelta(days=1),
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
    ) -> Figures[Trend]:
        """Means over time: one row an interval, name and version, with Student's interval.

        Args:
            names: of the scores, one or several.
            interval: how long each mean's time is.
            since: from here on.
            until: before here.
            where: a condition on the scores.
        """
        chosen = (names,) if isinstance(names, str) else tuple(names)
        seconds = max(1, int(interval.total_seconds()))
        answer = self._ask(
            "trend", TrendQuestion(names=chosen, interval_seconds=seconds, **_scope(since, until, where)), Trend
        )
        rows = ({**dict(point), "n": point.mean.counts.n} for point in answer.points)
        return Figures.of(answer, rows, f"trend of {', '.join(chosen)}")

    def agreement(
        self,
        *raters: str | Rater,
        match: Match | str = Match.TARGET,
        categories: Sequence[str] = (),
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
    ) -> Figures[Agreement]:
        """How far two or more raters agree.

        Of two, `table` has a row for each pair of versions, and one for all together where there are several:
        accuracy, Cohen's kappa (plain, linear and quadratic weights), macro F1, Pearson's and Spearman's correlation,
        mean absolute error and bias; `answer.pairs` holds the confusion matrices. `answer.alpha` is Krippendorff's of
        all raters.

        Args:
            raters: names of scores, or `Rater(name=…, source=…, evaluator_version=…, author_user_id=…)`; the first
                one's labels are the truth.
            match: `"target"` where both scored the same thing, `"trace"` where they scored anything in one trace.
            categories: their order, for weights; by default numbers in theirs, others by the alphabet.
            since: from here on.
            until: before here.
            where: a condition on the scores.

        Example:
            >>> found = project.scores.analytics.agreement(Rater(name="correct", source="ANNOTATION"), "judge")
            >>> found.answer.pairs[0].labels.kappa.value, found.answer.alpha.nominal.value
        """
        chosen = tuple(map(_rater, raters))
        scope = _scope(since, until, where)
        asked = AgreementQuestion(raters=chosen, match=Match(match), categories=tuple(categories), **scope)
        answer = self._ask("agreement", asked, Agreement)
        return Figures.of(answer, map(_pair_row, answer.pairs), " and ".join(one.name for one in chosen))

    def calibration(
        self,
        judge: str | Rater,
        human: str | Rater,
        *,
        match: Match | str = Match.TARGET,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
    ) -> Figures[Calibration]:
        """How far a judge can be trusted by people's labels, and what its verdicts on everything else are worth.

        A judge of true and false gets sensitivity and specificity (Wilson), and its share of true corrected for both
        (Rogan-Gladen, with Lang and Reiczigel's interval). A judge of numbers gets its bias, and a mean that is
        corrected by it (prediction-powered inference). One row for each version of the judge.

        Args:
            judge: whose scores are examined.
            human: whose scores are the truth, on some of the same targets.
            match: see `agreement`.
            since: from here on.
            until: before here.
            where: a condition on the scores.
        """
        scope = _scope(since, until, where)
        asked = CalibrationQuestion(judge=_rater(judge), human=_rater(human), match=Match(match), **scope)
        answer = self._ask("calibration", asked, Calibration)
        rows = (_calibration_row(dict(one), one.agreement) for one in answer.versions)
        return Figures.of(answer, rows, f"{asked.judge.name} against {asked.human.name}")

    def _ask(self, what: str, asked: ScoreScope, kind: type[Found]) -> Found:
        body = asked.model_dump(mode="json", exclude_none=True)
        return kind.model_validate(self._connection.request("POST", f"/score-analytics/{what}", body))


def _scope(since: Moment, until: Moment, where: Where | None) -> dict[str, Any]:
    now = datetime.now(UTC)
    bounds = {"since": moment(since, "since", now), "until": moment(until, "until", now)}
    return {**bounds, "where": None if where is None else where.expression}


def _rater(given: str | Rater) -> Rater:
    return given if isinstance(given, Rater) else Rater(name=given)


def _pair_row(pair: PairAgreement) -> dict[str, Any]:
    versions = {
        "first_version": pair.first_version,
        "second_version": pair.second_version,
        "mixes_versions": pair.mixes_versions,
    }
    return {**versions, **dict(_pair_figures(pair))}


def _pair_figures(pair: PairAgreement) -> Iterator[tuple[str, Any]]:
    yield from (("n", pair.counts.n), ("failed", pair.counts.failed), ("skipped", pair.counts.skipped))
    if pair.labels is not None:
        for name in ("accuracy", "kappa", "linear_kappa", "quadratic_kappa", "macro_f1"):
            yield name, getattr(pair.labels, name)
    if pair.numbers is not None:
        for name in ("pearson", "spearman", "mean_absolute_error", "bias"):
            yield name, getattr(pair.numbers, name)


def _calibration_row(figures: Mapping[str, Any], agreement: PairAgreement) -> dict[str, Any]:
    known = {name: value for name, value in figures.items() if name != "agreement" and value is not None}
    return {**known, **dict(_pair_figures(agreement))}
