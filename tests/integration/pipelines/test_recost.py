"""A recost on the real engines: what a changed price changes, what it leaves alone, and that it does so once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from heliograph.domain.backfills import Backfill, BackfillKind
from heliograph.domain.recosts import RecostReport, RecostRequest, report_of
from pipelines import recost
from pipelines.backfill import Step
from storage.postgres.backfills import Backfills, ProjectBackfills
from tests.integration.pipelines.test_replay import DEAR, Replays, replays

__all__ = ["replays"]
ALL = RecostRequest()
HAIKU = "claude-3-5-haiku-20241022"


@dataclass
class Recosts:
    """A running lane, and recosts of its project without Ray."""

    rows: Replays

    async def begun(self, asked: RecostRequest = ALL, *, is_trial: bool = False) -> Backfill:
        """A recost that is cut."""
        bench = self.rows.bench
        begun = await ProjectBackfills(bench.database, bench.project_id).begin(
            BackfillKind.RECOST, asked.to_json(), is_trial=is_trial
        )
        if begun.parts is None:
            parts = recost.work(begun).cut(bench.settings, begun)
            begun = await Backfills(bench.database).cut(begun.id, parts)
        return begun

    async def carried(self, backfill: Backfill, step: Step) -> None:
        """One step with every part that it is not done with."""
        reports = await Backfills(self.rows.bench.database).reports(backfill.id)
        for number in range(len(backfill.parts or ())):
            if number not in reports or not step.is_done(reports[number]):
                if step.carry is recost.store:
                    await recost.store(self.rows.bench.settings, backfill, number, lane=lambda _: self.rows.lane)
                else:
                    await step.carry(self.rows.bench.settings, backfill, number)

    async def done(self, asked: RecostRequest = ALL, *, is_trial: bool = False) -> RecostReport:
        """The whole of it."""
        backfill = await self.begun(asked, is_trial=is_trial)
        for step in recost.work(backfill).steps:
            await self.carried(backfill, step)
        backfills = Backfills(self.rows.bench.database)
        await backfills.finish(backfill.id)
        return report_of(await backfills.reports(backfill.id))


@pytest.fixture
async def recosts(replays: Replays) -> Recosts:
    return Recosts(replays)


async def test_old_and_new_totals_are_told_by_model_and_a_trial_stores_nothing(recosts: Recosts) -> None:
    rows = recosts.rows
    await rows.send(rows.calls(1, 2), rows.calls(3, model=HAIKU))
    before = rows.stored(), rows.stored("traces")
    await rows.define(DEAR)
    report = await recosts.done(is_trial=True)
    assert (rows.stored(), rows.stored("traces")) == before
    cost = sum(row["total_cost"] for row in before[0].values() if row["provided_model_name"] == "gpt-4o")
    told = report.models["gpt-4o"]
    assert (told.rows, told.changed, told.before, told.after) == (2, 2, int(cost * 10**12), 10 * 10**12)
    assert report.models[HAIKU].changed == 0


async def test_only_costs_change_and_traces_sum_them_anew(recosts: Recosts) -> None:
    rows = recosts.rows
    await rows.send(rows.calls(1, 2), rows.calls(3, model=HAIKU), rows.calls(4, trace=2))
    before, traces = rows.stored(), rows.stored("traces")
    await rows.define(DEAR)
    report = await recosts.done()
    after = rows.stored()
    differing = {key for name, row in after.items() for key, value in row.items() if value != before[name][key]}
    assert differing == {"model_id", "cost_details", "total_cost"}
    assert rows.costs() == {"1": 10 + after[f"{3:016x}"]["total_cost"], "2": 5}
    changed = {key for name, row in rows.stored("traces").items() for key in row if row[key] != traces[name][key]}
    assert changed == {"total_cost"}
    assert (report.written, report.traces, report.newer) == (3, 2, 0)
    again = await recosts.done()
    assert (again.total.changed, again.written) == (0, 0)


async def test_provided_costs_stay(recosts: Recosts) -> None:
    rows = recosts.rows
    body = {
        "traceId": "t",
        "id": "o",
        "model": "gpt-4o",
        "usage": {"input": 3, "output": 1},
        "costDetails": {"total": 7},
    }
    await rows.send(rows.batch(("e", "generation-create", body)))
    await rows.define(DEAR)
    report = await recosts.done()
    assert report.total.rows == 0
    assert rows.costs() == {"t": 7}
    assert rows.costs("observations") == {"o": 7}


async def test_time_and_model_choose_the_calls(recosts: Recosts) -> None:
    rows = recosts.rows
    await rows.send(rows.calls(1), rows.calls(2, model=HAIKU))
    await rows.define(DEAR)
    now = datetime.now(UTC)
    assert (await recosts.done(RecostRequest(end=now - timedelta(days=9_000)))).total.rows == 0
    assert (await recosts.done(RecostRequest(model=HAIKU))).models.keys() == {HAIKU}
    assert (await recosts.done(RecostRequest(model="gpt-4o"))).written == 1


async def test_a_call_that_is_sent_again_meanwhile_keeps_its_newer_row(recosts: Recosts) -> None:
    rows = recosts.rows
    await rows.send(rows.calls(1, 2))
    await rows.define(DEAR)
    backfill = await recosts.begun()
    examination, storing = recost.work(backfill).steps
    await recosts.carried(backfill, examination)
    await rows.send(rows.calls(1, tokens=100))
    await recosts.carried(backfill, storing)
    assert rows.costs() == {"1": 102 + 5}
    await rows.send(rows.calls(3))
    assert rows.costs() == {"1": 102 + 5 + 5}


async def test_parts_that_are_done_are_not_repeated(recosts: Recosts) -> None:
    rows = recosts.rows
    await rows.send(rows.calls(1), rows.calls(2, trace=2))
    await rows.define(DEAR)
    backfill = await recosts.begun()
    examination, storing = recost.work(backfill).steps
    await recosts.carried(backfill, examination)
    await recosts.carried(backfill, storing)
    first = report_of(await Backfills(rows.bench.database).reports(backfill.id))
    assert (await recosts.begun()).id == backfill.id
    assert await recosts.done() == first
    assert rows.costs() == {"1": 5, "2": 5}


async def test_rows_that_came_in_parts_are_priced_too_and_later_parts_keep_the_new_price(recosts: Recosts) -> None:
    rows = recosts.rows
    body = {"traceId": "t", "id": "o", "model": "gpt-4o", "usage": {"input": 3, "output": 1}}
    await rows.send(rows.batch(("e", "generation-create", body)))
    await rows.define(DEAR)
    await recosts.done()
    assert rows.costs() == {"t": 5}
    await rows.send(rows.batch(("f", "generation-update", {"id": "o", "traceId": "t", "name": "named"})))
    assert rows.costs() == {"t": 5}
    assert rows.stored()["o"]["name"] == "named"
