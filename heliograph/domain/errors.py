"""The errors of the domain. A docstring is the message; arguments are plain values, since errors cross Ray."""

from typing import ClassVar


class HeliographError(Exception):
    """Something went wrong inside Heliograph."""

    fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *values: object) -> None:
        super().__init__(*values)
        for name, value in zip(self.fields, values, strict=True):
            setattr(self, name, value)

    def __str__(self) -> str:
        message = " ".join((type(self).__doc__ or "").split())
        return message.format(**dict(zip(self.fields, self.args, strict=True)))


class InvalidRequest(HeliographError):
    """{field}: {reason}"""

    fields = ("field", "reason")
    field: str
    reason: str


class MalformedPayload(HeliographError):
    """The request body cannot be read: {reason}"""

    fields = ("reason",)
    reason: str


class UnsupportedContentType(HeliographError):
    """Content type {content_type!r} is not supported here: send {expected}."""

    fields = ("content_type", "expected")
    content_type: str
    expected: str


class UnsupportedEncoding(HeliographError):
    """Content encoding {encoding!r} is not supported here: send gzip, deflate or identity."""

    fields = ("encoding",)
    encoding: str


class PayloadTooLarge(HeliographError):
    """The request body is larger than {max_bytes} bytes: send it in smaller batches."""

    fields = ("max_bytes",)
    max_bytes: int


class CredentialsMissing(HeliographError):
    """No credentials were sent: use HTTP Basic authentication with a project's public and secret key.
    Confirm that you've configured the correct host."""


class CredentialsMalformed(HeliographError):
    """The Authorization header cannot be read: {reason}.
    Confirm that you've configured the correct host."""

    fields = ("reason",)
    reason: str


class KeyUnknown(HeliographError):
    """The API key is not known here, or its secret is wrong.
    Confirm that you've configured the correct host."""


class KeyRevoked(HeliographError):
    """The API key {public_key} was revoked or has expired.
    Confirm that you've configured the correct host."""

    fields = ("public_key",)
    public_key: str


class AccessDenied(HeliographError):
    """Access denied: this key may not use this endpoint. {reason}"""

    fields = ("reason",)
    reason: str


class RoleInsufficient(HeliographError):
    """Your role in this project is {role}, which may read it: ask one of its admins for a role that may change it."""

    fields = ("role",)
    role: str


class OrganizationKeyRefused(HeliographError):
    """This is the key of an organization: events are sent with the key pair of a project.
    Confirm that you've configured the correct host."""


class AdminKeyMissing(HeliographError):
    """This endpoint needs an admin key, and none is configured: set HELIOGRAPH_ADMIN_API_KEY."""


class ApiKeyNotFound(HeliographError):
    """API key {key_id} not found"""

    fields = ("key_id",)
    key_id: str


class OrganizationNotFound(HeliographError):
    """Organization {organization_id} not found"""

    fields = ("organization_id",)
    organization_id: str


class UserNotFound(HeliographError):
    """User {user_id} not found"""

    fields = ("user_id",)
    user_id: str


class LlmConnectionNotFound(HeliographError):
    """LLM connection {connection_id} not found within authorized project"""

    fields = ("connection_id",)
    connection_id: str


class ProjectNotFound(HeliographError):
    """Project {project_id} not found"""

    fields = ("project_id",)
    project_id: str


class TraceNotFound(HeliographError):
    """Trace {trace_id} not found within authorized project"""

    fields = ("trace_id",)
    trace_id: str


class SessionNotFound(HeliographError):
    """Session {session_id} not found within authorized project"""

    fields = ("session_id",)
    session_id: str


class ObservationNotFound(HeliographError):
    """Observation {observation_id} not found within authorized project"""

    fields = ("observation_id",)
    observation_id: str


class ScoreNotFound(HeliographError):
    """Score {score_id} not found within authorized project"""

    fields = ("score_id",)
    score_id: str


class ScoreConfigNotFound(HeliographError):
    """Score config {config_id} not found within authorized project"""

    fields = ("config_id",)
    config_id: str


class AnnotationQueueNotFound(HeliographError):
    """Annotation queue {queue_id} not found within authorized project"""

    fields = ("queue_id",)
    queue_id: str


class AnnotationQueueItemNotFound(HeliographError):
    """Item {item_id} not found in annotation queue {queue_id}"""

    fields = ("item_id", "queue_id")
    item_id: str
    queue_id: str


class CommentNotFound(HeliographError):
    """Comment {comment_id} not found within authorized project"""

    fields = ("comment_id",)
    comment_id: str


class CommentedObjectNotFound(HeliographError):
    """{object_type} {object_id} not found within authorized project: only what exists can be commented on"""

    fields = ("object_type", "object_id")
    object_type: str
    object_id: str


class MemberNotFound(HeliographError):
    """User {user_id} is not a member of the authorized project"""

    fields = ("user_id",)
    user_id: str


class ModelNotFound(HeliographError):
    """Model {model_id} not found within authorized project"""

    fields = ("model_id",)
    model_id: str


class MaskingRuleNotFound(HeliographError):
    """Masking rule {rule_id} not found within authorized project"""

    fields = ("rule_id",)
    rule_id: str


class MediaNotFound(HeliographError):
    """Media {media_id} not found within authorized project, or not uploaded yet"""

    fields = ("media_id",)
    media_id: str


class PromptNotFound(HeliographError):
    """Prompt not found: '{name}' with {choice}"""

    fields = ("name", "choice")
    name: str
    choice: str


class DatasetNotFound(HeliographError):
    """Dataset {name!r} not found within authorized project"""

    fields = ("name",)
    name: str


class DatasetItemNotFound(HeliographError):
    """Dataset item {item_id!r} not found within authorized project"""

    fields = ("item_id",)
    item_id: str


class DatasetRunNotFound(HeliographError):
    """Dataset run {run_name!r} of dataset {dataset_name!r} not found within authorized project"""

    fields = ("dataset_name", "run_name")
    dataset_name: str
    run_name: str


class Conflict(HeliographError):
    """{field}: {reason}"""

    fields = ("field", "reason")
    field: str
    reason: str


class QueryTooExpensive(HeliographError):
    """This query needs more memory or time than a request may have: narrow its time range, add filters,
    ask for fewer fields, or lower its limit."""


class TooManyStreams(HeliographError):
    """As many results are streamed here as may be at once: retry after {retry_after} s."""

    fields = ("retry_after",)
    retry_after: float


class StreamBroken(HeliographError):
    """The result ended before its last row: {reason}. Ask again, or for less at once."""

    fields = ("reason",)
    reason: str


class Overloaded(HeliographError):
    """This project has more events in flight than its buffer holds: retry after {retry_after} s."""

    fields = ("retry_after",)
    retry_after: float


class RateLimited(HeliographError):
    """This project may send {limit} requests a minute to {group}: retry after {retry_after} s, at {reset_at}."""

    fields = ("group", "limit", "reset_at", "retry_after")
    group: str
    limit: int
    reset_at: str
    retry_after: float


class QuotaExceeded(HeliographError):
    """This project has sent the {limit} events that it may send in a {period}: the next one begins at {reset_at},
    in {retry_after} s."""

    fields = ("limit", "period", "reset_at", "retry_after")
    limit: int
    period: str
    reset_at: str
    retry_after: float


class Unavailable(HeliographError):
    """{service} is not available at the moment: retry after {retry_after} s."""

    fields = ("service", "retry_after")
    service: str
    retry_after: float


class RowsRefused(HeliographError):
    """{table} does not take these rows, however often they are sent: {reason}"""

    fields = ("table", "reason")
    table: str
    reason: str


class ForeignPackage(HeliographError):
    """The package {name!r} is found at {origin}, not in {root}: remove the other one from the Python path."""

    fields = ("name", "origin", "root")
    name: str
    origin: str
    root: str


class LaneFenced(HeliographError):
    """Lane {lane} has a newer owner than epoch {epoch}: this one has stopped."""

    fields = ("lane", "epoch")
    lane: int
    epoch: int


class SegmentMissing(HeliographError):
    """Segment {segment} of lane {lane} is neither in the log nor in the archive: `heliograph doctor --log` tells what
    is missing."""

    fields = ("lane", "segment")
    lane: int
    segment: int


class CompactionRunning(HeliographError):
    """The log of lane {lane} is being compacted already: try again when that has ended."""

    fields = ("lane",)
    lane: int


class WrongLane(HeliographError):
    """Lane {lane} no longer takes these traces under version {map_version} of the lane map."""

    fields = ("lane", "map_version")
    lane: int
    map_version: int


class MapNotPending(HeliographError):
    """Version {map_version} of the lane map is not pending: it was published or given up."""

    fields = ("map_version",)
    map_version: int


class ReshardingRunning(HeliographError):
    """Another process is changing the lane map: wait until it has ended."""


class ReshardingFailed(HeliographError):
    """The lanes are as they were before, since the change failed: {reason}"""

    fields = ("reason",)
    reason: str


class ReplayRunning(HeliographError):
    """Another replay of project {project_id} is running: wait for it to end."""

    fields = ("project_id",)
    project_id: str


class ForeignDataDirectory(HeliographError):
    """{path} is not a Heliograph data directory and is not empty: choose another with HELIOGRAPH_DATA_DIR."""

    fields = ("path",)
    path: str


class EngineFailed(HeliographError):
    """{engine} did not start: {reason}"""

    fields = ("engine", "reason")
    engine: str
    reason: str


class LaneMapMissing(HeliographError):
    """PostgreSQL holds no lane map: run `heliograph migrate upgrade`."""


class MigrationChanged(HeliographError):
    """ClickHouse migration {name} was changed after it was applied: restore the file and add a new one instead."""

    fields = ("name",)
    name: str


class CorruptDataDirectory(HeliographError):
    """{path} cannot be used: {reason}. Restore it from a backup, or choose an empty directory with
    HELIOGRAPH_DATA_DIR."""

    fields = ("path", "reason")
    path: str
    reason: str


class EvaluationSkipped(HeliographError):
    """Not evaluated: {reason}"""

    fields = ("reason",)
    reason: str


class VerdictInvalid(HeliographError):
    """The evaluator {evaluator} gave a verdict that it may not give: {reason}"""

    fields = ("evaluator", "reason")
    evaluator: str
    reason: str
