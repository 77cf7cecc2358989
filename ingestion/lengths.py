"""How long texts may be that name and group things: what is longer is cut, visibly."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

ID = 800
KEY = 800
NAME = 1_000
MESSAGE = 32_000
PARAMETERS = 64_000
CORRECTION = 1_000_000

# By column of any table; a column that is not named is bounded by the request, or by object storage.
LIMITS: Mapping[str, int] = {
    "name": NAME,
    "trace_name": NAME,
    "type": ID,
    "level": ID,
    "parent_observation_id": ID,
    "user_id": ID,
    "session_id": ID,
    "release": ID,
    "version": ID,
    "tags": ID,
    "provided_model_name": ID,
    "prompt_id": ID,
    "prompt_name": ID,
    "service_name": ID,
    "service_version": ID,
    "scope_name": ID,
    "scope_version": ID,
    "ingestion_sdk_name": ID,
    "ingestion_sdk_version": ID,
    "config_id": ID,
    "queue_id": ID,
    "execution_trace_id": ID,
    "evaluator_version": ID,
    "status_message": MESSAGE,
    "comment": MESSAGE,
    "string_value": MESSAGE,
    "model_parameters": PARAMETERS,
    "long_string_value": CORRECTION,
}


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as the limit holds with a mark: how long it was, and the start of its hash."""
    if len(text) <= limit:
        return text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    mark = f"…[{len(text)} characters, {digest}]"
    return text[: limit - len(mark)] + mark


def bounded(texts: Sequence[str], limit: int) -> Sequence[str]:
    """The texts, each cut; the same sequence where none is too long."""
    # The usual case costs ten nanoseconds a text.
    if max(map(len, texts), default=0) <= limit:
        return texts
    return [cut(text, limit) for text in texts]
