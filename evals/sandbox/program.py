"""What runs in the process: reads code and targets from its standard input, and writes what the code says of each."""

import importlib
import json
import math
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

from evals.sandbox.system_calls import Unconfinable, confine

# What code may import: it is loaded before the process can open files no more.
MODULES = (
    *("ast", "base64", "bisect", "collections", "collections.abc", "copy", "csv", "dataclasses", "datetime"),
    *("decimal", "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "html", "io", "itertools", "json"),
    *("math", "operator", "random", "re", "statistics", "string", "textwrap", "time", "typing", "unicodedata"),
    *("urllib.parse", "uuid", "zoneinfo"),
)
_NAMES = {
    "toolCalls": "tool_calls",
    "itemExpectedOutput": "item_expected_output",
    "itemMetadata": "item_metadata",
}


@dataclass
class Score:
    """What code says of a target."""

    value: Any
    name: str | None = None
    data_type: str | None = None
    comment: str | None = None
    metadata: Any = None


@dataclass
class EvaluationResult:
    """All that code says of a target."""

    scores: list[Any] = field(default_factory=list)


def main() -> None:
    """Answer each line of the standard input with one line: first the limits and the code, then one target a line."""
    # The text layer is kept: with it, its buffer would be closed.
    lines, printed = sys.stdin.buffer, sys.stdout
    out = printed.buffer

    def answer(body: Mapping[str, Any]) -> None:
        out.write(json.dumps(body).encode() + b"\n")
        out.flush()

    given = json.loads(lines.readline())
    for name in MODULES:
        importlib.import_module(name)
    sys.stdout = sys.stderr = _Nowhere()
    _limit(given["memory_bytes"], given["cpu_seconds"])
    try:
        confine()
    except Unconfinable as error:
        answer({"unconfinable": str(error)})
        return
    try:
        evaluate = _loaded(given["source"])
    except BaseException as error:  # noqa: BLE001 - whatever a user's code raises is an answer
        answer(_failure(error))
        return
    answer({"ready": True})
    for line in lines:
        answer(_judged(evaluate, line))


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    for limit, amount in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (amount, amount))


def _loaded(source: str) -> Callable[[Any], Any]:
    module = ModuleType("evaluator")
    vars(module).update(
        EvaluationContext=SimpleNamespace, EvaluationResult=EvaluationResult, Score=Score, Observation=SimpleNamespace
    )
    sys.modules["evaluator"] = module
    exec(compile(source, "<evaluator>", "exec"), vars(module))  # noqa: S102 - it is what this process is for
    evaluate: Callable[[Any], Any] | None = vars(module).get("evaluate")
    if not callable(evaluate):
        raise TypeError("the code defines no function evaluate(ctx)")
    return evaluate


def _judged(evaluate: Callable[[Any], Any], line: bytes) -> dict[str, Any]:
    try:
        return {"scores": [_score(one) for one in _listed(evaluate(_context(json.loads(line))))]}
    except BaseException as error:  # noqa: BLE001 - as above
        return _failure(error)


def _context(payload: Mapping[str, Any]) -> SimpleNamespace:
    """The target with attributes; the JSON inside of its fields stays plain."""
    parts = {name: _attributes(part) for name, part in payload.items()}
    return SimpleNamespace(**{"experiment": None, "trace": None, "session": None} | parts)


def _attributes(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return SimpleNamespace(**part, **{_NAMES[name]: value for name, value in part.items() if name in _NAMES})


def _listed(result: Any) -> list[Any]:
    if isinstance(result, EvaluationResult):
        return list(result.scores)
    if isinstance(result, dict) and "scores" in result:
        return list(result["scores"])
    if result is None:
        return []
    return list(result) if isinstance(result, list | tuple) else [result]


def _score(one: Any) -> dict[str, Any]:
    if is_dataclass(one):
        one = vars(one)
    if not isinstance(one, dict):
        one = {"value": one}
    value = one.get("value")
    if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
        raise TypeError(f"{value!r} is no value of a score: give a number, a truth value or a text")
    return {
        "value": value,
        "name": one.get("name"),
        "dataType": one.get("data_type") or one.get("dataType"),
        "comment": one.get("comment"),
        "metadata": one.get("metadata"),
    }


def _failure(error: BaseException) -> dict[str, Any]:
    if isinstance(error, MemoryError):
        return {"failure": "MemoryError", "message": "the code took more memory than it may"}
    return {"failure": type(error).__name__[:100], "message": f"{error}"[:2_000]}


class _Nowhere:
    """Takes what code prints."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return
