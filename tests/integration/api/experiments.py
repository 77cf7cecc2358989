"""Experiments as the stores keep them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from heliograph.domain.datasets import Dataset, run_id
from tests.factories import NOON
from tests.integration.api.conftest import Api


def ran(
    api: Api,
    dataset: Dataset,
    name: str,
    scores: Mapping[str, Sequence[float | None]],
    *,
    version: str = "v1",
    unscored: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """An experiment as spans tell it, with scores by evaluator, one an item; where `{}` is unscored the task raised."""
    experiment = run_id(api.project.id, dataset.id, name)
    made = api.stored
    items = range(len(next(iter(scores.values()))))
    for at in items:
        metadata = {
            "langfuse.experiment.id": experiment,
            "langfuse.experiment.name": name,
            "langfuse.experiment.dataset.id": dataset.id,
            "langfuse.experiment.item.id": f"i{at:02}",
            "langfuse.experiment.item.root_observation_id": f"{name}-o{at}",
            "heliograph.unscored": unscored.get(at, ""),
        }
        level = "ERROR" if unscored.get(at) == "{}" else "DEFAULT"
        made.insert(
            "observations",
            made.observation(f"{name}-{at}", f"{name}-o{at}", metadata=list(metadata.items()), level=level),
        )
    made.insert(
        "traces",
        *(
            made.trace(f"{name}-{at}", total_cost=Decimal(at) / 1000, latency_ms=100.0 + len(name) * at, timestamp=NOON)
            for at in items
        ),
    )
    rows = [
        made.score(f"{name}-{what}-{at}", name=what, trace_id=f"{name}-{at}", value=value, evaluator_version=version)
        for what, values in scores.items()
        for at, value in enumerate(values)
        if value is not None
    ]
    made.insert("scores", *rows)
