"""Comments of projects."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from heliograph.domain.annotations import Comment, Commented, CommentedType
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import CommentNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.comments import CommentRow


@dataclass(frozen=True, kw_only=True)
class CommentFilter:
    """Which comments a list is made of; what is None is not asked for."""

    object_type: CommentedType | None = None
    object_id: str | None = None
    author_user_id: str | None = None


class Comments:
    """The comments of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = CommentRow.project_id == project_id
        self._project_id = project_id

    async def page(self, asked: CommentFilter, page: Page) -> tuple[list[Comment], int]:
        """Return one page, the newest first, and how many there are."""
        conditions: list[ColumnElement[bool]] = [self._own]
        conditions += [getattr(CommentRow, name) == value for name, value in vars(asked).items() if value is not None]
        count = select(func.count()).select_from(CommentRow).where(*conditions)
        order = (CommentRow.created_at.desc(), CommentRow.id.desc())
        query = select(CommentRow).where(*conditions).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(count)
            return [_comment(row) for row in await session.scalars(query)], total or 0

    async def get(self, comment_id: str) -> Comment:
        """Return one comment; raises CommentNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(select(CommentRow).where(self._own, CommentRow.id == comment_id))
        if row is None:
            raise CommentNotFound(comment_id)
        return _comment(row)

    async def create(self, about: Commented, content: str, author_user_id: str | None = None) -> Comment:
        """Keep a comment under an id of its own."""
        row = CommentRow(
            project_id=self._project_id,
            object_type=about.type,
            object_id=about.id,
            trace_id=about.trace_id,
            content=content,
            author_user_id=author_user_id,
        )
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _comment(row)


def _comment(row: CommentRow) -> Comment:
    return Comment(
        id=row.id,
        project_id=row.project_id,
        object_type=CommentedType(row.object_type),
        object_id=row.object_id,
        content=row.content,
        author_user_id=row.author_user_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
