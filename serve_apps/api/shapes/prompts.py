"""Prompts as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.prompts import Composition, NewPrompt, Prompt, PromptSummary, PromptType
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.lists import PageMeta
from serve_apps.api.shapes.values import Instant, Json, JsonObject, JsonShape, iso


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=AliasGenerator(validation_alias=to_camel))


class MessageBody(_Body):
    """A message of a chat prompt; whatever else it carries stays with it."""

    role: str
    content: str


class PlaceholderBody(_Body):
    """A place for messages."""

    type: Literal["placeholder"]
    name: Annotated[str, Field(min_length=1)]


class PromptBody(_Body):
    """A version to be created; it is a text prompt unless it says otherwise."""

    name: Text
    type: PromptType = PromptType.TEXT
    prompt: str | list[PlaceholderBody | MessageBody]
    labels: list[Text] = []
    config: Any = None
    tags: list[Text] | None = None
    commit_message: Annotated[Text, Field(max_length=500)] | None = None
    is_active: bool | None = None

    def new(self, created_by: str) -> NewPrompt:
        """What is to be created; raises InvalidRequest."""
        labels = [*self.labels, *(["production"] if self.is_active else [])]
        return NewPrompt(
            name=self.name,
            type=self.type,
            body=self.prompt if isinstance(self.prompt, str) else [part.model_dump() for part in self.prompt],
            labels=tuple(dict.fromkeys(labels)),
            config={} if self.config is None else self.config,
            tags=None if self.tags is None else tuple(dict.fromkeys(self.tags)),
            commit_message=self.commit_message,
            created_by=created_by,
        )


class LabelsBody(_Body):
    """Labels to be put on a version."""

    new_labels: list[Text]


class PromptNode(JsonShape):
    """A version of a prompt that another one includes."""

    name: str
    version: int
    id: str


class ResolutionGraph(JsonShape):
    """Which prompts a text came from: by the id of each that includes others, those others."""

    root: PromptNode
    dependencies: dict[str, Sequence[PromptNode]]


class PromptShape(JsonShape):
    """A version of a prompt: a text, or the messages and placeholders of a chat."""

    id: str
    createdAt: Instant
    updatedAt: Instant
    projectId: str
    createdBy: str
    prompt: str | Sequence[JsonObject]
    name: str
    version: int
    type: PromptType
    isActive: bool
    config: Json
    tags: Sequence[str]
    labels: Sequence[str]
    commitMessage: str | None
    resolutionGraph: ResolutionGraph | None


class PromptSummaryShape(JsonShape):
    """All versions of a prompt."""

    name: str
    type: PromptType
    versions: Sequence[int]
    labels: Sequence[str]
    tags: Sequence[str]
    lastUpdatedAt: Instant
    lastConfig: Json


class PromptPage(JsonShape):
    """One page of the prompts; `pagination` is `meta` again, by its older name."""

    data: Sequence[PromptSummaryShape]
    meta: PageMeta
    pagination: PageMeta


def prompt_shape(prompt: Prompt, composition: Composition | None = None) -> PromptShape:
    """The contract's prompt."""
    return {
        "id": prompt.id,
        "createdAt": iso(prompt.created_at),
        "updatedAt": iso(prompt.updated_at),
        "projectId": prompt.project_id,
        "createdBy": prompt.created_by,
        "prompt": prompt.body,
        "name": prompt.name,
        "version": prompt.version,
        "type": prompt.type,
        "isActive": prompt.is_active,
        "config": prompt.config,
        "tags": prompt.tags,
        "labels": prompt.labels,
        "commitMessage": prompt.commit_message,
        "resolutionGraph": _graph(composition) if composition and composition.children else None,
    }


def summary_shape(summary: PromptSummary) -> PromptSummaryShape:
    """The contract's entry of the list of prompts."""
    return {
        "name": summary.name,
        "type": summary.type,
        "versions": summary.versions,
        "labels": summary.labels,
        "tags": summary.tags,
        "lastUpdatedAt": iso(summary.last_updated_at),
        "lastConfig": summary.last_config,
    }


def _graph(composition: Composition) -> ResolutionGraph:
    children: dict[str, Sequence[PromptNode]] = {
        parent: list(map(_node, found)) for parent, found in composition.children.items()
    }
    return {"root": _node(composition.prompt), "dependencies": children}


def _node(prompt: Prompt) -> PromptNode:
    return {"name": prompt.name, "version": prompt.version, "id": prompt.id}
