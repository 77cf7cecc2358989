"""Which public methods of an SDK were called and returned, so that none goes untested unnoticed."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

returned: set[str] = set()


def methods(of: type) -> Iterator[str]:
    """The names of its public methods."""
    for name, found in inspect.getmembers(of):
        if not name.startswith("_") and inspect.isroutine(found) and name != "with_raw_response":
            yield name


def watch(of: type, prefix: str) -> None:
    """Note each of its public methods that returns, as prefix and name."""
    for name in methods(of):
        static = inspect.getattr_static(of, name)
        if inspect.isfunction(static):
            setattr(of, name, _noted(static, prefix + name))
        elif isinstance(static, staticmethod):
            setattr(of, name, staticmethod(_noted(static.__func__, prefix + name)))


def _noted(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def noted(*given: Any, **named: Any) -> Any:
        answer = method(*given, **named)
        returned.add(name)
        return answer

    return noted
