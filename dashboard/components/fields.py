"""What is typed into the fields of forms, read."""

from heliograph.domain.errors import InvalidRequest


def number(text: str, field: str) -> float:
    """A number; raises InvalidRequest."""
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(field, f"{text!r} is no number") from None
