"""What somebody asked for that is not there: every one of these is a 404 at a door."""

from heliograph.domain.errors import HeliographError


class NotFound(HeliographError):
    """What was asked for does not exist here."""


class NothingThere(NotFound):
    """{told}"""

    fields = ("told",)
    told: str


class PromptExperimentNotFound(NotFound):
    """Prompt experiment {experiment_id} not found within authorized project"""

    fields = ("experiment_id",)
    experiment_id: str


class GateNotFound(NotFound):
    """Gate {name!r} not found within authorized project"""

    fields = ("name",)
    name: str


class SavedViewNotFound(NotFound):
    """Saved view {view_id} not found within authorized project"""

    fields = ("view_id",)
    view_id: str


class ApiKeyNotFound(NotFound):
    """API key {key_id} not found"""

    fields = ("key_id",)
    key_id: str


class OrganizationNotFound(NotFound):
    """Organization {organization_id} not found"""

    fields = ("organization_id",)
    organization_id: str


class UserNotFound(NotFound):
    """User {user_id} not found"""

    fields = ("user_id",)
    user_id: str


class LlmConnectionNotFound(NotFound):
    """LLM connection {connection_id} not found within authorized project"""

    fields = ("connection_id",)
    connection_id: str


class BlobStorageIntegrationNotFound(NotFound):
    """Blob storage integration {integration_id} not found within authorized organization"""

    fields = ("integration_id",)
    integration_id: str


class ProjectNotFound(NotFound):
    """Project {project_id} not found"""

    fields = ("project_id",)
    project_id: str


class TraceNotFound(NotFound):
    """Trace {trace_id} not found within authorized project"""

    fields = ("trace_id",)
    trace_id: str


class SessionNotFound(NotFound):
    """Session {session_id} not found within authorized project"""

    fields = ("session_id",)
    session_id: str


class ObservationNotFound(NotFound):
    """Observation {observation_id} not found within authorized project"""

    fields = ("observation_id",)
    observation_id: str


class ScoreNotFound(NotFound):
    """Score {score_id} not found within authorized project"""

    fields = ("score_id",)
    score_id: str


class ScoreConfigNotFound(NotFound):
    """Score config {config_id} not found within authorized project"""

    fields = ("config_id",)
    config_id: str


class AnnotationQueueNotFound(NotFound):
    """Annotation queue {queue_id} not found within authorized project"""

    fields = ("queue_id",)
    queue_id: str


class AnnotationQueueItemNotFound(NotFound):
    """Item {item_id} not found in annotation queue {queue_id}"""

    fields = ("item_id", "queue_id")
    item_id: str
    queue_id: str


class CommentNotFound(NotFound):
    """Comment {comment_id} not found within authorized project"""

    fields = ("comment_id",)
    comment_id: str


class CommentedObjectNotFound(NotFound):
    """{object_type} {object_id} not found within authorized project: only what exists can be commented on"""

    fields = ("object_type", "object_id")
    object_type: str
    object_id: str


class MemberNotFound(NotFound):
    """User {user_id} is not a member of the authorized project"""

    fields = ("user_id",)
    user_id: str


class ModelNotFound(NotFound):
    """Model {model_id} not found within authorized project"""

    fields = ("model_id",)
    model_id: str


class MaskingRuleNotFound(NotFound):
    """Masking rule {rule_id} not found within authorized project"""

    fields = ("rule_id",)
    rule_id: str


class MediaNotFound(NotFound):
    """Media {media_id} not found within authorized project, or not uploaded yet"""

    fields = ("media_id",)
    media_id: str


class PromptNotFound(NotFound):
    """Prompt not found: '{name}' with {choice}"""

    fields = ("name", "choice")
    name: str
    choice: str


class DatasetNotFound(NotFound):
    """Dataset {name!r} not found within authorized project"""

    fields = ("name",)
    name: str


class DatasetItemNotFound(NotFound):
    """Dataset item {item_id!r} not found within authorized project"""

    fields = ("item_id",)
    item_id: str


class DatasetRunNotFound(NotFound):
    """Dataset run {run_name!r} of dataset {dataset_name!r} not found within authorized project"""

    fields = ("dataset_name", "run_name")
    dataset_name: str
    run_name: str


class DashboardNotFound(NotFound):
    """Dashboard {dashboard_id} not found within authorized project"""

    fields = ("dashboard_id",)
    dashboard_id: str


class PlacementNotFound(NotFound):
    """Placement {placement_id} not found on this dashboard"""

    fields = ("placement_id",)
    placement_id: str


class WidgetNotFound(NotFound):
    """Dashboard widget {widget_id} not found within authorized project"""

    fields = ("widget_id",)
    widget_id: str


class EvaluatorNotFound(NotFound):
    """Evaluator {evaluator} not found within authorized project"""

    fields = ("evaluator",)
    evaluator: str


class EvaluationRuleNotFound(NotFound):
    """Evaluation rule {rule_id} not found within authorized project"""

    fields = ("rule_id",)
    rule_id: str


class EvaluationRunNotFound(NotFound):
    """Evaluation run {run_id} not found within authorized project"""

    fields = ("run_id",)
    run_id: str


class BackfillNotFound(NotFound):
    """Backfill {backfill_id} not found"""

    fields = ("backfill_id",)
    backfill_id: str
