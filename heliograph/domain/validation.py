"""What pydantic refuses, as the error that people are shown."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from heliograph.domain.errors import InvalidRequest


@contextmanager
def requested(field: str) -> Iterator[None]:
    """Raises InvalidRequest for what is refused inside; `field` is named where pydantic names none."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        named = ".".join(map(str, first["loc"])) or field
        raise InvalidRequest(named, first["msg"].removeprefix("Value error, ")) from None
