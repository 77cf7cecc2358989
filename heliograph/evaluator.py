"""The evaluator contract: a plain function judges one target, a vectorised one the columns of many."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, overload

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.content_hash import content_hash
from heliograph.domain.errors import EvaluationSkipped, InvalidRequest, VerdictInvalid
from heliograph.domain.evaluators import Outcome, OutcomeStatus, Value, ValueRule, Verdict
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.scores import ScoreDataType
from heliograph.variables import DEFAULT_SOURCES, Source
from heliograph.vectorised import Verdicts, array_of, column, outcomes_of, table_of

P = ParamSpec("P")

BOOLEAN = ValueRule(ScoreDataType.BOOLEAN)
NUMERIC = ValueRule(ScoreDataType.NUMERIC)
TEXT = ValueRule(ScoreDataType.TEXT)
# From 0, the worst, to 1.
SHARE = ValueRule(ScoreDataType.NUMERIC, 0, 1)


def one_of(*categories: str) -> ValueRule:
    """The values of a categorical evaluator."""
    return ValueRule(ScoreDataType.CATEGORICAL, categories=categories)


@dataclass(frozen=True)
class Evaluator:
    """Something that judges targets: a function, what it needs, and which values it gives.

    `inputs` are the parameters without a default: a target that lacks one is skipped, not failed. `version` is a hash
    of what shapes the verdicts: two evaluators with the same version give the same scores.
    """

    name: str
    function: Callable[..., Any]
    version: str
    inputs: tuple[str, ...]
    optional: tuple[str, ...] = ()
    values: ValueRule | None = None
    is_vectorised: bool = False
    sources: Mapping[str, Source] = field(default_factory=dict)

    def __call__(self, *arguments: Any, **values: Any) -> Any:
        """The verdict on one target, given its inputs; to be awaited where the function is asynchronous.

        Raises:
            EvaluationSkipped: an input is missing, or the evaluator does not apply.
            VerdictInvalid: the function returned what it must not.
        """
        given = {**dict(zip((*self.inputs, *self.optional), arguments, strict=False)), **values}
        return self._verdict_later(given) if self.is_async else self._verdict(given)

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @property
    def description(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def named(self, name: str) -> "Evaluator":
        """The same evaluator, whose scores have another name."""
        return replace(self, name=name)

    def reading(self, **sources: str | Source) -> "Evaluator":
        """The same evaluator with inputs from other columns: `reading(output=Source("output", "$.answer"))`.

        What it reads shapes its verdicts, so this is a version of its own.

        Raises:
            InvalidRequest: there is no such input.
        """
        unknown = sources.keys() - {*self.inputs, *self.optional}
        if unknown:
            raise InvalidRequest("sources", f"{self.name} has no input {', '.join(sorted(unknown))}")
        given = {name: Source(source) if isinstance(source, str) else source for name, source in sources.items()}
        merged = {**self.sources, **given}
        places = {name: [source.column, source.json_path] for name, source in merged.items()}
        return replace(self, sources=merged, version=content_hash(evaluator=self.version, sources=places))

    async def evaluate(self, row: Mapping[str, Any]) -> Outcome:
        """What it says of one target, given as its columns. Never raises: what goes wrong is a failed outcome."""
        try:
            given = {name: self.source_of(name).read(row) for name in (*self.inputs, *self.optional)}
            verdict = await self._verdict_later(given) if self.is_async else self._verdict(given)
        except EvaluationSkipped as skipped:
            return Outcome.skipped(skipped.reason)
        except Exception as error:  # noqa: BLE001 - a user's code may raise anything, and one row must not end a run
            return Outcome.failed(error)
        return Outcome.scored(verdict)

    async def evaluate_rows(self, rows: Iterable[Mapping[str, Any]], *, concurrency: int = 16) -> list[Outcome]:
        """One outcome for each row, in their order; so many at a time where the function waits for something."""
        if not self.is_async:
            return [await self.evaluate(row) for row in rows]
        slots = asyncio.Semaphore(concurrency)

        async def one(row: Mapping[str, Any]) -> Outcome:
            async with slots:
                return await self.evaluate(row)

        return list(await asyncio.gather(*map(one, rows)))

    async def evaluate_table(self, table: pa.Table, *, concurrency: int = 16) -> pa.Table:
        """A table of OUTCOMES with one row for each of the given ones, in their order."""
        if not self.is_vectorised:
            return table_of(await self.evaluate_rows(plain_rows(table), concurrency=concurrency))
        arrays, mask = self._columns(table)
        try:
            result = self.function(**arrays)
            return self._assembled(await result if self.is_async else result, mask)
        except Exception as error:  # noqa: BLE001 - as in `evaluate`
            return self._all_failed(error, mask)

    def evaluate_batch(self, table: pa.Table | pa.RecordBatch) -> pa.Table:
        """The same without a loop, of an evaluator that is not asynchronous.

        Raises:
            InvalidRequest: the evaluator is asynchronous: await `evaluate_table`.
        """
        if self.is_async:
            raise InvalidRequest("evaluator", f"{self.name} is asynchronous: await evaluate_table")
        whole = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table
        waiting = self.evaluate_table(whole)
        try:
            waiting.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError

    def source_of(self, name: str) -> Source:
        """Where an input is read from."""
        return self.sources.get(name) or Source(DEFAULT_SOURCES.get(name, name))

    def _verdict(self, given: Mapping[str, Any]) -> Verdict:
        if self.is_vectorised:
            return self._only(self.function(**self._single(given)))
        return self._checked(self.function(**self._present(given)))

    async def _verdict_later(self, given: Mapping[str, Any]) -> Verdict:
        if self.is_vectorised:
            return self._only(await self.function(**self._single(given)))
        return self._checked(await self.function(**self._present(given)))

    def _present(self, given: Mapping[str, Any]) -> dict[str, Any]:
        for name in self.inputs:
            if _is_missing(given.get(name)):
                raise EvaluationSkipped(f"{name} is missing")
        return {name: value for name, value in given.items() if not _is_missing(value)}

    def _single(self, given: Mapping[str, Any]) -> dict[str, pa.Array]:
        return {name: array_of(name, [value]) for name, value in self._present(given).items()}

    def _only(self, result: Verdicts | pa.Array) -> Verdict:
        values, reasons = result if isinstance(result, Verdicts) else (result, "")
        value = values[0].as_py()
        return self._checked(None if value is None else Verdict(value, _first(reasons)), skipped=_first(reasons))

    def _checked(self, result: Verdict | Value | None, *, skipped: str = "") -> Verdict:
        if result is None:
            raise EvaluationSkipped(skipped or "the evaluator does not apply")
        verdict = result if isinstance(result, Verdict) else Verdict(result)
        rule = self.values or _rule_of(verdict.value)
        problem = rule.problem(verdict.value) if rule else f"{type(verdict.value).__name__} is no value of a score"
        if problem:
            raise VerdictInvalid(self.name, problem)
        return verdict

    def _columns(self, table: pa.Table) -> tuple[dict[str, pa.Array], pa.Array]:
        """The input arrays, of the rows that have all that is needed, and which rows these are."""
        given = {name: column(name, self.source_of(name), table) for name in (*self.inputs, *self.optional)}
        mask = pa.repeat(pa.scalar(all(given[name] is not None for name in self.inputs)), len(table))
        arrays = {name: array for name, array in given.items() if array is not None}
        for name in self.inputs:
            if name in arrays and arrays[name].null_count:
                mask = pc.and_(mask, pc.is_valid(arrays[name]))
        if not pc.all(mask).as_py():
            arrays = {name: array.filter(mask) for name, array in arrays.items()}
            for name in self.inputs:
                arrays.setdefault(name, array_of(name, []))
        return arrays, mask

    def _assembled(self, result: Verdicts | pa.Array, mask: pa.Array) -> pa.Table:
        wanted = pc.sum(mask.cast(pa.int64())).as_py() or 0
        values = result.values if isinstance(result, Verdicts) else result
        if len(values) != wanted:
            raise VerdictInvalid(self.name, f"{len(values)} verdicts on {wanted} targets")
        return outcomes_of(result, self.values, mask=mask, absent=f"{' or '.join(self.inputs)} is missing")

    def _all_failed(self, error: Exception, mask: pa.Array) -> pa.Table:
        failed, skipped = Outcome.failed(error), Outcome.skipped(f"{' or '.join(self.inputs)} is missing")
        return table_of([failed if is_complete else skipped for is_complete in mask.to_pylist()])


class EvaluatorFactory(Generic[P]):
    """A family of evaluators: calling it with parameters makes one, whose version covers code and parameters."""

    def __init__(self, make: Callable[P, Callable[..., Any]], values: ValueRule | None, *, vectorised: bool) -> None:
        self.make, self.values, self.is_vectorised = make, values, vectorised
        self.name = make.__name__
        update_wrapper(self, make)

    def __call__(self, *arguments: P.args, **parameters: P.kwargs) -> Evaluator:
        """The evaluator of these parameters.

        Raises:
            InvalidRequest: a parameter is not what the factory takes, or has no content to take a version of.
        """
        bound = inspect.signature(self.make).bind(*arguments, **parameters)
        bound.apply_defaults()
        function = self.make(*arguments, **parameters)
        if function.__doc__ is None:
            function.__doc__ = self.make.__doc__
        version = content_hash(code=self.make, parameters=bound.arguments, values=_plain(self.values))
        required, optional = _parameters(function)
        return Evaluator(self.name, function, version, required, optional, self.values, self.is_vectorised)


def evaluator_factory(
    values: ValueRule | None = None, *, vectorised: bool = False
) -> Callable[[Callable[P, Callable[..., Any]]], EvaluatorFactory[P]]:
    """Declare a function that takes parameters and returns the scoring function: the shape of the whole catalogue.

    Example:
        >>> @evaluator_factory(BOOLEAN)
        ... def shorter_than(limit: int):
        ...     def score(output: str) -> bool:
        ...         return len(output) < limit
        ...     return score
        >>> shorter_than(80)(output="brief").value
        True
    """
    return lambda make: EvaluatorFactory(make, values, vectorised=vectorised)


@overload
def evaluator(function: Callable[..., Any], /) -> Evaluator: ...
@overload
def evaluator(
    *, name: str = "", values: ValueRule | None = None, vectorised: bool = False
) -> Callable[[Callable[..., Any]], Evaluator]: ...
def evaluator(
    function: Callable[..., Any] | None = None, /, *, name: str = "", values: ValueRule | None = None,
    vectorised: bool = False,
) -> Any:  # fmt: skip
    """Declare a function, synchronous or not, as an evaluator; its parameters name the inputs that it needs.

    Inputs are those of `heliograph.variables.DEFAULT_SOURCES` and any other column of the target. Parameters with a
    default are optional. It returns a bool, a number, a text, a `Verdict`, or None where it does not apply. A
    vectorised one takes an Arrow array for each input and returns an array or `Verdicts`.

    Args:
        function: What is declared, where the decorator stands alone.
        name: What its scores are called; the function's name unless told otherwise.
        values: Which values it may give; inferred from the returned value unless told otherwise.
        vectorised: Whether it takes and returns Arrow arrays.

    Example:
        >>> @evaluator
        ... def is_polite(output: str) -> bool:
        ...     return "please" in output
        >>> is_polite("please wait").value
        True
    """
    if function is None:
        return lambda given: _declared(given, name, values, vectorised=vectorised)
    return _declared(function, name, values, vectorised=vectorised)


def as_evaluator(given: Evaluator | Callable[..., Any]) -> Evaluator:
    """An evaluator as it is, a plain function as an evaluator.

    Raises:
        InvalidRequest: it is neither.
    """
    if isinstance(given, Evaluator):
        return given
    if isinstance(given, EvaluatorFactory):
        raise InvalidRequest("evaluator", f"{given.name} is a factory: call it with its parameters")
    if not callable(given):
        raise InvalidRequest("evaluator", f"{given!r} is no function")
    return evaluator(given)


def _declared(
    function: Callable[..., Any], name: str, values: ValueRule | None, *, vectorised: bool
) -> Evaluator:  # fmt: skip
    required, optional = _parameters(function)
    version = content_hash(code=function, values=_plain(values), vectorised=vectorised)
    title = name or getattr(function, "__name__", type(function).__name__)
    return Evaluator(title, function, version, required, optional, values, vectorised)


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parameters = inspect.signature(function).parameters.values()
    variadic = [p.name for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)]
    if variadic or not parameters:
        raise InvalidRequest("evaluator", "every input must be a named parameter, and there must be one")
    required = tuple(p.name for p in parameters if p.default is p.empty)
    return required, tuple(p.name for p in parameters if p.default is not p.empty)


def _plain(values: ValueRule | None) -> Sequence[Any]:
    return [] if values is None else [values.data_type, values.minimum, values.maximum, list(values.categories)]


def _rule_of(value: object) -> ValueRule | None:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMERIC
    return TEXT if isinstance(value, str) else None


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value == "")


def _first(reasons: pa.Array | str) -> str:
    return reasons if isinstance(reasons, str) else reasons[0].as_py() or ""


__all__ = [
    "BOOLEAN", "NUMERIC", "SHARE", "TEXT", "EvaluationSkipped", "Evaluator", "EvaluatorFactory", "Outcome",
    "OutcomeStatus", "Source", "ValueRule", "Verdict", "VerdictInvalid", "Verdicts", "as_evaluator", "evaluator",
    "evaluator_factory", "one_of",
]  # fmt: skip
