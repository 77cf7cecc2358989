"""The last step of own traces: from the log to the rows that readers see."""

import time
from collections import deque
from typing import NamedTuple

from heliograph import tracing

_MAX_WAITING = 1_000


class _Durable(NamedTuple):
    segment: int
    parents: tracing.Parents
    at_ns: int


class FlushTrail:
    """Sampled appends that are durable and not flushed yet."""

    def __init__(self) -> None:
        # Beyond the bound the oldest go without their last span: traces are samples.
        self._waiting: deque[_Durable] = deque(maxlen=_MAX_WAITING)

    def durable(self, segment: int, parents: tracing.Parents) -> None:
        """These are in the log, in this segment or before it."""
        if parents:
            self._waiting.append(_Durable(segment, parents, time.time_ns()))

    def flushed(self, segment: int) -> None:
        """Everything up to this segment is visible."""
        while self._waiting and self._waiting[0].segment <= segment:
            one = self._waiting.popleft()
            tracing.record("flush", one.parents, one.at_ns, segment=segment)
