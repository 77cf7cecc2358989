"""Evaluation runs: which targets are judged by which evaluators, within which budget, and how far that is."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluation_jobs import score_id
from heliograph.domain.filters import AllOf, Expression
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.own_traces import WITHOUT_OWN
from heliograph.domain.project_evaluators import ModelChoice
from heliograph.domain.rule_specs import RuleSpec, TargetKey
from heliograph.domain.selections import SelectedTable, Selection

MAX_BUDGET_USD = 900_000
# The key of a score's metadata that names its run.
RUN_KEY = "evaluation_run"
_ID_DIGITS = 32
# What else of a model's parameters shapes its answers; no other one is passed on, such as an address.
MODEL_PARAMETERS = ("top_p", "seed", "frequency_penalty", "presence_penalty", "reasoning_effort")


class RunState(StrEnum):
    """What a run does. A planned one has spent nothing; a blocked one waits for a person, as a paused one does."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class Place(StrEnum):
    """Where evaluators run: on the server's cluster, or in the process that asked for the run."""

    SERVER = "server"
    CLIENT = "client"


class OnExisting(StrEnum):
    """What becomes of a target that has a score of the same evaluator and version: it is kept, or made anew."""

    SKIP = "skip"
    REPLACE = "replace"


class RunMode(StrEnum):
    """How judges are asked: at once, or by batches that their providers answer within a day at half the price."""

    LIVE = "live"
    BATCH = "batch"


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JudgeSpec(_Described):
    """The model behind a judge: the provider names a connection of the project."""

    provider: str
    model: str
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 1_024
    temperature: float | None = 0.0
    parameters: dict[str, Any] = {}

    @classmethod
    def of(cls, model: ModelChoice) -> Self:
        """Of the model that an evaluator of a project names; what else than these it says is not passed on."""
        known = dict(model.model_params or {})
        given = {name: known[name] for name in ("max_tokens", "temperature") if name in known}
        more = {name: known[name] for name in MODEL_PARAMETERS if name in known}
        return cls(provider=model.provider, model=model.model, parameters=more, **given)

    @property
    def shaping(self) -> dict[str, Any]:
        """The parameters that are passed on."""
        return {name: self.parameters[name] for name in MODEL_PARAMETERS if name in self.parameters}


class EmbedderSpec(_Described):
    """The model behind an evaluator that compares embeddings: the provider names a connection of the project."""

    provider: str
    model: str
    dimensions: Annotated[int, Field(ge=1, le=16_384)] | None = None


class SourceSpec(_Described):
    """A column of the target, and a JSONPath into it."""

    column: str
    json_path: str = ""


class EvaluatorSpec(_Described):
    """An evaluator of the catalogue by its name and parameters, or, at the client, one that only its name tells.

    Attributes:
        score: what its scores are called; its name unless told otherwise.
        version: of one at the client; that of its own the server notes when it plans the run.
        columns: what one at the client reads.
        rule: of an evaluator that the project keeps, the rule for which it judges; the server alone says so.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    place: Place = Place.SERVER
    score: str = ""
    parameters: dict[str, Any] = {}
    judge: JudgeSpec | None = None
    embedder: EmbedderSpec | None = None
    sources: dict[str, SourceSpec] = {}
    version: str = ""
    columns: tuple[str, ...] = ()
    rule: RuleSpec | None = None

    @property
    def score_name(self) -> str:
        """What its scores are called."""
        return self.score or self.name


class NewRun(_Described):
    """A run as it is asked for."""

    table: SelectedTable = SelectedTable.OBSERVATIONS
    selection: Selection = Selection()
    evaluators: Annotated[tuple[EvaluatorSpec, ...], Field(min_length=1, max_length=50)]
    budget_usd: Annotated[float, Field(ge=0, le=MAX_BUDGET_USD)] | None = None
    on_existing: OnExisting = OnExisting.SKIP
    mode: RunMode = RunMode.LIVE
    name: Annotated[str, Field(max_length=200)] = ""

    @property
    def budget_units(self) -> int | None:
        """The budget in 10⁻¹² dollars."""
        return None if self.budget_usd is None else round(self.budget_usd * UNITS_PER_DOLLAR)


class Estimate(_Described):
    """What a run is expected to take: money from what prompts need to what every call could cost at most."""

    rows: int = 0
    evaluations: int = 0
    judge_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd_low: float = 0.0
    usd_high: float = 0.0
    minutes: float = 0.0


@dataclass(frozen=True)
class EvaluationRun:
    """A run that was asked for; `cause` and `reason` say why it is blocked."""

    id: str
    project_id: ProjectId
    asked: NewRun
    state: RunState
    cause: str
    reason: str
    estimate: Estimate
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    def evaluators_at(self, place: Place) -> list[EvaluatorSpec]:
        """Those that run there."""
        return [spec for spec in self.asked.evaluators if spec.place is place]


@dataclass(frozen=True)
class EvaluationPart:
    """A period of a run's rows that somebody has claimed for the evaluators of one place.

    Attributes:
        attempt: how often it was claimed: beyond the first, some of its targets may have their scores.
        is_retry: only what has failed is to be done.
    """

    run_id: str
    place: Place
    part: int
    since: datetime | None
    until: datetime | None
    attempt: int
    is_retry: bool

    @property
    def holder(self) -> str:
        """What tells this attempt from all others, for budgets and limiters."""
        return f"{self.run_id}/{self.place}/{self.part}/{self.attempt}"


@dataclass(frozen=True)
class Failure:
    """A target that has no verdict, and why. `cause` is the type of the error."""

    evaluator: str
    trace_id: str
    observation_id: str
    cause: str
    reason: str

    @property
    def target(self) -> TargetKey:
        """What was to be judged."""
        return TargetKey(self.trace_id, self.observation_id)


COUNTED = ("scored", "skipped", "failed", "existing")


@dataclass(frozen=True)
class RunReport:
    """What became of targets, by the name of the score: every target counts once for each evaluator.

    Attributes:
        rows: targets read.
        counts: by score, how many were `scored`, `skipped`, `failed`, or had an `existing` score.
        causes: of the failures.
    """

    rows: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    causes: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "RunReport") -> "RunReport":
        names = [*self.counts, *(name for name in other.counts if name not in self.counts)]
        counts = {name: _sum(self.counts.get(name, {}), other.counts.get(name, {})) for name in names}
        return RunReport(self.rows + other.rows, counts, _sum(self.causes, other.causes))

    def without_failures(self) -> "RunReport":
        """What is left of it when the failed are tried again."""
        return RunReport(self.rows, {name: {**one, "failed": 0} for name, one in self.counts.items()})

    def count(self, what: str) -> int:
        """The sum over all scores."""
        return sum(one.get(what, 0) for one in self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"rows": self.rows, "counts": self.counts, "causes": self.causes}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; of nothing, an empty one."""
        return cls(**found)


@dataclass(frozen=True)
class RunProgress:
    """How far a run is. Money is in dollars; `reserved` is of calls on their way."""

    parts: int
    parts_done: int
    client_parts_left: int
    report: RunReport
    spent_usd: float = 0.0
    reserved_usd: float = 0.0
    unknown_usd: float = 0.0


def judged(selection: Selection) -> Selection:
    """A selection without the platform's own traces, the calls of judges above all."""
    where = WITHOUT_OWN if selection.where is None else AllOf(type="and", conditions=(selection.where, WITHOUT_OWN))
    return selection.model_copy(update={"where": where})


def asked_where(selection: Selection) -> Expression | None:
    """What a selection was narrowed to before `judged` kept the platform's own traces out."""
    match selection.where:
        case AllOf(conditions=(asked, guard)) if guard == WITHOUT_OWN:
            return asked
        case where if where == WITHOUT_OWN:
            return None
        case where:
            return where


def score_ids(spec: EvaluatorSpec, version: str, targets: Sequence[TargetKey]) -> list[str]:
    """The id of each target's score: one for a target and an evaluator's version, whichever run gives it.

    Under a rule it is that of the first score that the rule itself gives.
    """
    rule = spec.rule
    if rule is not None:
        return [score_id(rule.by(version), rule.target_of(target), spec.score_name) for target in targets]
    start = hashlib.sha256(f"evaluation\0{spec.score_name}\0{version}\0".encode())
    ids = []
    for target in targets:
        one = start.copy()
        one.update("\0".join(target).encode())
        ids.append(one.hexdigest()[:_ID_DIGITS])
    return ids


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    total = Counter(one)
    total.update(other)
    return dict(total)
