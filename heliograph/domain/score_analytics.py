"""What is asked of many scores together, and what they say."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from heliograph.domain.filters import Expression
from heliograph.domain.statistics import Counts, Estimate, Number
from heliograph.domain.wire import Wire

MAX_RATERS = 10
MAX_BINS = 200
MAX_CATEGORIES = 60

Name = Annotated[str, Field(min_length=1, max_length=1_000)]


class Match(StrEnum):
    """When two scores are about the same thing: the same observation, trace or session, or anything in one trace."""

    TARGET = "target"
    TRACE = "trace"


class ScoreScope(Wire):
    """Which scores are meant: from `since`, inclusive, to `until`, exclusive, and those that meet a condition."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    where: Expression | None = None


class Rater(Wire):
    """Whose scores: those of a name, and of a source, an evaluator's version or an author where these are given."""

    name: Name
    source: Literal["API", "ANNOTATION", "EVAL"] | None = None
    evaluator_version: str | None = None
    author_user_id: str | None = None


class DistributionQuestion(ScoreScope):
    """How are the scores of a name distributed?"""

    name: Name
    bins: Annotated[int, Field(ge=1, le=MAX_BINS)] = 20


class TrendQuestion(ScoreScope):
    """How do scores go over time?"""

    names: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]
    interval_seconds: Annotated[int, Field(ge=1)] = 86_400


class AgreementQuestion(ScoreScope):
    """How far do raters agree? The first one's labels are the truth where precision, recall and bias are asked."""

    raters: Annotated[tuple[Rater, ...], Field(min_length=2, max_length=MAX_RATERS)]
    match: Match = Match.TARGET
    # In the order that weights count in; by default numbers in theirs, others by the alphabet.
    categories: Annotated[tuple[str, ...], Field(max_length=MAX_CATEGORIES)] = ()


class CalibrationQuestion(ScoreScope):
    """How far can a judge be trusted, and what do its verdicts say of everything that it judged?"""

    judge: Rater
    human: Rater
    match: Match = Match.TARGET

    @property
    def agreement(self) -> AgreementQuestion:
        """People's labels are the truth."""
        return AgreementQuestion(
            since=self.since, until=self.until, where=self.where, raters=(self.human, self.judge), match=self.match
        )


@dataclass(frozen=True)
class Unscored:
    """Evaluations of a score's name and version that gave none, in the interval that begins at `time`."""

    name: str
    version: str
    time: datetime
    failed: int
    skipped: int


class VersionDistribution(Wire):
    """The scores of one version of an evaluator, '' where none is known."""

    version: str
    data_type: str
    mean: Estimate
    deviation: Number
    minimum: Number
    median: Number
    maximum: Number
    labels: dict[str, int]
    first_at: AwareDatetime
    last_at: AwareDatetime


class Bin(Wire):
    """How many numbers of a version lie from `start` to before `end`; the last bin holds its end."""

    version: str
    start: float
    end: float
    n: int


class Distribution(Wire):
    """How the scores of a name are distributed; each version of an evaluator by itself.

    `failed` and `skipped` are of all versions of the period, also those without any score.
    """

    name: str
    failed: int = 0
    skipped: int = 0
    versions: tuple[VersionDistribution, ...]
    bins: tuple[Bin, ...]

    @property
    def mixes_versions(self) -> bool:
        """Whether a figure over all of them would mix versions of the evaluator."""
        return len({one.version for one in self.versions}) > 1


class TrendPoint(Wire):
    """The mean of a name and version in the interval that begins at `time`."""

    time: AwareDatetime
    name: str
    version: str
    mean: Estimate


class Trend(Wire):
    """How scores go over time; a change of the version is a change of the ruler."""

    points: tuple[TrendPoint, ...]


class CategoryFigures(Wire):
    """Precision, recall and F1 of one label, the first rater's being the truth."""

    label: str
    precision: Number
    recall: Number
    f1: Number


class LabelAgreement(Wire):
    """How far two raters give the same labels: `cells[i][j]` counts the first one's i with the second one's j."""

    categories: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    accuracy: Estimate
    kappa: Estimate
    linear_kappa: Estimate
    quadratic_kappa: Estimate
    macro_f1: Number
    by_label: tuple[CategoryFigures, ...]


class NumberAgreement(Wire):
    """How far two raters' numbers go together; `bias` is how much higher the second one's are on average."""

    pearson: Estimate
    spearman: Estimate
    mean_absolute_error: Estimate
    bias: Estimate
    # Of the differences.
    deviation: Number


class PairAgreement(Wire):
    """Two raters in one version each, or in all of theirs together where `mixes_versions` says so."""

    first_version: str
    second_version: str
    mixes_versions: bool
    counts: Counts
    labels: LabelAgreement | None
    numbers: NumberAgreement | None


class Alphas(Wire):
    """Krippendorff's alpha of all raters, by what tells two values apart; `n` counts targets with two ratings."""

    nominal: Estimate
    ordinal: Estimate
    interval: Estimate
    mixes_versions: bool


class Agreement(Wire):
    """How far raters agree: pair by pair and version by version where there are two, and all together."""

    pairs: tuple[PairAgreement, ...]
    alpha: Alphas


class JudgeCalibration(Wire):
    """A judge's version against people's labels.

    Attributes:
        sensitivity: how often it says true where people do; None for a judge of numbers.
        specificity: how often it says false where people do.
        bias: how much higher its numbers are on average; None for a judge of truth values.
        apparent: the share of true, or the mean, of all that it judged, as it says.
        corrected: the same as people would have said.
    """

    version: str
    agreement: PairAgreement
    sensitivity: Estimate | None
    specificity: Estimate | None
    bias: Estimate | None
    apparent: Estimate
    corrected: Estimate


class Calibration(Wire):
    """A judge against people, version by version."""

    versions: tuple[JudgeCalibration, ...]
