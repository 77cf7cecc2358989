"""Data for scripts: selections of rows as Arrow streams, their count, and how to read them in parallel; SQL."""

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from heliograph.domain.selections import ARROW_STREAM, Partitioning, SelectedTable, Selection, SqlQuery
from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import ProjectSelections, ProjectSql
from serve_apps.api.shapes.selections import CountShape, PartitionsShape, PeriodShape

router = APIRouter(tags=["data"])


class ArrowResponse(StreamingResponse):
    """Rows as an Arrow stream."""

    media_type = ARROW_STREAM


@router.post("/data/sql", response_class=ArrowResponse)
async def query_sql(asked: SqlQuery, sql: ProjectSql) -> Response:
    """The result of one SELECT over the project's own rows."""
    return ArrowResponse(await sql.stream(asked.query))


@router.post("/data/{table}", response_class=ArrowResponse)
async def select_rows(table: SelectedTable, asked: Selection, selections: ProjectSelections) -> Response:
    """The selected rows, as fast as they are read; a connection that is cut before its end was no result."""
    return ArrowResponse(await selections.stream(table, asked))


@router.post("/data/{table}/count")
async def count_rows(table: SelectedTable, asked: Selection, selections: ProjectSelections) -> Answer[CountShape]:
    """How many rows a selection has."""
    return answer({"count": await selections.count(table, asked)})


@router.post("/data/{table}/partitions")
async def partition_rows(
    table: SelectedTable, asked: Partitioning, selections: ProjectSelections
) -> Answer[PartitionsShape]:
    """Periods that hold every row of the selection once, for as many readers at a time."""
    found = await selections.partitions(table, asked, asked.partitions)
    data: list[PeriodShape] = [
        {
            "since": period.since.isoformat() if period.since else None,
            "until": period.until.isoformat() if period.until else None,
        }
        for period in found.periods
    ]
    return answer({"data": data, "meta": {"rows": found.rows}})
