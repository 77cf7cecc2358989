"""Conditions as an address keeps them: a JSON list in the filter language of the API."""

import json
from collections.abc import Sequence

from heliograph.domain import filters
from heliograph.domain.filters import Condition
from heliograph.domain.validation import requested


def text_of(conditions: Sequence[Condition]) -> str:
    """The text of conditions; '' where there are none."""
    return json.dumps([each.model_dump(mode="json") for each in conditions]) if conditions else ""


def conditions_of(text: str) -> tuple[Condition, ...]:
    """The inverse of `text_of`; raises InvalidRequest."""
    with requested("filter"):
        return filters.conditions_from(text) if text else ()
