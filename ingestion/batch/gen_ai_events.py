"""What GenAI log events say about an observation: one field for each, put together into its input and output."""

import hashlib
import json

from ingestion import values
from ingestion.attributes import events
from ingestion.batch.rules import Body, Refused
from ingestion.merge import Fields, MergeState
from ingestion.values import Value

# The type of such an event in the log; no client of batch ingestion can send it.
KIND = "gen-ai-log"
# Of its body, beside what is said.
MEMBERS = ("at", "order", "whole")
_PREFIX = "said:"
_SIDES = ("input", "output")
# An observation of which only logs have been heard.
_ALONE = {"type": "GENERATION", "name": "generation", "carried": '{"source":"otel"}'}


def body_of(at: int, order: int, said: events.Pair, *, is_whole: bool) -> dict[str, Value]:
    """An event's body as the log keeps it.

    Args:
        at: its time in nanoseconds since 1970.
        order: its number among those of the same time.
        said: what belongs to the input and to the output.
        is_whole: whether that is all of it, not one message among others.
    """
    found = {side: part for side, part in zip(_SIDES, said, strict=True) if part is not None}
    return {"at": at, "order": order, "whole": is_whole, **found}


def fields(body: Body) -> Fields:
    """One field for each side, named by time and content: the same event sent again sets the same field."""
    at, order, is_whole = body.get("at"), body.get("order"), body.get("whole")
    if not isinstance(at, int) or not isinstance(order, int) or not isinstance(is_whole, bool):
        raise Refused("body", "needs a time, a number and whether it is whole")
    return {
        _field(side, at, body[side]): values.to_json({"order": order, "whole": is_whole, "said": body[side]})
        for side in _SIDES
        if side in body
    }


def _field(side: str, at: int, said: Value) -> str:
    digest = hashlib.sha256(values.to_json(said).encode()).hexdigest()[:16]
    return f"{_PREFIX}{side}:{at:020}:{digest}"


def is_in(fields_json: str) -> bool:
    """Whether an event's fields, as JSON, hold any of these."""
    return f'"{_PREFIX}' in fields_json


def said_by_logs(state: MergeState) -> MergeState:
    """The part of a state that came from logs."""
    return {name: part for name, part in state.items() if name.startswith(_PREFIX)}


def completed(known: Fields) -> Fields:
    """The fields with input and output filled in from logs where the observation itself has none."""
    if not any(name.startswith(_PREFIX) for name in known):
        return known
    put_together = {side: text for side in _SIDES if not known.get(side) and (text := _put_together(known, side))}
    return {**(_ALONE if not known.get("type") else {}), **known, **put_together}


def _put_together(known: Fields, side: str) -> str:
    prefix = f"{_PREFIX}{side}:"
    found = [(name, json.loads(text)) for name, text in known.items() if name.startswith(prefix)]
    said = sorted(found, key=lambda entry: (entry[0].split(":")[2], entry[1]["order"], entry[0]))
    whole = [entry["said"] for _, entry in said if entry["whole"]]
    # One event that holds everything goes before one for each message, as in a span's own events.
    return values.text(whole[-1] if whole else _listed(side, [entry["said"] for _, entry in said]))


def _listed(side: str, said: list[Value]) -> Value:
    return events.single(said) if side == "output" else said or None
