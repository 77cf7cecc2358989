"""Evaluation runs from Python: any evaluator over any selection, with an estimate before and a budget that holds."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict
from urllib.parse import quote

from heliograph.client import html
from heliograph.client.connection import Connection
from heliograph.client.evaluation_work import RunWorker
from heliograph.client.selections import Selection
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_runs import (
    EmbedderSpec,
    Estimate,
    EvaluatorSpec,
    Failure,
    JudgeSpec,
    NewRun,
    OnExisting,
    Place,
    RunMode,
    RunProgress,
    RunReport,
    RunState,
    SourceSpec,
)
from heliograph.evaluation_targets import columns_read
from heliograph.evaluator import Evaluator, as_evaluator
from heliograph.run_evaluator import RunEvaluator
from heliograph.variables import Source

AskedEvaluator = str | EvaluatorSpec | Evaluator | Callable[..., Any]
OnProgress = Callable[[RunProgress], None]

_LOOK_SECONDS = 1.0
_FAILURES = 100


def on_server(
    name: str,
    *,
    judge: str = "",
    embedder: str = "",
    score: str = "",
    sources: Mapping[str, str | Source] | None = None,
    max_tokens: int = 1_024,
    **parameters: Any,
) -> EvaluatorSpec:
    """An evaluator of the catalogue, to be run on the server's cluster.

    Args:
        name: as docs/evaluators.md lists them.
        judge: `provider/model`, where it asks a judge; the provider names one of the project's LLM connections.
        embedder: `provider/model`, where it compares embeddings.
        score: what its scores are called; its name unless told otherwise.
        sources: columns and JSONPaths of inputs, as `Evaluator.reading` takes them.
        max_tokens: of an answer of the judge; it bounds what a call can cost.
        **parameters: of the evaluator, plain values.

    Raises:
        InvalidRequest: the judge or the embedder is no provider and model.

    Example:
        >>> on_server("relevance", judge="openai/gpt-4o-mini")
        >>> on_server("matches_regex", pattern="order-[0-9]+", score="names the order")
    """
    given = {key: Source(source) if isinstance(source, str) else source for key, source in (sources or {}).items()}
    return EvaluatorSpec(
        name=name,
        score=score,
        parameters=parameters,
        judge=JudgeSpec(**_model("judge", judge), max_tokens=max_tokens) if judge else None,
        embedder=EmbedderSpec(**_model("embedder", embedder)) if embedder else None,
        sources={key: SourceSpec(column=one.column, json_path=one.json_path) for key, one in given.items()},
    )


def _model(name: str, given: str) -> dict[str, str]:
    provider, _, model = given.partition("/")
    if not model:
        raise InvalidRequest(name, f"{given!r} is no provider/model, as openai/gpt-4o-mini")
    return {"provider": provider, "model": model}


class Run:
    """A run on the server, planned or begun. Its state survives this process: `project.run(id)` finds it again.

    Evaluators of the catalogue run on the server's cluster. Functions of this process run here, while `wait` does.

    Example:
        >>> run = project.evaluate(project.observations(since="30d"), ["json_valid"])
        >>> run.estimate().rows
        >>> run.wait()
    """

    def __init__(
        self, connection: Connection, shape: Mapping[str, Any], local: Sequence[RunEvaluator] = ()
    ) -> None:  # fmt: skip
        self.id = str(shape["id"])
        self._connection, self._local = connection, list(local)
        self._shape = dict(shape)

    @property
    def state(self) -> RunState:
        """What it does now."""
        self._shape = self._connection.request("GET", self._path())
        return RunState(self._shape["state"])

    def estimate(self) -> Estimate:
        """Rows, calls and tokens; dollars from what prompts need to the upper bound of every call; minutes."""
        return Estimate.model_validate(self._shape["estimate"])

    def progress(self) -> RunProgress:
        """How far it is, what became of the targets so far, and what was spent."""
        return _progress(self._connection.request("GET", self._path("/progress")))

    def start(self) -> "Run":
        """Begin. Nothing was evaluated or spent before."""
        return self._turn("start")

    def pause(self) -> "Run":
        """Begin no further evaluation; those on their way are finished."""
        return self._turn("pause")

    def resume(self, *, budget_usd: float | None = None) -> "Run":
        """Go on after a pause, or once the cause of a block is removed, with a larger budget where one is given."""
        return self._turn("resume", {"budget_usd": budget_usd})

    def cancel(self) -> "Run":
        """End for good; scores that were given stay."""
        return self._turn("cancel")

    def failures(self, limit: int = _FAILURES) -> list[Failure]:
        """Targets without a verdict, each with the cause."""
        found = self._connection.request("GET", self._path(f"/failures?limit={limit}"))
        return [Failure(**one) for one in found["data"]]

    def retry_failed(self) -> int:
        """Have what has failed tried again; returns how much that is. `wait` waits for it."""
        return int(self._connection.request("POST", self._path("/retry-failed"))["retried"])

    def wait(self, on_progress: OnProgress | None = None) -> RunProgress:
        """Start it if it is only planned, run what belongs to this process, and return when nothing is left to do.

        Args:
            on_progress: told every second or so.

        Returns:
            The last progress: it may be paused, cancelled, or blocked, for what `blocked_by` says.
        """
        if self.state is RunState.PLANNED:
            self.start()
        while True:
            if self._local:
                worker = RunWorker(self._connection, self.id, self._asked, evaluators=self._local)
                _beside(worker.work)
            # In this order, so that what is told at the end is the end's.
            state, progress = self.state, self.progress()
            if on_progress is not None:
                on_progress(progress)
            if state is not RunState.RUNNING or self._waits_for_another(progress):
                return progress
            time.sleep(_LOOK_SECONDS)

    @property
    def blocked_by(self) -> str:
        """Why a person has to act before it goes on; '' when nobody has to."""
        shape = self._connection.request("GET", self._path())
        return f"{shape['cause']}: {shape['reason']}" if shape["cause"] else ""

    def _waits_for_another(self, progress: RunProgress) -> bool:
        """Whether only evaluators of another process are left."""
        left = progress.parts - progress.parts_done
        return not self._local and bool(left) and progress.client_parts_left == left

    @property
    def _asked(self) -> NewRun:
        names = ("table", "selection", "evaluators", "budget_usd", "on_existing", "mode", "name")
        return NewRun.model_validate({name: self._shape[name] for name in names})

    def _turn(self, turn: str, body: Mapping[str, Any] | None = None) -> "Run":
        self._shape = self._connection.request("POST", self._path(f"/{turn}"), body)
        return self

    def _path(self, rest: str = "") -> str:
        return f"/evaluation-runs/{self.id}{rest}"

    def __repr__(self) -> str:
        return f"Run({self.id!r}, {self._shape['state']})"

    def _repr_html_(self) -> str:
        shape = self._connection.request("GET", self._path())
        return html.run(shape, self.progress())


class RunOptions(TypedDict, total=False):
    """How a run is to evaluate.

    Attributes:
        budget_usd: what judges may cost at most; needed where there is one.
        on_existing: whether a target that has a score of the same version keeps it, or is judged again.
        sample: this share of the rows, by a hash of their id.
        mode: whether judges are asked at once, or by batches that their providers answer within a day at half the
            price.
        name: what people call the run.
    """

    budget_usd: float | None
    on_existing: Literal["skip", "replace"]
    sample: float | None
    mode: Literal["live", "batch"]
    name: str


def planned(
    connection: Connection, selection: Selection, evaluators: Sequence[AskedEvaluator], *, how: RunOptions
) -> Run:  # fmt: skip
    """A run of these evaluators over a selection; see `Project.evaluate`."""
    if isinstance(evaluators, str) or not isinstance(evaluators, Sequence):
        raise InvalidRequest("evaluators", "is a list of evaluators")
    local = [_local(one, selection) for one in evaluators if not isinstance(one, str | EvaluatorSpec)]
    specs = [
        EvaluatorSpec(name=one) if isinstance(one, str) else one
        for one in evaluators
        if isinstance(one, str | EvaluatorSpec)
    ]
    sample = how.get("sample")
    chosen = selection if sample is None else selection.sample(sample)
    asked = NewRun(
        table=chosen.asked.table,
        selection=chosen.asked.selection.model_copy(update={"select": None}),
        evaluators=(*specs, *(one.spec for one in local)),
        budget_usd=how.get("budget_usd"),
        on_existing=OnExisting(how.get("on_existing", "skip")),
        mode=RunMode(how.get("mode", "live")),
        name=how.get("name", ""),
    )
    return Run(connection, connection.request("POST", "/evaluation-runs", asked.model_dump(mode="json")), local)


def found(connection: Connection, run_id: str, evaluators: Sequence[Evaluator | Callable[..., Any]]) -> Run:
    """A run that was planned before, and what of it this process does; see `Project.run`."""
    shape = connection.request("GET", f"/evaluation-runs/{quote(run_id, safe='')}")
    return Run(connection, shape, taken_up(shape, evaluators))


def taken_up(shape: Mapping[str, Any], evaluators: Sequence[Evaluator | Callable[..., Any]]) -> list[RunEvaluator]:
    """Functions of this process as evaluators of a run."""
    asked = [EvaluatorSpec.model_validate(one) for one in shape["evaluators"]]
    known = {(one.name, one.version): one for one in asked if one.place is Place.CLIENT}
    found = []
    for evaluator in map(as_evaluator, evaluators):
        spec = known.get((evaluator.name, evaluator.version))
        if spec is None:
            versions = ", ".join(f"{name} {version}" for name, version in known) or "none"
            reason = f"the run has no {evaluator.name} {evaluator.version}; of this kind it has {versions}"
            raise InvalidRequest("evaluators", reason)
        found.append(RunEvaluator(spec, evaluator))
    return found


def _local(given: Evaluator | Callable[..., Any], selection: Selection) -> RunEvaluator:
    evaluator = as_evaluator(given)
    bare = RunEvaluator(EvaluatorSpec(name=evaluator.name, place=Place.CLIENT, version=evaluator.version), evaluator)
    columns = columns_read(selection.asked.table, [bare])
    return RunEvaluator(bare.spec.model_copy(update={"columns": columns}), evaluator)


def _progress(found: Mapping[str, Any]) -> RunProgress:
    known = {name: found[name] for name in RunProgress.__dataclass_fields__ if name != "report"}
    return RunProgress(report=RunReport.from_json(found["report"]), **known)


def _beside(work: Callable[[], Any]) -> None:
    """In a thread: a notebook has a loop of its own, in which no other may run."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - takes a while to import

    with ThreadPoolExecutor(1, "evaluation") as thread:
        thread.submit(work).result()
