"""What the server computed, as scripts and notebooks take it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pyarrow as pa

from heliograph.client import html
from heliograph.domain.statistics import Estimate

if TYPE_CHECKING:
    import pandas as pd

Answer = TypeVar("Answer")
_MOST_SHOWN = 200


@dataclass(frozen=True)
class Figures(Generic[Answer]):
    """An answer of the server: `answer` holds all of it, `table` its figures row by row.

    In a notebook it is that table. An estimate is three columns, as `kappa`, `kappa_low` and `kappa_high`; what the
    values do not determine is null.
    """

    answer: Answer
    table: pa.Table
    caption: str = ""

    @classmethod
    def of(cls, answer: Answer, rows: Iterable[Mapping[str, Any]], caption: str) -> "Figures[Answer]":
        """An answer with its rows, in which estimates become columns."""
        return cls(answer, pa.Table.from_pylist([dict(flat(row)) for row in rows]), caption)

    def to_pandas(self) -> "pd.DataFrame":
        """The table as a pandas DataFrame, which has to be installed."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def _repr_html_(self) -> str:
        shown = self.table.slice(0, _MOST_SHOWN)
        return html.table(shown, caption=self.caption, has_more=self.table.num_rows > _MOST_SHOWN)


def flat(row: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """The entries of a row, estimates as their values and edges."""
    for name, value in row.items():
        if isinstance(value, Estimate):
            yield name, _known(value.value)
            yield f"{name}_low", _known(value.low)
            yield f"{name}_high", _known(value.high)
        else:
            yield name, _known(value) if isinstance(value, float) else value


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
