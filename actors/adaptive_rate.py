"""The rate of requests that a provider takes: raised while it answers, cut when it refuses, and found by that."""

import math
from collections import deque
from dataclasses import dataclass

# A cut answers for everything that was on its way when it happened.
_CUT_AGAIN_AFTER_SECONDS = 1.0
_WINDOW_SECONDS = 5.0
# Below what was refused, so that the next requests are not: a tenth is what fixed windows of providers vary by.
_CUT = 0.9
_CUT_BLINDLY = 0.5
# Of what is missing to the rate that was refused, so much is regained in a second; beyond it so much is dared.
_REGAINED = 0.2
_DARED = 0.01
# The longer nothing was refused, the more is dared: a limit that was raised is found in a minute.
_BOLDER_EACH_SECONDS = 5.0
_GROWTH = 0.5
_BURST_SECONDS = 0.1
_STEADY_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class RateBounds:
    """Requests a second to begin with, at least and at most."""

    first: float = 20.0
    least: float = 0.2
    most: float = 2_000.0


class AdaptiveRate:
    """Paces requests by tokens whose rate adapts; times are seconds of one clock, told by the caller.

    Until the first refusal the rate grows by half a second. A refusal cuts it to nine tenths of what was answered
    lately; from there it comes back quickly to just below the refused rate, and dares more beyond it, slowly at first.

    Source: additive increase and multiplicative decrease (Chiu and Jain, 1989), with the plateau of CUBIC (RFC 9438).
    """

    def __init__(self, now: float, bounds: RateBounds | None = None) -> None:
        self._bounds = bounds or RateBounds()
        self.rate = self._bounds.first
        self.paused_until = now
        self._refused_rate: float | None = None
        self._cut_at = -math.inf
        self._tokens, self._filled_at = 1.0, now
        self._began_at = now
        self._seen: deque[tuple[float, int, int]] = deque()

    def available(self, now: float) -> int:
        """How many requests may start now."""
        if now < self.paused_until:
            return 0
        burst = max(1.0, self.rate * _BURST_SECONDS)
        self._tokens = min(burst, self._tokens + max(0.0, now - self._filled_at) * self.rate)
        self._filled_at = now
        # What is a token but for rounding is one: who waits for it would wake in vain.
        return int(self._tokens + 1e-9)

    def take(self, requests: int) -> None:
        """Note that so many start; at most as many as are available."""
        self._tokens -= requests

    def next_after(self, now: float) -> float:
        """Seconds until another request may start."""
        if now < self.paused_until:
            return self.paused_until - now
        return max(0.0, 1.0 - self._tokens) / self.rate

    def answered(self, requests: int, now: float, *, is_short: bool) -> None:
        """Note answers; the rate grows only while more is asked for than it allows."""
        self._note(now, requests, 0)
        if not is_short or now < self.paused_until:
            return
        if self._refused_rate is None:
            grown = self.rate + requests * _GROWTH
        else:
            missing = max(0.0, self._refused_rate * _CUT - self.rate)
            regained = missing * min(1.0, _REGAINED * requests / self.rate)
            dared = requests * _DARED * (1 + (now - self._cut_at) / _BOLDER_EACH_SECONDS)
            grown = self.rate + max(regained, dared)
        self.rate = min(self._bounds.most, grown)

    def refused(self, requests: int, now: float, retry_after: float = 0.0) -> None:
        """Note refusals, and wait as long as the provider asks for."""
        self._note(now, 0, requests)
        if retry_after > 0:
            self.paused_until = max(self.paused_until, now + retry_after)
        if now - self._cut_at < _CUT_AGAIN_AFTER_SECONDS:
            return
        self._cut_at = now
        lately = self.answered_per_second(now)
        self._refused_rate = self.rate
        cut = min(self.rate, lately) * _CUT if lately else self.rate * _CUT_BLINDLY
        self.rate = max(self._bounds.least, self.rate * _CUT_BLINDLY, cut)
        self._tokens = min(self._tokens, 0.0)
        self._filled_at = now

    def answered_per_second(self, now: float) -> float:
        """What the provider has answered a second lately."""
        self._forget(now)
        span = min(_WINDOW_SECONDS, max(0.2, now - self._began_at))
        return sum(answered for _, answered, _ in self._seen) / span

    def refused_share(self, now: float) -> float:
        """How many of the latest requests were refused, of 1."""
        self._forget(now)
        answered = sum(one for _, one, _ in self._seen)
        refused = sum(one for _, _, one in self._seen)
        return refused / (answered + refused) if answered + refused else 0.0

    def is_steady(self, now: float) -> bool:
        """Whether the limit was met, and requests are hardly refused any more."""
        return self._refused_rate is not None and self.refused_share(now) <= _STEADY_SHARE

    def _note(self, now: float, answered: int, refused: int) -> None:
        self._seen.append((now, answered, refused))
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] < now - _WINDOW_SECONDS:
            self._seen.popleft()
