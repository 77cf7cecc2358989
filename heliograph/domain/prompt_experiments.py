"""Experiments that the server runs itself: a prompt, asked of a model, over the items of a dataset."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from heliograph.domain.comparisons import RunName
from heliograph.domain.wire import Stored, Wire

# What judges judge, though the platform makes it: no environment that begins with `langfuse`.
ENVIRONMENT = "prompt-experiment"
MAX_COMBINATIONS = 50
MAX_CONCURRENCY = 64

_Name = Annotated[str, Field(min_length=1, max_length=1_000)]


class PromptChoice(Wire):
    """A version of a prompt; without a version the one that is labelled `production`."""

    name: _Name
    version: Annotated[int, Field(ge=1)] | None = None


class ModelChoice(Wire):
    """A model behind one of the project's connections, and the parameters of its calls."""

    provider: _Name
    model: _Name
    parameters: dict[str, Any] = Field(default_factory=dict)


class PromptExperimentsRequest(Stored):
    """Every prompt with every model, over the active items of a dataset; each of them is one experiment.

    Attributes:
        name: what their names begin with; the prompt's version and the model follow.
        dataset_version: the moment whose items are meant; None for the items as they are.
        concurrency: calls at once, of each experiment; the pace of a provider is found for the whole cluster.
    """

    dataset_name: _Name
    name: Annotated[str, Field(min_length=1, max_length=200)]
    prompts: Annotated[tuple[PromptChoice, ...], Field(min_length=1)]
    models: Annotated[tuple[ModelChoice, ...], Field(min_length=1)]
    dataset_version: AwareDatetime | None = None
    concurrency: Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)] = 8


class PromptExperimentPlan(Wire):
    """One prompt with one model over a dataset; `run_name` names the run that becomes of it."""

    dataset_name: _Name
    run_name: RunName
    prompt_name: _Name
    prompt_version: int
    model: ModelChoice
    dataset_version: AwareDatetime | None = None
    concurrency: int = 8


class PromptExperimentStatus(StrEnum):
    """How far it is. A blocked one waits for a person: the message says for what."""

    RUNNING = "RUNNING"
    BLOCKED = "BLOCKED"
    CANCELLED = "CANCELLED"
    FINISHED = "FINISHED"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self is not PromptExperimentStatus.RUNNING


class PromptExperiment(Wire):
    """One experiment of the server, with what came of it so far; `failures` are reasons by item."""

    id: str
    plan: PromptExperimentPlan
    status: PromptExperimentStatus
    message: str = ""
    items: int = 0
    done: int = 0
    failures: dict[str, str] = Field(default_factory=dict)
    created_at: AwareDatetime
    updated_at: AwareDatetime
