"""A project: where everything that a script does begins."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self, Unpack
from urllib.parse import quote

from heliograph.client.asked import Asked, Moment
from heliograph.client.async_evaluations import AsyncRun
from heliograph.client.backfills import Recost
from heliograph.client.columns import Where
from heliograph.client.connection import AsyncConnection, Connection
from heliograph.client.datasets import Datasets
from heliograph.client.evaluations import AskedEvaluator, Run, RunOptions, found, planned
from heliograph.client.experiments.experiment import Experiment
from heliograph.client.experiments.plan import ExperimentOptions, PlannedExperiment, planned_experiment
from heliograph.client.gates import Gates
from heliograph.client.llm_connections import LlmConnections
from heliograph.client.prompt_experiments import PromptExperiments
from heliograph.client.prompts import Prompts
from heliograph.client.results import AsyncSqlResult, SqlResult
from heliograph.client.scores import ScoresOfProject
from heliograph.client.selections import AsyncSelection, Selection
from heliograph.client.traces import Trace
from heliograph.domain.selections import SelectedTable
from heliograph.evaluator import Evaluator


class Project:
    """What belongs to a key pair: observations, traces and scores, to be selected, queried in SQL and written.

    Example:
        >>> import heliograph
        >>> from heliograph import col
        >>> with heliograph.connect() as project:
        ...     frame = project.observations(since="30d", where=col.model == "gpt-4o").to_pandas()
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.scores = ScoresOfProject(connection)
        self.datasets = Datasets(connection)
        self.prompts = Prompts(connection)
        self.llm_connections = LlmConnections(connection)
        self.gates = Gates(connection)
        self.prompt_experiments = PromptExperiments(connection)

    def observations(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
        select: Sequence[str] | None = None,
    ) -> Selection:
        """A selection of observations by their start time; lazy, see `Selection`.

        Args:
            since: from here on: `"30d"`, `"12h"` or a timedelta ago, an ISO text, a datetime (UTC without a zone).
            until: before here.
            where: a condition, as `(col.model == "gpt-4o") & (col.cost > 0.01)`.
            select: columns, in this order; by default those without payloads (docs/client.md lists them).

        Raises:
            InvalidRequest: a time or a condition cannot be understood.
        """
        return self._selection(SelectedTable.OBSERVATIONS, since, until, where=where, select=select)

    def traces(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
        select: Sequence[str] | None = None,
    ) -> Selection:
        """A selection of traces by their timestamp; see `observations`.

        `input` and `output` are those that were set on the trace itself; those of its root are the observation's.
        """
        return self._selection(SelectedTable.TRACES, since, until, where=where, select=select)

    def trace(self, trace_id: str) -> Trace:
        """One trace with everything in it; raises TraceNotFound."""
        return Trace(self._connection.request("GET", f"/traces/{quote(trace_id, safe='')}"))

    def experiment(
        self,
        dataset: str,
        task: Callable[..., Any],
        evaluators: Sequence[Evaluator | Callable[..., Any]] = (),
        *,
        name: str,
        **more: Unpack[ExperimentOptions],
    ) -> PlannedExperiment:
        """An experiment: a task over the items of a dataset, its outputs judged; `run()` runs it, or goes on with it.

        The server keeps it as one that Langfuse's `run_experiment` has made: traces linked to items, scores with their
        evaluators' versions.

        Args:
            dataset: its name.
            task: a function, synchronous or not, of `input`, and of `item`, `expected`, `metadata` or `limits` where it
                asks for them; what it returns is the output.
            evaluators: plain functions or evaluators of the catalogue, which read `input`, `output`, `expected`, ….
            name: of the experiment; run again under the same name, it goes on.
            more: `on_run`, evaluators of the whole run that read `results`; `version`, a moment whose items are meant;
                `metadata`.

        Example:
            >>> plan = project.experiment("qa/hard", answer, [exact], name="prompt 4")
            >>> plan.run(concurrency=32).compare("prompt 3")
        """
        return planned_experiment(self._connection, dataset, task, evaluators=evaluators, name=name, **more)

    def experiment_named(self, dataset: str, name: str) -> Experiment:
        """An experiment that ran, here or anywhere, by its dataset's name and its own."""
        return Experiment(self._connection, dataset, name)

    def sql(self, query: str) -> SqlResult:
        """The rows of one SELECT over `observations`, `traces` and `scores`, in ClickHouse's SQL.

        The tables hold the project's own rows, each once. Joins, subqueries, WITH, UNION and window functions work;
        anything that writes, table functions, settings, and functions beyond docs/client.md do not. At most 1,000,000
        rows, 256 MiB, 30 s and 1 GiB of the server's memory.

        Raises:
            InvalidRequest: when it is read; it says what is wrong, or not allowed.
            QueryTooExpensive: when it is read; it exceeds a limit.

        Example:
            >>> project.sql("select model, count() as calls, sum(cost) from observations group by model").to_pandas()
        """
        return SqlResult(self._connection, query)

    def evaluate(
        self,
        selection: Selection,
        evaluators: Sequence[AskedEvaluator],
        **how: Unpack[RunOptions],
    ) -> Run:
        """Plan a run of evaluators over a selection. Nothing is spent before `Run.start` or `Run.wait`.

        Every target gets one score from each version of an evaluator, whatever dies meanwhile, and however often it
        is evaluated.

        Args:
            selection: observations or traces.
            evaluators: names of the catalogue and `heliograph.on_server(…)`, which run on the server's cluster;
                evaluators and plain functions, which run in this process.
            **how: of `RunOptions`: `budget_usd`, which is needed where there is a judge, `on_existing`, `sample`,
                `mode` and `name`.

        Raises:
            InvalidRequest: something cannot be evaluated so; the message says what.

        Example:
            >>> judge = heliograph.on_server("relevance", judge="openai/gpt-4o-mini")
            >>> run = project.evaluate(project.observations(since="30d"), ["json_valid", judge], budget_usd=5)
            >>> run.estimate().usd_high
            >>> run.wait()
        """
        return planned(self._connection, selection, evaluators, how=how)

    def run(self, run_id: str, evaluators: Sequence[Evaluator | Callable[..., Any]] = ()) -> Run:
        """A run that was planned or begun before.

        Args:
            run_id: its id.
            evaluators: those of its functions that `wait` is to run in this process, as they were when it was planned.

        Raises:
            NotFound: there is no such run.
            InvalidRequest: the run has no such evaluator, or had another version of it.
        """
        return found(self._connection, run_id, evaluators)

    def recost(self, *, since: Moment = None, until: Moment = None, model: str = "", dry_run: bool = False) -> Recost:
        """Have the server price stored calls anew by the model definitions of today; costs that were provided stay.

        Args:
            since: calls begun from here on; see `observations`.
            until: before here.
            model: only calls that reported this name.
            dry_run: tell old and new totals, and store nothing.

        Raises:
            InvalidRequest: a time cannot be understood.
        """
        asked = Asked.of(SelectedTable.OBSERVATIONS, since=since, until=until, where=None, select=None)
        return Recost.begin(self._connection, asked.body() | {"model": model, "dryRun": dry_run})

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        server = self._connection.server
        return f"Project({server.url!r}, {server.public_key!r})"

    def _selection(
        self, table: SelectedTable, since: Moment, until: Moment, *, where: Where | None, select: Sequence[str] | None
    ) -> Selection:
        return Selection(self._connection, Asked.of(table, since=since, until=until, where=where, select=select))


class AsyncProject:
    """The same for an event loop; scores are written from threads, by `Project`.

    Example:
        >>> async with heliograph.connect_async() as project:
        ...     rows = await project.observations(since="1d").to_arrow()
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        # What runs beside the loop, in threads.
        self._beside = Connection(connection.server)

    def observations(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
        select: Sequence[str] | None = None,
    ) -> AsyncSelection:
        """A selection of observations; see `Project.observations`."""
        asked = Asked.of(SelectedTable.OBSERVATIONS, since=since, until=until, where=where, select=select)
        return AsyncSelection(self._connection, asked)

    def traces(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
        select: Sequence[str] | None = None,
    ) -> AsyncSelection:
        """A selection of traces; see `Project.traces`."""
        asked = Asked.of(SelectedTable.TRACES, since=since, until=until, where=where, select=select)
        return AsyncSelection(self._connection, asked)

    def scores(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
        select: Sequence[str] | None = None,
    ) -> AsyncSelection:
        """A selection of scores by their timestamp; see `Project.observations`."""
        asked = Asked.of(SelectedTable.SCORES, since=since, until=until, where=where, select=select)
        return AsyncSelection(self._connection, asked)

    async def trace(self, trace_id: str) -> Trace:
        """One trace with everything in it; raises TraceNotFound."""
        return Trace(await self._connection.request("GET", f"/traces/{quote(trace_id, safe='')}"))

    def sql(self, query: str) -> AsyncSqlResult:
        """The rows of one SELECT; see `Project.sql`."""
        return AsyncSqlResult(self._connection, query)

    async def evaluate(
        self,
        selection: AsyncSelection,
        evaluators: Sequence[AskedEvaluator],
        **how: Unpack[RunOptions],
    ) -> AsyncRun:
        """Plan a run of evaluators over a selection; see `Project.evaluate`."""
        chosen = Selection(self._beside, selection.asked)
        return AsyncRun(await asyncio.to_thread(planned, self._beside, chosen, evaluators, how=how))

    async def run(self, run_id: str, evaluators: Sequence[Evaluator | Callable[..., Any]] = ()) -> AsyncRun:
        """A run that was planned or begun before; see `Project.run`."""
        return AsyncRun(await asyncio.to_thread(found, self._beside, run_id, evaluators))

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()
        self._beside.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
