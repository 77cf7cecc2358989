"""How single values look on the wire."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def optional_iso(moment: datetime | None) -> str | None:
    """The same, if there is a time."""
    return None if moment is None else iso(moment)


def parsed(text: str) -> Any:
    """What a stored text says as JSON; text that is not JSON stays text, and no text is null."""
    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def parsed_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Metadata as it was sent."""
    return {key: parsed(text) for key, text in texts.items()}


def dollars(costs: Mapping[str, Decimal]) -> dict[str, float]:
    """Costs as JSON numbers."""
    return {key: float(cost) for key, cost in costs.items()}


def optional_dollars(cost: Decimal | None) -> float | None:
    """A cost as a JSON number, if there is one."""
    return None if cost is None else float(cost)
