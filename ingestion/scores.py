"""Scores: the request body decoded and validated item by item, then mapped to rows and raw records."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.errors import MalformedPayload
from heliograph.domain.events import EntityType, MappedBatch, run_subject, session_subject
from heliograph.domain.identifiers import ProjectId
from ingestion import score_rules, values
from ingestion.attributes import environment, timing
from ingestion.masking import captured, fields
from ingestion.masking.masker import Masker
from ingestion.otlp import MappingContext
from ingestion.records import event_columns
from ingestion.rows import NO_OBSERVATIONS, NO_TRACE_PARTS, Columns
from ingestion.score_rules import Rejected
from ingestion.source import Source, put_arrival
from ingestion.values import Value


@dataclass(frozen=True)
class ScoreBody:
    """A validated score. `timestamp` is in microseconds since 1970, 0 when it was not given."""

    name: str
    data_type: str
    id: str = ""
    value: float = 0.0
    text: str = ""
    timestamp: int = 0
    source: str = "API"
    trace_id: str = ""
    observation_id: str = ""
    session_id: str = ""
    dataset_run_id: str = ""
    environment: str = environment.DEFAULT
    comment: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    config_id: str = ""
    queue_id: str = ""
    execution_trace_id: str = ""
    evaluator_version: str = ""
    # Who gave it; never taken from a request.
    author_user_id: str = ""

    @property
    def subject(self) -> str:
        """What the score is merged with: its trace, or its session, or its experiment."""
        if self.trace_id:
            return self.trace_id
        return session_subject(self.session_id) if self.session_id else run_subject(self.dataset_run_id)


@dataclass(frozen=True)
class InvalidScore:
    """Why an item of the request was refused."""

    index: int
    field: str
    reason: str


@dataclass(frozen=True)
class ConfiguredScore:
    """A valid score that names a config, as it was sent: its place among the valid ones, and in the request."""

    place: int
    index: int
    item: Mapping[str, Value]


@dataclass(frozen=True)
class DecodedScores:
    """The valid scores of a request, and what was wrong with the others.

    Attributes:
        is_list: whether an array was sent; a single object is answered differently.
        configured: those of the valid ones that name a config.
    """

    bodies: list[ScoreBody]
    invalid: list[InvalidScore]
    is_list: bool
    configured: list[ConfiguredScore] = field(default_factory=list)


def decode(body: bytes) -> DecodedScores:
    """The scores of a request body: a single object or an array of them.

    Raises:
        MalformedPayload: the body is neither.
    """
    try:
        parsed = values.from_body(body)
    except ValueError as error:
        reason = f"it is not JSON ({error})"
        raise MalformedPayload(reason) from error
    if not isinstance(parsed, list | dict):
        reason = "a score is a JSON object, several are an array of objects"
        raise MalformedPayload(reason)
    decoded = DecodedScores([], [], isinstance(parsed, list))
    for index, item in enumerate(parsed if isinstance(parsed, list) else [parsed]):
        try:
            score = validated(item)
        except Rejected as rejected:
            decoded.invalid.append(InvalidScore(index, rejected.field, rejected.reason))
            continue
        if score.config_id and isinstance(item, dict):
            decoded.configured.append(ConfiguredScore(len(decoded.bodies), index, item))
        decoded.bodies.append(score)
    return decoded


def validated(item: Value, sources: Sequence[str] = score_rules.SOURCES) -> ScoreBody:
    """The score that an item of a request, or an event's body, describes.

    Raises:
        Rejected: a field breaks a rule.
    """
    if not isinstance(item, dict):
        raise Rejected("", "a score must be a JSON object")
    data_type, value, text = score_rules.typed_value(item)
    body = ScoreBody(
        name=score_rules.name(item, data_type),
        data_type=data_type,
        id=score_rules.text(item, "id"),
        value=value,
        text=text,
        timestamp=score_rules.timestamp(item),
        source=score_rules.source(item, data_type, sources),
        trace_id=score_rules.text(item, "traceId"),
        observation_id=score_rules.text(item, "observationId"),
        session_id=score_rules.text(item, "sessionId"),
        dataset_run_id=score_rules.text(item, "datasetRunId"),
        environment=environment.normalised(values.text(item.get("environment"))),
        comment=score_rules.text(item, "comment"),
        metadata=score_rules.metadata(item),
        config_id=score_rules.text(item, "configId"),
        queue_id=score_rules.text(item, "queueId"),
        execution_trace_id=score_rules.text(item, "executionTraceId"),
        evaluator_version=score_rules.text(item, "evaluatorVersion"),
    )
    score_rules.check_target(item, data_type)
    return body


def identified(body: ScoreBody, project_id: ProjectId, received_at: int) -> ScoreBody:
    """The score with its final id and timestamp.

    A score without an id gets one from its content, so that its retry is the same score.
    """
    if body.id and body.timestamp:
        return body
    content = [project_id, *(vars(body) | {"metadata": sorted(body.metadata.items())}).values()]
    digest = hashlib.sha256(values.to_json(content).encode()).hexdigest()[:32]
    return replace(body, id=body.id or digest, timestamp=body.timestamp or received_at)


def map_scores(bodies: Sequence[ScoreBody], context: MappingContext) -> MappedBatch:
    """One row and one record per score."""
    received_at = timing.microseconds(context.received_at)
    final = [identified(masked(body, context.masker), context.project_id, received_at) for body in bodies]
    source = Source(context.project_id, context.facts, np.full(len(final), received_at, np.int64))
    columns = event_columns([source], EntityType.SCORE)
    everyone = range(len(final))
    columns.put("subject", everyone, [body.subject for body in final])
    columns.put("entity_id", everyone, [body.id for body in final])
    columns.put("payload", everyone, [to_payload(body) for body in final])
    return MappedBatch(columns.table(), NO_OBSERVATIONS, score_rows(final, source), NO_TRACE_PARTS)


def masked(body: ScoreBody, masker: Masker) -> ScoreBody:
    """The score with its texts masked."""
    if masker.is_idle and not captured.is_suspect(to_payload(body)):
        return body
    metadata = {
        masker.text(key, fields.of_member("metadata")): masker.text(text, fields.of_member("metadata"))
        for key, text in body.metadata.items()
    }
    return replace(body, text=masker.text(body.text), comment=masker.text(body.comment), metadata=metadata)


def to_payload(body: ScoreBody) -> bytes:
    """What the log keeps of a score."""
    return values.to_json(vars(body)).encode()


def from_payload(payload: bytes) -> ScoreBody:
    """The inverse of `to_payload`; fields of later releases are ignored.

    Raises:
        ValueError: it is not the payload of a score.
    """
    parsed: Any = values.from_json(payload)
    known = ScoreBody.__dataclass_fields__
    if not isinstance(parsed, dict) or not {"name", "data_type", "id"} <= parsed.keys():
        reason = "not a score"
        raise ValueError(reason)
    fields = {key: value for key, value in parsed.items() if key in known}
    if any(type(value) is not _TYPES.get(key, str) for key, value in fields.items()):
        reason = "not the fields of a score"
        raise ValueError(reason)
    return ScoreBody(**fields)


_TYPES = {"value": float, "timestamp": int, "metadata": dict}

# Row columns that are the body's own fields.
_SAME = (
    "id", "timestamp", "name", "data_type", "source", "value", "trace_id", "observation_id", "session_id",
    "dataset_run_id", "environment", "comment", "metadata", "config_id", "queue_id", "execution_trace_id",
    "evaluator_version", "author_user_id",
)  # fmt: skip


def score_rows(bodies: Sequence[ScoreBody], source: Source) -> pa.Table:
    """The rows of scores that have their final ids; `record` numbers them."""
    columns = Columns(tables.MAPPED_SCORES, len(bodies))
    everyone = range(len(bodies))
    for name in _SAME:
        columns.put(name, everyone, [getattr(body, name) for body in bodies])
    is_long = [body.data_type == score_rules.CORRECTION for body in bodies]
    for name, kept in (("string_value", False), ("long_string_value", True)):
        texts = [body.text if long is kept else "" for body, long in zip(bodies, is_long, strict=True)]
        columns.put(name, everyone, texts)
    put_arrival(columns, [source])
    columns.put_array("record", pa.array(np.arange(len(bodies), dtype=np.int32)))
    return columns.table()
