"""What people change from the pages: each change is held against their role at that moment, whatever a page shows."""

from collections.abc import Sequence

from dashboard.annotation_changes import AnnotationChanges
from dashboard.connection_changes import ConnectionChanges
from dashboard.dashboard_changes import DashboardChanges
from dashboard.dataset_changes import DatasetChanges
from dashboard.evaluation_changes import EvaluationChanges
from dashboard.evaluator_changes import EvaluatorChanges
from dashboard.evaluator_trials import EvaluatorTrials
from dashboard.mandate import Mandate
from dashboard.model_calls import ModelCalls, Providers
from dashboard.own_events import OwnEvents
from dashboard.plan_basis import PlanBasis
from dashboard.queue_work import QueueWork
from dashboard.rule_changes import RuleChanges
from dashboard.trace_changes import TraceChanges
from dashboard.view_changes import ViewChanges
from heliograph.domain.access import Project, User
from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.prompts import NewPrompt, Prompt
from storage.clickhouse.connection import ClickHouse
from storage.postgres.comments import Comments
from storage.postgres.connection import Database
from storage.postgres.prompts import Prompts

COMMENTS, PROMPTS = "comments:CUD", "prompts:CUD"
MAX_COMMENT = 5000


class ProjectChanges:
    """The changes that one user may make in one project; each raises RoleInsufficient when the role lacks its scope.

    Args:
        clickhouse: what is stored.
        database: what is configured.
        project: where.
        user: by whom.
        events: the way of scores and deletions.
        providers: how models are reached.
    """

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: Database,
        project: Project,
        *,
        user: User,
        events: OwnEvents,
        providers: Providers,
    ) -> None:
        self._mandate = Mandate(database, project, user)
        self._comments = Comments(database, project.id)
        self._prompts = Prompts(database, project.id)
        self._database, self._events = database, events
        self.annotation = AnnotationChanges(database, self._mandate)
        self.models = ModelCalls(database, self._mandate, events, providers=providers)
        self.connections = ConnectionChanges(database, self._mandate, providers)
        self.traces = TraceChanges(self._mandate, events.deletions)
        self.datasets = DatasetChanges(database, self._mandate)
        self.dashboards = DashboardChanges(database, self._mandate)
        self.evaluators = EvaluatorChanges(database, self._mandate)
        self.trials = EvaluatorTrials(clickhouse, database, self._mandate, events=events, providers=providers)
        basis = PlanBasis(clickhouse, database, project.id, seal=providers.seal)
        self.evaluations = EvaluationChanges(database, self._mandate, basis)
        self.rules = RuleChanges(database, self._mandate, basis)
        self.views = ViewChanges(database, self._mandate)
        self.user = user

    def work_on(self, queue_id: str) -> QueueWork:
        """What the user may do in one queue."""
        return QueueWork(self._database, self._mandate, self._events, queue_id=queue_id)

    async def may(self, scope: str) -> bool:
        """Whether the user has the scope now: what a page shows follows it, what is done asks again."""
        return await self._mandate.covers(scope)

    async def comment_on_trace(self, trace_id: str, content: str) -> None:
        """Keep a comment; raises InvalidRequest when it says nothing or too much."""
        await self.comment(Commented(CommentedType.TRACE, trace_id, trace_id), content)

    async def comment(self, about: Commented, content: str) -> None:
        """Keep a comment; raises InvalidRequest when it says nothing or too much."""
        await self._mandate.act(COMMENTS)
        if not content.strip() or len(content) > MAX_COMMENT:
            raise InvalidRequest("content", f"has 1 to {MAX_COMMENT} characters")
        await self._comments.create(about, content, self.user.id)

    async def create_prompt_version(self, new: NewPrompt) -> Prompt:
        """Create the next version of a prompt; raises what `Prompts.created` raises."""
        await self._mandate.act(PROMPTS)
        return await self._prompts.created(new)

    async def label_prompt(self, name: str, version: int, labels: Sequence[str]) -> Prompt:
        """Put labels on a version; raises what `Prompts.labelled` raises."""
        await self._mandate.act(PROMPTS)
        return await self._prompts.labelled(name, version, labels)
