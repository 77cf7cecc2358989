"""The limiter finds the rate of a provider, shares it, and gets back what the dead held."""

import asyncio
from dataclasses import dataclass

from actors.adaptive_rate import AdaptiveRate, RateBounds
from actors.leased_slots import LeasedSlots
from actors.rate_limiter import RateLimiter
from heliograph.domain.pacing import CallCounts

ANSWERED = CallCounts(answered=1)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def simulated(rate: AdaptiveRate, limit: float, seconds: float, *, start: float = 0.0) -> tuple[int, int]:
    """Answers and refusals of a provider with a limit for each fifth of a second; who is refused waits for it."""
    now, answered, refused = start, 0, 0
    used: dict[int, int] = {}
    while now < start + seconds:
        for _ in range(rate.available(now)):
            rate.take(1)
            fifth = int(now * 5)
            used[fifth] = used.get(fifth, 0) + 1
            if used[fifth] > limit / 5:
                refused += 1
                rate.refused(1, now)
            else:
                answered += 1
                rate.answered(1, now, is_short=True)
        now += max(0.001, rate.next_after(now))
    return answered, refused


def test_the_rate_settles_below_the_limit_of_a_provider() -> None:
    rate = AdaptiveRate(0.0)
    simulated(rate, 100, 20)
    answered, refused = simulated(rate, 100, 30, start=20)
    assert answered > 0.8 * 100 * 30
    assert refused < 0.03 * answered
    assert rate.is_steady(50)


def test_the_rate_follows_a_limit_that_is_raised_and_lowered() -> None:
    rate = AdaptiveRate(0.0)
    simulated(rate, 20, 20)
    assert rate.rate < 30
    simulated(rate, 200, 150, start=20)
    assert rate.rate > 80
    simulated(rate, 20, 10, start=170)
    answered, refused = simulated(rate, 20, 20, start=180)
    assert refused < 0.1 * answered


def test_nobody_asks_for_as_long_as_the_provider_says() -> None:
    rate = AdaptiveRate(0.0, RateBounds(first=10))
    rate.refused(1, 0.0, retry_after=3.0)
    assert rate.available(2.9) == 0
    assert rate.next_after(1.0) == 2.0
    assert rate.available(3.1) >= 1


def test_refusals_that_arrive_together_cut_once() -> None:
    rate = AdaptiveRate(0.0, RateBounds(first=100))
    rate.refused(1, 0.0)
    once = rate.rate
    rate.refused(60, 0.5)
    assert rate.rate == once


async def test_slots_of_a_holder_that_is_silent_go_to_others() -> None:
    clock = Clock()
    limiter = RateLimiter("p", max_in_flight=2, clock=clock, lease_seconds=10, bounds=RateBounds(first=1_000))
    clock.now = 1.0
    assert await limiter.lease("dead", 2) == 2
    waiting = asyncio.create_task(limiter.lease("alive", 1))
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.now = 9.0
    await limiter.report("alive", CallCounts())
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.now = 11.5
    await limiter.report("alive", CallCounts())
    assert await waiting == 1
    assert (await limiter.status()).in_flight == 1


async def test_groups_share_the_slots_whatever_each_of_them_asks_for() -> None:
    clock = Clock()
    limiter = RateLimiter("p", max_in_flight=8, clock=clock, bounds=RateBounds(first=1_000))
    clock.now = 1.0
    assert await limiter.lease("blocker", 8) == 8
    asked = {"large": 50, "small": 4}
    waiting = {name: asyncio.create_task(limiter.lease(name, wanted, group=name)) for name, wanted in asked.items()}
    await asyncio.sleep(0)
    clock.now = 2.0
    await limiter.report("blocker", CallCounts(answered=8))
    assert {name: await task for name, task in waiting.items()} == {"large": 4, "small": 4}


async def test_many_callers_of_one_process_share_its_leases_and_give_all_back() -> None:
    limiter = RateLimiter("p", max_in_flight=8, bounds=RateBounds(first=5_000, most=5_000))
    at_once = most = done = 0

    async with LeasedSlots(limiter, "process") as slots:

        async def call() -> None:
            nonlocal at_once, most, done
            await slots.take()
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.002)
            at_once -= 1
            done += 1
            slots.give_back(ANSWERED)

        callers = [asyncio.create_task(call()) for _ in range(100)]
        await asyncio.sleep(0.01)
        callers[-1].cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    status = await limiter.status()
    assert (done, most <= 8) == (99, True)
    assert (status.in_flight, status.answered) == (0, 99)
