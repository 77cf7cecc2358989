"""Prompts with what they include in its place."""

from collections.abc import Mapping
from dataclasses import replace

from heliograph.domain import prompts
from heliograph.domain.errors import Conflict
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.prompts import Body, Choice, Composition, Prompt, Reference
from storage.postgres.connection import Database
from storage.postgres.prompts import Prompts


class PromptCompositions:
    """Prompts of one project, composed. Labels move after a prompt was written, so circles are looked for here too."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._prompts = Prompts(database, project_id)

    async def get(self, name: str, choice: Choice, *, is_resolved: bool = True) -> Composition:
        """Return a version with every reference replaced, or as it was written.

        Raises:
            PromptNotFound: it, or something that it includes, does not exist.
            InvalidRequest: it includes what is no text.
            Conflict: it includes itself, or prompts too deep.
        """
        prompt = await self._prompts.get(name, choice)
        if not is_resolved:
            return Composition(prompt=prompt)
        children: dict[str, tuple[Prompt, ...]] = {}
        body = await self._composed(prompt, (name,), children)
        return Composition(prompt=replace(prompt, body=body), children=children)

    async def _composed(self, prompt: Prompt, path: tuple[str, ...], children: dict[str, tuple[Prompt, ...]]) -> Body:
        found: dict[Reference, Prompt] = {}
        texts: dict[Reference, str] = {}
        for reference in prompts.references(prompt.body):
            if reference.name in path or len(path) > prompts.MAX_DEPTH:
                raise Conflict("prompt", f"{' includes '.join((*path, reference.name))}: a circle, or too deep")
            child = found[reference] = await self._prompts.get(*reference)
            prompts.included_text(child, reference)
            texts[reference] = str(await self._composed(child, (*path, reference.name), children))
        if found:
            children[prompt.id] = tuple(found.values())
        return _with(prompt.body, texts)


def _with(body: Body, texts: Mapping[Reference, str]) -> Body:
    return prompts.composed(body, texts) if texts else body
