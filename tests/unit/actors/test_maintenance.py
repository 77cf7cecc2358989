"""The maintenance without Ray: chores at their pace, defects contained."""

import asyncio

from actors.maintenance import Chore, Maintenance


class Task:
    """A chore that tells how often it ran, and that fails as often as asked."""

    def __init__(self, failures: int = 0) -> None:
        self.runs = 0
        self._failures = failures
        self._ran = asyncio.Event()

    async def __call__(self) -> int:
        self.runs += 1
        self._ran.set()
        if self.runs <= self._failures:
            raise ZeroDivisionError
        return self.runs

    async def ran(self, times: int) -> None:
        while self.runs < times:
            self._ran.clear()
            await asyncio.wait_for(self._ran.wait(), 5)


async def test_chores_run_again_and_again_at_their_own_pace() -> None:
    often, seldom = Task(), Task()
    maintenance = Maintenance([Chore("often", 0.001, often), Chore("seldom", 3_600, seldom)], first_after_seconds=0)
    maintenance.start()
    await often.ran(3)
    await seldom.ran(1)
    await maintenance.stop()
    assert seldom.runs == 1
    assert maintenance.status()["seldom"]["runs"] == 1


async def test_a_chore_that_fails_is_tried_again_and_costs_no_other() -> None:
    broken, sound = Task(failures=2), Task()
    maintenance = Maintenance([Chore("broken", 0.001, broken), Chore("sound", 0.001, sound)], first_after_seconds=0)
    maintenance.start()
    await broken.ran(4)
    await sound.ran(3)
    await maintenance.stop()
    meter = maintenance.meters["broken"]
    assert (meter.failures, meter.last_error) == (2, "")
    assert maintenance.meters["sound"].failures == 0


async def test_a_chore_under_way_is_interrupted_by_the_stop() -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    maintenance = Maintenance([Chore("endless", 1, endless)], first_after_seconds=0)
    maintenance.start()
    await begun.wait()
    await asyncio.wait_for(maintenance.stop(), 1)
    assert maintenance.meters["endless"].runs == 0
