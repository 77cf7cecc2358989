"""How far the people agree who scored the same things in a queue. Pure functions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from evals.statistics.agreement import cohen_kappa, krippendorff_alpha
from evals.statistics.samples import LabelPairs
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from heliograph.domain.statistics import Estimate

# What has no categories or numbers cannot be compared.
_COMPARABLE = (ScoreDataType.CATEGORICAL, ScoreDataType.BOOLEAN, ScoreDataType.NUMERIC)


@dataclass(frozen=True)
class Agreement:
    """The agreement on one config.

    Attributes:
        raters: how many people scored by it.
        alpha: Krippendorff's, of numbers by their distance, else by name; `counts.n` is how many targets have two.
        kappa: Cohen's, where exactly two people scored by categories.
    """

    config: ScoreConfig
    raters: int
    alpha: Estimate
    kappa: Estimate | None


def agreements(configs: Sequence[ScoreConfig], scores: pa.Table) -> list[Agreement]:
    """The agreement on each config that can be compared.

    Args:
        configs: the configs of a queue.
        scores: rows of `scores` given in the queue.
    """
    by_config: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in plain_rows(scores):
        by_config[row["config_id"]].append(row)
    return [_agreement(config, by_config[config.id]) for config in configs if config.data_type in _COMPARABLE]


def _agreement(config: ScoreConfig, rows: Sequence[dict[str, Any]]) -> Agreement:
    said = {(row["author_user_id"], _target(row)): float(row["value"]) for row in rows}
    raters = sorted({author for author, _ in said})
    targets = sorted({target for _, target in said})
    ratings = [[said.get((rater, target)) for target in targets] for rater in raters]
    is_number = config.data_type is ScoreDataType.NUMERIC
    alpha = krippendorff_alpha(ratings or [[]], level="interval" if is_number else "nominal")
    is_pair = len(raters) == 2 and not is_number
    return Agreement(config, len(raters), alpha, cohen_kappa(LabelPairs.of(*ratings)) if is_pair else None)


def _target(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["trace_id"], row["observation_id"], row["session_id"]
