"""What an experiment does to an item: the task, then the evaluators."""

import asyncio
import inspect
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from heliograph.client.experiments.items import Item
from heliograph.client.experiments.limits import Providers
from heliograph.client.experiments.nesting import within
from heliograph.client.experiments.places import span_of
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluators import Outcome
from heliograph.evaluator import Evaluator

Task = Callable[..., Any]
NEVER = datetime.min.replace(tzinfo=UTC)
_INPUTS = ("item", "input", "expected", "metadata", "limits")


@dataclass(frozen=True)
class ItemResult:
    """What came of one item.

    Attributes:
        output: what the task returned; None where it raised.
        error: why it did, '' where it did not.
        outcomes: by evaluator; none where the task raised.
    """

    item: Item
    trace_id: str
    output: Any = None
    error: str = ""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    start: datetime = NEVER
    end: datetime = NEVER

    @property
    def latency_seconds(self) -> float:
        """How long the task took."""
        return (self.end - self.start).total_seconds()


class ItemTask:
    """A task with its evaluators.

    Args:
        task: a function, synchronous (it runs in a thread) or not, whose parameters are among `item`, `input`,
            `expected`, `metadata` and `limits`.
        evaluators: what judges its outputs; their names differ.

    Raises:
        InvalidRequest: the task has other parameters, or two evaluators have one name.
    """

    def __init__(self, task: Task, evaluators: Sequence[Evaluator]) -> None:
        names = list(inspect.signature(task).parameters)
        if unknown := [name for name in names if name not in _INPUTS]:
            raise InvalidRequest("task", f"takes {', '.join(_INPUTS)}, and not {unknown[0]!r}")
        titles = [evaluator.name for evaluator in evaluators]
        if len(set(titles)) < len(titles):
            raise InvalidRequest("evaluators", f"have one name twice among {', '.join(titles)}: use `.named(…)`")
        self._task, self._names, self._evaluators = task, names, evaluators

    async def run(self, item: Item, trace_id: str, limits: Providers) -> ItemResult:
        """Run and judge one item. Never raises: an error of the task is a result."""
        given = {
            "item": item, "input": item.input, "expected": item.expected, "metadata": item.metadata, "limits": limits
        }  # fmt: skip
        start, began = datetime.now(UTC), time.perf_counter()
        try:
            with within(trace_id, span_of(trace_id)):
                output = await self._called({name: given[name] for name in self._names})
            error = ""
        except Exception as raised:  # noqa: BLE001 - a user's code may raise anything, and one item must not end a run
            output, error = None, "".join(traceback.format_exception_only(raised)).strip()
        end = start + timedelta(seconds=time.perf_counter() - began)
        result = ItemResult(item, trace_id, output, error, start=start, end=end)
        if error:
            return result
        outcomes = await asyncio.gather(*(each.evaluate(_row(result)) for each in self._evaluators))
        named = {each.name: outcome for each, outcome in zip(self._evaluators, outcomes, strict=True)}
        return ItemResult(item, trace_id, output, "", named, start, end)

    async def _called(self, given: Mapping[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self._task):
            return await self._task(**given)
        found = await asyncio.to_thread(lambda: self._task(**given))
        return await found if inspect.isawaitable(found) else found


def _row(result: ItemResult) -> dict[str, Any]:
    """The columns that evaluators read."""
    item = result.item
    return {
        "input": item.input,
        "output": result.output,
        "expected_output": item.expected,
        "metadata": item.metadata,
        "experiment_item_metadata": item.metadata,
        "latency_seconds": result.latency_seconds,
    }
