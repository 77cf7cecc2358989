"""Prompts: fetched by applications, written by people and pipelines."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Page
from heliograph.domain.prompts import PRODUCTION, Choice
from serve_apps.api.answers import Answer, answer, page_meta
from serve_apps.api.dependencies import Dependencies, ProjectPrompts, PromptFetches
from serve_apps.api.parameters import Moment, Paged, Parameters, Text
from serve_apps.api.shapes.prompts import LabelsBody, PromptBody, PromptPage, PromptShape, prompt_shape, summary_shape
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.prompt_lists import PromptFilter, PromptLists

router = APIRouter(tags=["prompts"])

_DEFAULT_SIZE = 10
_MAX_VERSION = (1 << 31) - 1
Version = Annotated[int, Field(ge=1, le=_MAX_VERSION)]


class Chosen(Parameters):
    """A version by number or by label."""

    version: Version | None = None
    label: Text | None = None

    @property
    def choice(self) -> Choice | None:
        """The version that was asked for, or None."""
        if self.version is not None and self.label is not None:
            raise InvalidRequest("version", "give a version or a label, not both")
        return Choice(self.version or 0, self.label or "") if self.version or self.label else None


class Fetched(Chosen):
    """How a prompt is fetched."""

    resolve: bool = True


class Listed(Paged):
    """Which prompts are listed."""

    name: Text | None = None
    version: Version | None = None
    label: Text | None = None
    tag: Text | None = None
    from_updated_at: Moment = None
    to_updated_at: Moment = None

    @property
    def filter(self) -> PromptFilter:
        """What the list is made of."""
        return PromptFilter(
            name=self.name or None,
            version=self.version,
            label=self.label or None,
            tag=self.tag or None,
            since=self.from_updated_at,
            before=self.to_updated_at,
        )


@router.get("/v2/prompts")
async def list_prompts(
    asked: Annotated[Listed, Query()], principal: ProjectPrincipal, dependencies: Dependencies
) -> Answer[PromptPage]:
    """One page of the prompts, by name."""
    page = Page(asked.page or 1, asked.limit or _DEFAULT_SIZE)
    found, total = await PromptLists(dependencies.database, principal.project_id).page(asked.filter, page)
    meta = page_meta(page, total)
    return answer({"data": list(map(summary_shape, found)), "meta": meta, "pagination": meta})


@router.post("/v2/prompts", status_code=201)
async def create_prompt(body: PromptBody, prompts: ProjectPrompts) -> Answer[PromptShape]:
    """Create the next version of a prompt."""
    made = await prompts.created(body.new("API"))
    return answer(prompt_shape(made), 201)


class NamedVersion(NamedTuple):
    """A version in the path of a route."""

    name: str
    version: int


async def _named_version(name: Text, version: Version) -> NamedVersion:
    return NamedVersion(name, version)


@router.patch("/v2/prompts/{name:path}/versions/{version}")
async def label_prompt(
    of: Annotated[NamedVersion, Depends(_named_version)], body: LabelsBody, prompts: ProjectPrompts
) -> Answer[PromptShape]:
    """Put labels on a version, from which the other versions lose them."""
    return answer(prompt_shape(await prompts.labelled(of.name, of.version, body.new_labels)))


@router.get("/v2/prompts/{name:path}")
async def get_prompt(name: Text, asked: Annotated[Fetched, Query()], fetches: PromptFetches) -> Answer[PromptShape]:
    """The version that is asked for, or the one in production; what it includes is in its place unless told not to."""
    found = await fetches.get(name, asked.choice or Choice(label=PRODUCTION), is_resolved=asked.resolve)
    return answer(prompt_shape(found.prompt, found))


@router.delete("/v2/prompts/{name:path}", status_code=204)
async def delete_prompt(name: Text, asked: Annotated[Chosen, Query()], prompts: ProjectPrompts) -> Response:
    """Delete the versions that are chosen, or all."""
    await prompts.delete(name, asked.choice)
    return Response(status_code=204)


class FetchedByName(Parameters):
    """How the first generation of the API fetches a prompt."""

    name: Text
    version: Version | None = None


@router.get("/prompts")
async def get_prompt_by_name(asked: Annotated[FetchedByName, Query()], fetches: PromptFetches) -> Answer[PromptShape]:
    """A version, or the one in production."""
    choice = Choice(asked.version) if asked.version else Choice(label=PRODUCTION)
    found = await fetches.get(asked.name, choice, is_resolved=True)
    return answer(prompt_shape(found.prompt, found))


@router.post("/prompts", status_code=201)
async def create_prompt_by_name(body: PromptBody, prompts: ProjectPrompts) -> Answer[PromptShape]:
    """Create the next version of a prompt; `isActive` puts it into production."""
    return await create_prompt(body, prompts)
