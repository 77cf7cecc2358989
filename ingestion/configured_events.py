"""Score events that name a config, held against it."""

from dataclasses import replace

from ingestion.batch.events import DecodedBatch, Event, refusal
from ingestion.configured_scores import Configs, as_configured
from ingestion.score_rules import Rejected


def config_ids(decoded: DecodedBatch) -> set[str]:
    """The configs that the scores of a batch name."""
    return {event.score.config_id for event in decoded.events if event.score is not None and event.score.config_id}


def checked(decoded: DecodedBatch, configs: Configs) -> DecodedBatch:
    """The same batch, its scores as their configs say they are; those that cannot be so are errors.

    Args:
        decoded: the events of a request.
        configs: by id, all that exist of those that the scores name.
    """
    checked = DecodedBatch([], list(decoded.errors), decoded.logs)
    for event in decoded.events:
        try:
            checked.events.append(_as_configured(event, configs))
        except Rejected as rejected:
            checked.errors.append(refusal(event.id, rejected))
    return checked


def _as_configured(event: Event, configs: Configs) -> Event:
    if event.score is None or not event.score.config_id:
        return event
    score = as_configured(event.score, event.body, configs)
    # Whoever reads the event again finds the type that the config gave it.
    return replace(event, score=score, body={**event.body, "dataType": score.data_type})
