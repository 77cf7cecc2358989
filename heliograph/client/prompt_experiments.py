"""Experiments that the server runs itself: prompts, asked of models, over a dataset."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote

from heliograph.client.connection import Connection
from heliograph.client.experiments.experiment import Experiment
from heliograph.client.figures import Figures
from heliograph.domain.prompt_experiments import (
    ModelChoice,
    PromptChoice,
    PromptExperiment,
    PromptExperimentsRequest,
)

_PAUSE_SECONDS = 0.5
Progress = Callable[[Sequence[PromptExperiment]], None]


class PromptExperiments:
    """The experiments of a project that the server runs, with the project's connections to providers.

    Example:
        >>> started = project.prompt_experiments.start(
        ...     "qa/hard", "july", prompts=["answer"], models=[ModelChoice(provider="openai", model="gpt-4o-mini")]
        ... )
        >>> project.prompt_experiments.wait(started).table
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(
        self,
        dataset: str,
        name: str,
        *,
        prompts: Sequence[str | PromptChoice],
        models: Sequence[ModelChoice],
        version: datetime | None = None,
        concurrency: int = 8,
    ) -> list[PromptExperiment]:
        """Start one experiment for every prompt with every model; they go on whatever happens to this process.

        Args:
            dataset: its name; each item's input holds the values of the prompt's variables.
            name: what the experiments' names begin with.
            prompts: names (the version labelled `production`), or `PromptChoice(name=…, version=…)`.
            models: behind the project's connections.
            version: the moment whose items are meant.
            concurrency: calls at once of each experiment; the provider's pace bounds all of them together.

        Raises:
            NotFound: there is no such dataset or prompt.
        """
        chosen = tuple(PromptChoice(name=one) if isinstance(one, str) else one for one in prompts)
        asked = PromptExperimentsRequest(
            dataset_name=dataset,
            name=name,
            prompts=chosen,
            models=tuple(models),
            dataset_version=version,
            concurrency=concurrency,
        )
        found = self._connection.request("POST", "/prompt-experiments", asked.model_dump(mode="json"))
        return [PromptExperiment.model_validate(one) for one in found["data"]]

    def __call__(self) -> list[PromptExperiment]:
        """The newest, newest first."""
        found = self._connection.request("GET", "/prompt-experiments")
        return [PromptExperiment.model_validate(one) for one in found["data"]]

    def wait(
        self, started: Sequence[PromptExperiment], on_progress: Progress = lambda _: None
    ) -> Figures[list[PromptExperiment]]:
        """Return when none of them runs any more: one row each, with its status and what it waits for if anything.

        Args:
            started: what `start` returned.
            on_progress: told twice a second how far they are.
        """
        while True:
            known = [self._ask("GET", one.id) for one in started]
            on_progress(known)
            if all(one.status.is_final for one in known):
                rows = (
                    {
                        "experiment": one.plan.run_name,
                        "status": str(one.status),
                        "items": one.items,
                        "done": one.done,
                        "failed": len(one.failures),
                        "message": one.message,
                    }
                    for one in known
                )
                return Figures.of(known, rows, "prompt experiments")
            time.sleep(_PAUSE_SECONDS)

    def resume(self, experiment_id: str) -> PromptExperiment:
        """Have it run what is not done, once what blocked it is put right; what failed is tried again."""
        return self._ask("POST", experiment_id, "/resume")

    def cancel(self, experiment_id: str) -> PromptExperiment:
        """Stop it after the calls that are under way; what is done stays."""
        return self._ask("POST", experiment_id, "/cancel")

    def experiment(self, started: PromptExperiment) -> Experiment:
        """What it came to, and how it differs from another."""
        return Experiment(self._connection, started.plan.dataset_name, started.plan.run_name)

    def _ask(self, method: str, experiment_id: str, action: str = "") -> PromptExperiment:
        path = f"/prompt-experiments/{quote(experiment_id, safe='')}{action}"
        return PromptExperiment.model_validate(self._connection.request(method, path))
