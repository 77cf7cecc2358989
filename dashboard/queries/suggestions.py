"""What filters suggest: what has occurred in the columns of a table."""

from collections.abc import Awaitable, Sequence
from typing import Any

from dashboard.state import Scope
from heliograph.domain.errors import InvalidRequest
from storage.clickhouse.column_values import ColumnValues

MAX_SUGGESTIONS = 200


class Suggestions:
    """The most frequent values in the period of the control row; none of columns that hold no texts.

    Args:
        values: of the project.
        table: traces, observations or scores.
        scope: the control row.
    """

    def __init__(self, values: ColumnValues, table: str, scope: Scope) -> None:
        self._values, self._table, self._scope = values, table, scope

    async def values(self, column: str) -> Sequence[str]:
        """Those of a column of texts, or of lists of them."""
        return await _known(self._values.of(self._table, column, **self._span))

    async def keys(self, column: str) -> Sequence[str]:
        """The keys of a column of maps."""
        return await _known(self._values.keys(self._table, column, **self._span))

    async def entries(self, column: str, key: str) -> Sequence[str]:
        """The texts of a column of maps under a key."""
        return await _known(self._values.entries(self._table, column, key, **self._span))

    @property
    def _span(self) -> dict[str, Any]:
        period = self._scope.period()
        return {"after": period.after, "before": period.before, "limit": MAX_SUGGESTIONS}


async def _known(asked: Awaitable[list[str]]) -> Sequence[str]:
    try:
        return await asked
    except InvalidRequest:
        return ()
