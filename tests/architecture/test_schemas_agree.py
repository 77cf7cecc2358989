import re
import uuid
from collections.abc import Iterator

import clickhouse_connect
import pyarrow as pa
import pytest

from heliograph.domain import tables
from heliograph.settings import Settings
from migrations.columnar import Columnar

SCALARS = {
    tables.TEXT: "String",
    tables.TIME: "DateTime64(6, 'UTC')",
    tables.COST: "Decimal(18, 12)",
    pa.bool_(): "Bool",
    pa.float64(): "Float64",
    pa.uint32(): "UInt32",
    pa.uint64(): "UInt64",
}


@pytest.fixture(scope="module")
def columns(engines: Settings) -> Iterator[dict[str, list[tuple[str, str]]]]:
    """Name and type of every column of the migrated tables, in their order."""
    database = f"tests_{uuid.uuid4().hex}"
    settings = engines.clickhouse.model_copy(update={"database": database})
    Columnar(settings, engines.clickhouse_url).upgrade()
    with clickhouse_connect.get_client(
        dsn=engines.clickhouse_url, username=settings.user, password=settings.password
    ) as client:
        rows = client.query(
            # Materialized columns are made of others, so nobody writes them.
            "SELECT table, name, type FROM system.columns WHERE database = {name:String}"
            " AND default_kind != 'MATERIALIZED' ORDER BY table, position",
            {"name": database},
        ).result_rows
        yield {table: [(name, type_) for at, name, type_ in rows if at == table] for table in tables.CLICKHOUSE_TABLES}
        client.command(f"DROP DATABASE {database}")


@pytest.mark.parametrize("table", tables.CLICKHOUSE_TABLES)
def test_the_arrow_schema_and_the_clickhouse_table_agree(table: str, columns: dict[str, list[tuple[str, str]]]) -> None:
    declared = [(field.name, _clickhouse_type(field)) for field in tables.CLICKHOUSE_TABLES[table]]

    assert [(name, _without_encoding(type_)) for name, type_ in columns[table]] == declared


def _clickhouse_type(field: pa.Field) -> str:
    name = _type_name(field.type)
    return f"Nullable({name})" if field.nullable else name


def _type_name(type_: pa.DataType) -> str:
    if pa.types.is_list(type_):
        return f"Array({_type_name(type_.value_type)})"
    if pa.types.is_map(type_):
        return f"Map({_type_name(type_.key_type)}, {_type_name(type_.item_type)})"
    return SCALARS[type_]


def _without_encoding(type_: str) -> str:
    """LowCardinality is how a column is stored, not what it holds."""
    return re.sub(r"LowCardinality\((\w+)\)", r"\1", type_)
