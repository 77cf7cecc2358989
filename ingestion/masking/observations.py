"""Stored observations as rules would have left them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from heliograph.domain.masking import MaskedField, MaskingRule
from heliograph.domain.observations import Observation
from ingestion.masking.dry_run import Shown, dry_run
from ingestion.values import Value

# What a reader has to read of an observation.
COLUMNS = ("id", "trace_id", "name", "status_message", "input", "output", "metadata")


@dataclass(frozen=True)
class ShownField:
    """A field of an observation in which something would have been hidden."""

    trace_id: str
    observation_id: str
    field: str
    shown: Shown


def dry_run_of(rules: Sequence[MaskingRule], observations: Iterable[Observation]) -> Iterator[ShownField]:
    """Every field of the observations in which the rules would have hidden something."""
    for observation in observations:
        fields: dict[str, tuple[Value, MaskedField]] = {
            "name": (observation.name, MaskedField.ALL),
            "statusMessage": (observation.status_message, MaskedField.ALL),
            "input": (observation.input, MaskedField.INPUT),
            "output": (observation.output, MaskedField.OUTPUT),
            "metadata": (dict(observation.metadata), MaskedField.METADATA),
        }
        for name, (value, looked_into) in fields.items():
            shown = dry_run(rules, value, looked_into)
            if shown.hidden or shown.masked != value:
                yield ShownField(observation.trace_id, observation.id, name, shown)
