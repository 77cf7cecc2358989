"""Experiments that the server runs itself: prompts, asked of models, over a dataset."""

from typing import Annotated

from fastapi import APIRouter, Depends

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.prompt_experiments import (
    MAX_COMBINATIONS,
    PromptChoice,
    PromptExperiment,
    PromptExperimentPlan,
    PromptExperimentsRequest,
)
from heliograph.domain.prompts import Choice
from serve_apps.api.answers import Answer, wire_answer, wire_list_answer
from serve_apps.api.datasets import ProjectDatasets
from serve_apps.api.dependencies import Dependencies, ProjectPrompts
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.lists import ListOf
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.prompt_experiments import PromptExperiments

router = APIRouter(prefix="/prompt-experiments", tags=["prompt-experiments"])


async def _experiments(dependencies: Dependencies, principal: ProjectPrincipal) -> PromptExperiments:
    return PromptExperiments(dependencies.database, principal.project_id)


ProjectPromptExperiments = Annotated[PromptExperiments, Depends(_experiments)]


@router.post("", status_code=201)
async def start_prompt_experiments(
    asked: PromptExperimentsRequest,
    experiments: ProjectPromptExperiments,
    *,
    datasets: ProjectDatasets,
    prompts: ProjectPrompts,
) -> Answer[ListOf[PromptExperiment]]:
    """Start an experiment for every prompt with every model; the server runs them, whatever dies."""
    if len(asked.prompts) * len(asked.models) > MAX_COMBINATIONS:
        raise InvalidRequest("models", f"make more than {MAX_COMBINATIONS} experiments with the prompts: ask for fewer")
    await datasets.get(asked.dataset_name)
    versions = [(one.name, (await prompts.get(one.name, _choice(one))).version) for one in asked.prompts]
    plans = [
        PromptExperimentPlan(
            dataset_name=asked.dataset_name,
            run_name=f"{asked.name}: {name} {version}, {model.model}",
            prompt_name=name,
            prompt_version=version,
            model=model,
            dataset_version=asked.dataset_version,
            concurrency=asked.concurrency,
        )
        for name, version in versions
        for model in asked.models
    ]
    return wire_list_answer(await experiments.add(plans), 201)


@router.get("")
async def list_prompt_experiments(experiments: ProjectPromptExperiments) -> Answer[ListOf[PromptExperiment]]:
    """The newest, newest first."""
    return wire_list_answer(await experiments.all())


@router.get("/{experiment_id}")
async def get_prompt_experiment(experiment_id: Text, experiments: ProjectPromptExperiments) -> Answer[PromptExperiment]:
    """One, with how far it is."""
    return wire_answer(await experiments.get(experiment_id))


@router.post("/{experiment_id}/resume")
async def resume_prompt_experiment(
    experiment_id: Text, experiments: ProjectPromptExperiments
) -> Answer[PromptExperiment]:
    """Run what is not done, once what blocked it is put right; what failed is tried again."""
    return wire_answer(await experiments.resume(experiment_id))


@router.post("/{experiment_id}/cancel")
async def cancel_prompt_experiment(
    experiment_id: Text, experiments: ProjectPromptExperiments
) -> Answer[PromptExperiment]:
    """Stop it after the calls that are under way; what is done stays."""
    return wire_answer(await experiments.cancel(experiment_id))


def _choice(prompt: PromptChoice) -> Choice:
    return Choice(label="production") if prompt.version is None else Choice(version=prompt.version)
