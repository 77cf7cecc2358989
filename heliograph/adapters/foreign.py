"""What the adapters share: an evaluator made of somebody else's, with a version that names its library."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from importlib.metadata import version
from typing import Any

from heliograph.content_hash import content_hash
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluators import ValueRule, Verdict
from heliograph.evaluator import Evaluator

Score = Callable[..., Coroutine[Any, Any, Verdict | None]]

_PLAIN = (str, int, float, bool, type(None))
# Where and by whom a model is asked shapes no verdict, and some of it is secret.
_NOT_CONTENT = re.compile(
    r"key|secret|token(?!s)|client|base_url|api_base|headers|callback|verbose|cost|cache", re.IGNORECASE
)
_DEPTH = 4


@dataclass(frozen=True)
class Foreign:
    """An evaluator of another library.

    Attributes:
        library: the name of its distribution.
        given: the evaluator itself.
        name: what its scores are called.
        inputs: what it needs, by our names.
        optional: what it reads where it is there.
        values: which values it may give, where that is known.
    """

    library: str
    given: Any
    name: str
    inputs: Sequence[str]
    optional: Sequence[str] = ()
    values: ValueRule | None = None

    def evaluator(self, score: Score) -> Evaluator:
        """The evaluator that asks it by this function of its inputs.

        Raises:
            InvalidRequest: it reads nothing that a target has.
        """
        if not self.inputs:
            raise InvalidRequest("inputs", f"{self.name} names none: give them, as inputs=['output']")
        score.__doc__ = f"{type(self.given).__name__} of {self.library}."
        return Evaluator(self.name, score, self.version, tuple(self.inputs), tuple(self.optional), self.values)

    @property
    def version(self) -> str:
        """The hash of the library with its version, of the class, and of its parameters."""
        kind = type(self.given)
        return content_hash(
            library=f"{self.library} {version(self.library)}",
            evaluator=f"{kind.__module__}.{kind.__qualname__}",
            parameters=_content(self.given, _DEPTH),
            inputs=[*self.inputs, *self.optional],
        )


def texts(context: Any) -> list[str]:
    """A context as the texts of its passages."""
    return [str(one) for one in context] if isinstance(context, list | tuple) else [str(context)]


def _content(value: Any, depth: int) -> Any:
    """The plain values in an object, by their names: models, thresholds, templates, labels."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, type) or depth == 0:
        return getattr(value, "__qualname__", type(value).__qualname__)
    if isinstance(value, Mapping):
        return {
            str(name): _content(one, depth - 1) for name, one in value.items() if not _NOT_CONTENT.search(str(name))
        }
    if isinstance(value, list | tuple | set | frozenset):
        found = [_content(one, depth - 1) for one in value]
        return sorted(map(str, found)) if isinstance(value, set | frozenset) else found
    known = {one.name: getattr(value, one.name, None) for one in fields(value)} if is_dataclass(value) else {}
    return {"of": type(value).__qualname__, **_content({**getattr(value, "__dict__", {}), **known}, depth - 1)}
