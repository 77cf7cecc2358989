"""What a user reads back, in each version's way."""

from types import SimpleNamespace
from typing import Any

from generated import MAJOR, Generated

_EVERY_FIELD = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


def observations(api: Generated, trace_id: str, count: int) -> dict[str, Any]:
    """The observations of a trace by name, or nothing before there are so many."""
    fields = {"fields": _EVERY_FIELD} if MAJOR >= 4 else {}
    found = api("observations.get_many", trace_id=trace_id, **fields).data
    return {each.name: each for each in found} if len(found) >= count else {}


def model_of(observation: Any) -> Any:
    """The model as it was told."""
    return observation.model_dump(by_alias=True)["model"] if MAJOR >= 4 else observation.model


def scores(api: Generated, trace_id: str, count: int) -> dict[str, Any]:
    """The scores of a trace by name as value, comment and observation, or nothing before there are so many."""
    if api.has("scores.get_many"):
        found = api("scores.get_many", trace_id=trace_id, fields="core,details,subject").data
        read = {each.name: _score(each, each.value, each.subject) for each in found}
    else:
        found = api("trace.get", trace_id=trace_id).scores
        read = {
            each.name: _score(each, each.value if each.data_type != "CATEGORICAL" else each.string_value, each)
            for each in found
        }
    return read if len(read) >= count else {}


def _score(score: Any, value: Any, subject: Any) -> Any:
    is_of_observation = getattr(subject, "kind", "observation") == "observation"
    observation_id = getattr(subject, "observation_id", None) or getattr(subject, "id", None)
    return SimpleNamespace(
        id=score.id, value=value, comment=score.comment, observation_id=observation_id if is_of_observation else None
    )
