"""Score configs: what the scores that name one are called, and which values they may have."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.scores import ScoreDataType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[A-Za-z0-9_ .()\-]{1,35}")


class Category(NamedTuple):
    """A value that a score may have, and the number that stands for it."""

    label: str
    value: float


TRUTHS = (Category("True", 1.0), Category("False", 0.0))


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """A score config; of `data_type` CORRECTION there is none."""

    name: str
    data_type: ScoreDataType
    categories: tuple[Category, ...] = ()
    min_value: float | None = None
    max_value: float | None = None
    description: str | None = None
    is_archived: bool = False
    id: str = ""
    project_id: str = ""
    created_at: datetime = _EPOCH
    updated_at: datetime = _EPOCH

    def number_of(self, label: str) -> float | None:
        """The number that stands for a category; None when there is no such category."""
        return next((category.value for category in self.categories if category.label == label), None)


def check(config: ScoreConfig) -> None:
    """Raise InvalidRequest unless scores can be checked against it."""
    if not _NAME.fullmatch(config.name):
        raise InvalidRequest("name", "must have 1 to 35 letters, digits, spaces or characters out of _ . ( ) -")
    _check_range(config)
    _check_categories(config)


def _check_range(config: ScoreConfig) -> None:
    low, high = config.min_value, config.max_value
    for field, bound in (("minValue", low), ("maxValue", high)):
        if bound is not None and config.data_type is not ScoreDataType.NUMERIC:
            raise InvalidRequest(field, "is for NUMERIC configs alone")
    if low is not None and high is not None and low >= high:
        raise InvalidRequest("maxValue", "must be greater than minValue")


def _check_categories(config: ScoreConfig) -> None:
    match config.data_type:
        case ScoreDataType.CATEGORICAL:
            if not config.categories:
                raise InvalidRequest("categories", "is required for a CATEGORICAL config")
        case ScoreDataType.BOOLEAN:
            if config.categories != TRUTHS:
                raise InvalidRequest("categories", "of a BOOLEAN config are always True and False: leave them out")
        case _:
            if config.categories:
                raise InvalidRequest("categories", "is for CATEGORICAL configs alone")
    labels, values = zip(*config.categories, strict=True) if config.categories else ((), ())
    if len(set(labels)) < len(labels) or len(set(values)) < len(values):
        raise InvalidRequest("categories", "must have labels and values of their own")
