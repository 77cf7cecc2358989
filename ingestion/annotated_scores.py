"""The scores that people give in an annotation queue: whose they are, by which config, and under which id."""

import hashlib
from dataclasses import dataclass, replace

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import UserId
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from ingestion.attributes import environment
from ingestion.configured_scores import as_configured
from ingestion.score_rules import CORRECTED_FIELD, CORRECTION, Rejected
from ingestion.scores import ScoreBody, validated
from ingestion.values import Value

Answer = float | str


@dataclass(frozen=True)
class Target:
    """What is scored: a trace, one of its observations, or a session; '' is absent."""

    trace_id: str = ""
    observation_id: str = ""
    session_id: str = ""
    environment: str = environment.DEFAULT


@dataclass(frozen=True)
class Annotator:
    """Who scores, in which queue; '' where it is not from a queue."""

    user_id: UserId
    queue_id: str = ""


def score_id(target: Target, annotator: Annotator, rule: str) -> str:
    """The id of what one person says about one target by one config: saying something else replaces it."""
    parts = (target.trace_id, target.observation_id, target.session_id, annotator.queue_id, annotator.user_id, rule)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def annotated(
    config: ScoreConfig, value: Answer, target: Target, *, annotator: Annotator, comment: str = ""
) -> ScoreBody:
    """The score of one target by one person; raises InvalidRequest when its config does not allow the value."""
    item: dict[str, Value] = {
        "name": config.name,
        "dataType": config.data_type.value,
        "value": value,
        "configId": config.id,
    }
    return _score(item, target, annotator, comment=comment, config=config)


def correction(text: str, target: Target, annotator: Annotator) -> ScoreBody:
    """What the output should have been; raises InvalidRequest."""
    item: dict[str, Value] = {"name": CORRECTED_FIELD, "dataType": ScoreDataType.CORRECTION.value, "value": text}
    return _score(item, target, annotator)


def _score(
    item: dict[str, Value],
    target: Target,
    annotator: Annotator,
    *,
    comment: str = "",
    config: ScoreConfig | None = None,
) -> ScoreBody:
    told: dict[str, Value] = {
        **item,
        "id": score_id(target, annotator, config.id if config else CORRECTION),
        "source": "ANNOTATION",
        "traceId": target.trace_id,
        "observationId": target.observation_id,
        "sessionId": target.session_id,
        "queueId": annotator.queue_id,
        "environment": target.environment,
        "comment": comment,
    }
    try:
        body = validated(told)
        if config is not None:
            body = as_configured(body, told, {config.id: config})
    except Rejected as rejected:
        raise InvalidRequest(rejected.field, rejected.reason) from None
    return replace(body, author_user_id=annotator.user_id)
