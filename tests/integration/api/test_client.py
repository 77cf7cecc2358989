"""The Python client against a served API."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from heliograph import col
from heliograph.client.connection import AsyncConnection, Connection, Server
from heliograph.client.project import AsyncProject, Project
from heliograph.domain.errors import InvalidRequest, KeyUnknown
from heliograph.domain.evaluation_runs import RunProgress, RunState
from heliograph.domain.not_found import TraceNotFound
from heliograph.domain.score_analytics import Rater
from tests.factories import NOON
from tests.integration.api.conftest import Api
from tests.integration.api.serving import serving, used


@pytest.fixture
async def served(api: Api) -> AsyncIterator[Server]:
    """The address of the API, with a trace of 30 observations in it."""
    made = api.stored
    rows = [
        made.observation(
            "t",
            f"o{n:02}",
            start_time=NOON + timedelta(seconds=n),
            provided_model_name="gpt-4o" if n % 3 == 0 else "claude",
            total_cost=Decimal(n) / 10,
            input="<script>",
            metadata=[("customer", '"acme"')],
        )
        for n in range(30)
    ]
    made.insert("observations", *rows)
    made.insert("traces", made.trace("t", name="<b>"))
    made.insert("scores", made.score("s", trace_id="t", value=0.75))
    async with serving(api) as server:
        yield server


async def test_a_selection_is_read_as_arrow_pandas_and_polars(served: Server) -> None:
    def ask(project: Project) -> tuple[pa.Table, pd.DataFrame, pl.DataFrame, int]:
        chosen = project.observations(where=(col.model == "gpt-4o") & (col.cost > 1)).select(["id", "model", "cost"])
        return chosen.to_arrow(), chosen.to_pandas(), chosen.to_polars(), chosen.count()

    arrow, pandas, polars, count = await used(served, ask)
    expected = [f"o{n:02}" for n in range(12, 30, 3)]
    assert sorted(arrow["id"].to_pylist()) == sorted(pandas["id"]) == sorted(polars["id"]) == expected
    assert count == len(expected)
    assert pandas.cost.sum() == pytest.approx(sum(range(12, 30, 3)) / 10)


async def test_selections_narrow_step_by_step_and_may_be_used_again(served: Server) -> None:
    def ask(project: Project) -> list[int]:
        everything = project.observations(since=NOON)
        late = everything.where(col.start_time >= NOON + timedelta(seconds=20))
        either = everything.where((col.id == "o00") | ~(col.cost < 2.5))
        none = late.where(col.metadata["customer"] == "nobody")
        return [everything.count(), late.count(), either.count(), none.count(), late.limit(3).count()]

    assert await used(served, ask) == [30, 10, 6, 0, 3]


async def test_head_is_the_newest_and_batches_are_all(served: Server) -> None:
    def ask(project: Project) -> tuple[list[str], int, int]:
        selection = project.observations()
        batches = sum(batch.num_rows for batch in selection.batches())
        parts = sum(part.count() for part in selection.partitions(4))
        return selection.select(["id"]).head(2)["id"].to_pylist(), batches, parts

    assert await used(served, ask) == (["o29", "o28"], 30, 30)


async def test_traces_scores_and_sql_are_read_the_same_way(served: Server) -> None:
    def ask(project: Project) -> list[Any]:
        return [
            project.traces().select(["id"]).to_arrow().to_pylist(),
            project.scores(where=col.name == "quality").select(["trace_id", "value"]).to_arrow().to_pylist(),
            project.sql("select model, count() as n from observations group by model order by n")
            .to_arrow()
            .to_pylist(),
        ]

    assert await used(served, ask) == [
        [{"id": "t"}],
        [{"trace_id": "t", "value": 0.75}],
        [{"model": "gpt-4o", "n": 10}, {"model": "claude", "n": 20}],
    ]


async def test_notebooks_see_tables_and_trees_without_markup_of_others(served: Server) -> None:
    def ask(project: Project) -> list[str]:
        selection = project.observations(select=["id", "input"])
        return [selection._repr_html_(), project.sql("select '<script>' as a")._repr_html_(),
                project.trace("t")._repr_html_()]  # fmt: skip

    shown = await used(served, ask)
    assert all("<script>" not in each and "&lt;" in each for each in shown)
    assert "30 observations" in shown[0]


async def test_errors_say_what_to_do(served: Server) -> None:
    def refused(error: type[Exception], match: str, ask: Callable[[Project], Any]) -> None:
        with pytest.raises(error, match=match), Project(Connection(served)) as project:
            ask(project)

    def ask(_: Project) -> None:
        refused(InvalidRequest, "there are .*cost", lambda project: project.observations(select=["costs"]).to_arrow())
        refused(InvalidRequest, "secret", lambda project: project.traces(where=col.secret == "x").count())
        refused(InvalidRequest, "sleep", lambda project: project.sql("select sleep(1)").to_arrow())
        refused(TraceNotFound, "nothing", lambda project: project.trace("nothing"))

    await used(served, ask)
    with pytest.raises(KeyUnknown):
        await used(Server(served.url, "pk-lf-1", "wrong"), lambda project: project.traces().count())


async def test_the_asynchronous_form_reads_the_same(served: Server) -> None:
    async with AsyncProject(AsyncConnection(served)) as project:
        chosen = project.observations(where=col.model == "gpt-4o").select(["id"])
        table, count, head = await asyncio.gather(chosen.to_arrow(), chosen.count(), chosen.head(1))
        assert (table.num_rows, count, head["id"].to_pylist()) == (10, 10, ["o27"])
        assert (await project.sql("select count() as n from observations").to_pandas()).n.tolist() == [30]
        assert (await project.traces().to_polars()).height == (await project.scores().count()) == 1
        assert (await project.trace("t")).id == "t"


async def test_runs_are_planned_steered_and_followed_from_a_loop(served: Server) -> None:
    async with AsyncProject(AsyncConnection(served)) as project:
        run = await project.evaluate(project.observations(), ["json_valid"], name="from a loop")
        assert (run.estimate().rows, await run.state()) == (30, RunState.PLANNED)
        await run.start()
        await run.pause()
        seen: list[RunProgress] = []
        progress = await run.wait(seen.append)
        assert (progress.parts_done, seen[-1].parts_done) == (0, 0)
        again = await project.run(run.id)
        assert await again.state() is RunState.PAUSED
        await again.cancel()
        assert await run.state() is RunState.CANCELLED
        with pytest.raises(InvalidRequest, match="no evaluator on the server asks"):
            await project.evaluate(project.observations(), ["json_valid"], mode="batch")


async def test_scores_are_analysed_where_they_lie(api: Api, served: Server) -> None:
    rows = [
        api.stored.score(f"{name}{at}", name=name, trace_id=f"t{at}", value=float(at % limit))
        for name, limit in (("human", 3), ("judge", 4))
        for at in range(12)
    ]
    api.stored.insert("scores", *rows)

    def ask(project: Project) -> tuple[pd.DataFrame, float, pd.DataFrame, int, str]:
        analytics = project.scores.analytics
        agreement = analytics.agreement("human", Rater(name="judge"), since=NOON - timedelta(days=1))
        distribution = analytics.distribution("quality", where=col.value > 0.5)
        trend = analytics.trend(["human", "judge"], interval=timedelta(hours=1))
        calibrated = analytics.calibration("judge", human="human")
        alpha = agreement.answer.alpha.nominal.value
        return agreement.to_pandas(), alpha, distribution.to_pandas(), trend.table.num_rows, calibrated._repr_html_()

    agreement, alpha, distribution, points, shown = await used(served, ask)
    assert agreement.n.tolist() == [12]
    assert agreement.accuracy_low[0] < agreement.accuracy[0] == 0.25 < agreement.accuracy_high[0]
    assert alpha < 1
    assert distribution["mean"].tolist() == [0.75]
    assert points == 2
    assert "judge against human" in shown
