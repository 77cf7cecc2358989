"""Comments on traces, observations, sessions and prompts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain import filters
from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.not_found import CommentedObjectNotFound, ProjectNotFound
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies, ProjectObservations, ProjectPrompts, ProjectTraces
from serve_apps.api.parameters import Optional, Paged, Text
from serve_apps.api.shapes.annotations import CommentBody, CommentShape, comment_shape
from serve_apps.api.shapes.lists import Identified, PageOf
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.observations import Observations
from storage.clickhouse.traces import Traces
from storage.postgres.comments import CommentFilter, Comments
from storage.postgres.prompts import Prompts

router = APIRouter(tags=["comments"])


async def _comments(dependencies: Dependencies, principal: ProjectPrincipal) -> Comments:
    return Comments(dependencies.database, principal.project_id)


class Commentable:
    """What exists in the caller's project."""

    def __init__(self, traces: Traces, observations: Observations, prompts: Prompts) -> None:
        self._traces = traces
        self._observations = observations
        self._prompts = prompts

    async def get(self, object_type: CommentedType, object_id: str) -> Commented:
        """What is to be commented on; raises CommentedObjectNotFound."""
        trace_id = ""
        match object_type:
            case CommentedType.TRACE:
                is_there, trace_id = await self._traces.count([filters.equals("id", object_id)]) > 0, object_id
            case CommentedType.SESSION:
                is_there = await self._traces.count([filters.equals("sessionId", object_id)]) > 0
            case CommentedType.OBSERVATION:
                found = await self._observations.newest([filters.equals("id", object_id)], ["trace_id"], limit=1)
                is_there, trace_id = found.num_rows > 0, "".join(found["trace_id"].to_pylist())
            case CommentedType.PROMPT:
                is_there = await self._prompts.has_version(object_id)
        if not is_there:
            raise CommentedObjectNotFound(object_type.capitalize(), object_id)
        return Commented(object_type, object_id, trace_id)


async def _commentable(
    traces: ProjectTraces, observations: ProjectObservations, prompts: ProjectPrompts
) -> Commentable:
    return Commentable(traces, observations, prompts)


ProjectComments = Annotated[Comments, Depends(_comments)]


class CommentList(Paged):
    """Which comments, and which page of them."""

    object_type: Optional[CommentedType] = None
    object_id: Text = ""
    author_user_id: Text = ""

    @property
    def filter(self) -> CommentFilter:
        """What the list is made of; raises InvalidRequest."""
        if self.object_id and self.object_type is None:
            raise InvalidRequest("objectType", "is required beside objectId")
        return CommentFilter(
            object_type=self.object_type,
            object_id=self.object_id or None,
            author_user_id=self.author_user_id or None,
        )


@router.get("/comments")
async def list_comments(
    asked: Annotated[CommentList, Query()], comments: ProjectComments
) -> Answer[PageOf[CommentShape]]:
    """One page of the project's comments, the newest first."""
    found, total = await comments.page(asked.filter, asked.asked_page)
    return page_answer(list(map(comment_shape, found)), asked.asked_page, total)


@router.post("/comments")
async def create_comment(
    body: CommentBody,
    *,
    comments: ProjectComments,
    commentable: Annotated[Commentable, Depends(_commentable)],
    principal: ProjectPrincipal,
) -> Answer[Identified]:
    """Comment on something of the project."""
    if body.project_id != principal.project_id:
        raise ProjectNotFound(body.project_id)
    about = await commentable.get(body.object_type, body.object_id)
    made = await comments.create(about, body.content, body.author_user_id)
    return answer({"id": made.id})


@router.get("/comments/{comment_id}")
async def get_comment(comment_id: Text, comments: ProjectComments) -> Answer[CommentShape]:
    """One comment."""
    return answer(comment_shape(await comments.get(comment_id)))
