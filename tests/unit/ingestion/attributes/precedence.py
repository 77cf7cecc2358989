"""Cases for a list of keys of which the first that is given counts."""

from itertools import pairwise
from typing import Any

import pytest

Case = tuple[dict[str, Any], Any]


def first_of(*keys: str) -> list[Any]:
    """For each key a case in which it and all later ones are given, the later ones in front: it wins over them."""
    return [
        pytest.param({key: f"of {key}" for key in reversed(keys[place:])}, f"of {first}", id=first)
        for place, first in enumerate(keys)
    ]


def passing_over(nothing: object, *keys: str) -> list[Any]:
    """For each key but the last a case in which it says nothing, so that the next one counts."""
    return [
        pytest.param({key: nothing, following: "given"}, "given", id=f"{key} is {nothing!r}")
        for key, following in pairwise(keys)
    ]
