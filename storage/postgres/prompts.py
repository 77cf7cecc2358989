"""The prompts of a project: versions, labels, and what includes what."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain import prompts
from heliograph.domain.errors import Conflict, InvalidRequest
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import PromptNotFound
from heliograph.domain.prompts import LATEST, Choice, NewPrompt, Prompt, PromptType, Reference
from storage.postgres.connection import Database
from storage.postgres.prompt_changes import announce
from storage.postgres.tables.prompts import PromptLabelRow, PromptReferenceRow, PromptRow, PromptVersionRow

_MAX_VERSIONS = 200
Versioned = tuple[PromptVersionRow, PromptRow, list[str] | None]

_LABELS = (
    select(func.array_agg(PromptLabelRow.label))
    .where(
        PromptLabelRow.project_id == PromptVersionRow.project_id,
        PromptLabelRow.name == PromptVersionRow.name,
        PromptLabelRow.version == PromptVersionRow.version,
    )
    .scalar_subquery()
)
_VERSIONS = select(PromptVersionRow, PromptRow, _LABELS).join(
    PromptRow,
    (PromptRow.project_id == PromptVersionRow.project_id) & (PromptRow.name == PromptVersionRow.name),
)


def _unheard(project_id: str) -> None:
    del project_id


class Prompts:
    """The prompts of one project.

    Args:
        database: where they are kept.
        project_id: whose they are.
        on_change: told of the project after each change, so that who has written reads what it wrote.
    """

    def __init__(self, database: Database, project_id: ProjectId, on_change: Callable[[str], None] = _unheard) -> None:
        self._database = database
        self._project_id = project_id
        self._on_change = on_change

    async def get(self, name: str, choice: Choice) -> Prompt:
        """Return a version as it was written; raises PromptNotFound."""
        async with self._database.transaction() as session:
            return await self._get(session, name, choice)

    async def versions(self, name: str) -> list[Prompt]:
        """Return the newest 200 versions, the newest first; raises PromptNotFound when there is none."""
        query = _VERSIONS.where(self._named(PromptVersionRow, name))
        newest = query.order_by(PromptVersionRow.version.desc()).limit(_MAX_VERSIONS)
        async with self._database.transaction() as session:
            found = [prompt_of(row) for row in (await session.execute(newest)).tuples()]
        if not found:
            raise PromptNotFound(name, "any version")
        return found

    async def has_version(self, version_id: str) -> bool:
        """Whether a version of this id exists, of whatever prompt."""
        own = PromptVersionRow.project_id == self._project_id
        async with self._database.transaction() as session:
            found = await session.scalar(select(PromptVersionRow.id).where(own, PromptVersionRow.id == version_id))
        return found is not None

    async def created(self, new: NewPrompt) -> Prompt:
        """Create the next version of a prompt, with its labels and with `latest`, and return it.

        Raises:
            InvalidRequest: its type is not that of the prompt, or it includes what cannot be included.
            PromptNotFound: it includes what does not exist.
            Conflict: it would include itself, over others or deeper than `MAX_DEPTH`.
        """
        prompts.check(new)
        async with self._changing() as session:
            prompt = await self._locked(session, new)
            row = PromptVersionRow(
                project_id=self._project_id,
                name=new.name,
                version=prompt.last_version + 1,
                body=new.body,
                config=new.config,
                commit_message=new.commit_message,
                created_by=new.created_by,
            )
            prompt.last_version += 1
            prompt.tags = list(new.tags) if new.tags is not None else prompt.tags
            session.add(row)
            await session.flush()
            await self._include(session, row)
            await self._attach(session, new.name, version=row.version, labels=(*new.labels, LATEST))
            return await self._get(session, new.name, Choice(row.version))

    async def labelled(self, name: str, version: int, labels: Sequence[str]) -> Prompt:
        """Put labels on a version, from which others lose them, and return it; raises PromptNotFound."""
        if LATEST in labels:
            raise InvalidRequest("newLabels", f"{LATEST!r} is always on the newest version")
        for label in labels:
            prompts.check_label(label)
        async with self._changing() as session:
            await self._get(session, name, Choice(version))
            await self._attach(session, name, version=version, labels=labels)
            return await self._get(session, name, Choice(version))

    async def delete(self, name: str, choice: Choice | None) -> None:
        """Delete a prompt, or the version that is chosen; `latest` goes to the newest that is left.

        Raises:
            PromptNotFound: there is nothing to delete.
            InvalidRequest: another prompt includes what would be deleted.
        """
        async with self._changing() as session:
            versions = await self._chosen(session, name, choice)
            await self._refuse_used(session, name, versions, is_whole=choice is None)
            ids = [row.id for row, _, _ in versions]
            await session.execute(delete(PromptVersionRow).where(PromptVersionRow.id.in_(ids)))
            left = await session.scalar(
                select(func.max(PromptVersionRow.version)).where(self._named(PromptVersionRow, name))
            )
            if left is None:
                await session.execute(delete(PromptRow).where(self._named(PromptRow, name)))
            else:
                await self._attach(session, name, version=left, labels=[LATEST])

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction whose changes are announced to every replica when it commits."""
        async with self._database.transaction() as session:
            yield session
            await announce(session, self._project_id)
        self._on_change(self._project_id)

    async def _locked(self, session: AsyncSession, new: NewPrompt) -> PromptRow:
        fresh = {"project_id": self._project_id, "name": new.name, "type": new.type, "tags": [], "last_version": 0}
        await session.execute(insert(PromptRow).values(fresh).on_conflict_do_nothing())
        query = select(PromptRow).where(self._named(PromptRow, new.name)).with_for_update()
        prompt = (await session.scalars(query)).one()
        if prompt.type != new.type:
            raise InvalidRequest("type", f"{new.name!r} is a {prompt.type} prompt: choose another name, or that type")
        return prompt

    async def _attach(self, session: AsyncSession, name: str, *, version: int, labels: Iterable[str]) -> None:
        # In one order, so that two who move the same labels wait for each other instead of blocking each other.
        rows = [
            {"project_id": self._project_id, "name": name, "label": label, "version": version}
            for label in sorted(set(labels))
        ]
        if not rows:
            return
        moving = insert(PromptLabelRow).values(rows)
        await session.execute(
            moving.on_conflict_do_update(constraint="pk_prompt_labels", set_={"version": moving.excluded.version})
        )
        touched = update(PromptVersionRow).where(
            self._named(PromptVersionRow, name), PromptVersionRow.version == version
        )
        await session.execute(touched.values(updated_at=func.now()).execution_options(synchronize_session=False))

    async def _include(self, session: AsyncSession, row: PromptVersionRow) -> None:
        """Note what the version includes, once everything that it includes is known to be there and to end."""
        included = prompts.references(row.body)
        await self._follow(session, included, (row.name,))
        for name, choice in included:
            session.add(
                PromptReferenceRow(
                    parent_id=row.id,
                    child_name=name,
                    child_version=choice.version,
                    child_label=choice.label,
                    project_id=self._project_id,
                )
            )
        await session.flush()

    async def _follow(self, session: AsyncSession, references: Sequence[Reference], path: tuple[str, ...]) -> None:
        for reference in references:
            if reference.name in path:
                raise Conflict("prompt", f"{' includes '.join((*path, reference.name))}: a circle")
            if len(path) > prompts.MAX_DEPTH:
                raise Conflict("prompt", f"prompts are included at most {prompts.MAX_DEPTH} deep")
            child = await self._get(session, *reference)
            inner = prompts.references(prompts.included_text(child, reference))
            await self._follow(session, inner, (*path, reference.name))

    async def _chosen(self, session: AsyncSession, name: str, choice: Choice | None) -> Sequence[Versioned]:
        query = _VERSIONS.where(self._named(PromptVersionRow, name))
        if choice is not None:
            query = query.where(self._is(name, choice))
        versions = (await session.execute(query.with_for_update(of=PromptRow))).tuples().all()
        if not versions:
            raise PromptNotFound(name, choice.in_words if choice else "any version")
        return versions

    async def _refuse_used(
        self, session: AsyncSession, name: str, versions: Sequence[Versioned], *, is_whole: bool
    ) -> None:
        """Raise InvalidRequest when a prompt that stays includes one of the versions, by number or by a label of it."""
        numbers = [row.version for row, _, _ in versions]
        # `latest` finds another version, as long as one is left.
        labels = {label for _, _, found in versions for label in found or () if is_whole or label != LATEST}
        query = (
            select(PromptVersionRow.name, PromptVersionRow.version)
            .join(PromptReferenceRow, PromptReferenceRow.parent_id == PromptVersionRow.id)
            .where(
                PromptReferenceRow.project_id == self._project_id,
                PromptReferenceRow.child_name == name,
                PromptVersionRow.name != name,
                or_(PromptReferenceRow.child_version.in_(numbers), PromptReferenceRow.child_label.in_(labels)),
            )
            .limit(1)
        )
        user = (await session.execute(query)).first()
        if user is not None:
            raise InvalidRequest("name", f"version {user.version} of {user.name!r} includes it: delete that one first")

    async def _get(self, session: AsyncSession, name: str, choice: Choice) -> Prompt:
        query = _VERSIONS.where(self._named(PromptVersionRow, name), self._is(name, choice))
        found = (await session.execute(query.execution_options(populate_existing=True))).tuples().first()
        if found is None:
            raise PromptNotFound(name, choice.in_words)
        return prompt_of(found)

    def _named(self, table: type[PromptRow | PromptVersionRow], name: str) -> ColumnElement[bool]:
        return (table.project_id == self._project_id) & (table.name == name)

    def _is(self, name: str, choice: Choice) -> ColumnElement[bool]:
        if choice.version:
            return PromptVersionRow.version == choice.version
        labelled = select(PromptLabelRow.version).where(
            PromptLabelRow.project_id == self._project_id,
            PromptLabelRow.name == name,
            PromptLabelRow.label == choice.label,
        )
        return PromptVersionRow.version == labelled.scalar_subquery()


def prompt_of(row: Versioned) -> Prompt:
    """The version of a row."""
    version, prompt, labels = row
    return Prompt(
        id=version.id,
        project_id=version.project_id,
        name=version.name,
        version=version.version,
        type=PromptType(prompt.type),
        body=version.body,
        config=version.config,
        labels=tuple(sorted(labels or ())),
        tags=tuple(prompt.tags),
        commit_message=version.commit_message,
        created_by=version.created_by,
        created_at=version.created_at,
        updated_at=version.updated_at,
    )
