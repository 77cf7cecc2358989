"""What travels as JSON."""

from typing import Any

import pytest
from pydantic import ValidationError

from heliograph.domain.wire import Storable


class Kept(Storable):
    values: Any


@pytest.mark.parametrize("values", ["\0", ["a", "b\0"], {"a": {"b\0": 1}}, ({"a": ["\ud800"]},), "\udfff"])
def test_what_postgresql_cannot_keep_is_refused_however_deep_it_lies(values: Any) -> None:
    with pytest.raises(ValidationError, match="NUL or half a surrogate pair"):
        Kept(values=values)


@pytest.mark.parametrize("values", ["\\u0000", {"a": ["😀", 1, None, 1.5]}, "\\x00 is how NUL is written"])
def test_texts_about_such_characters_are_kept(values: Any) -> None:
    assert Kept(values=values).values == values
