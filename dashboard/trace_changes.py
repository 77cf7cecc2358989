"""What people do to many traces at once: delete them."""

from collections.abc import Sequence

from dashboard.mandate import Mandate
from dashboard.own_events import DeletionRequests
from heliograph.domain.deletions import SubjectType

DELETION = "traces:delete"


class TraceChanges:
    """The changes of traces that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, mandate: Mandate, deletions: DeletionRequests) -> None:
        self._mandate = mandate
        self._deletions = deletions

    async def delete(self, trace_ids: Sequence[str]) -> None:
        """Return when it is durable that these traces go; raises InvalidRequest, Unavailable and Overloaded."""
        await self._mandate.act(DELETION)
        by = self._mandate.user.email
        await self._deletions.accept(self._mandate.project.id, SubjectType.TRACE, trace_ids, requested_by=by)
