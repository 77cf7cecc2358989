"""The Arrow schemas."""

import pyarrow as pa
import pytest

from heliograph.domain import tables

SCHEMAS = {**tables.CLICKHOUSE_TABLES, "records": tables.RECORDS, "trace_parts": tables.TRACE_PARTS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_names_are_unique(name: str) -> None:
    assert len(set(SCHEMAS[name].names)) == len(SCHEMAS[name].names)


@pytest.mark.parametrize("name", SCHEMAS)
def test_text_is_never_null(name: str) -> None:
    assert [field.name for field in SCHEMAS[name] if pa.types.is_string(field.type) and field.nullable] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_times_are_utc_microseconds(name: str) -> None:
    times = [field.type for field in SCHEMAS[name] if pa.types.is_timestamp(field.type)]
    assert set(times) <= {tables.TIME}


@pytest.mark.parametrize("name", tables.CLICKHOUSE_TABLES)
def test_every_table_is_of_a_project_and_carries_the_lane_columns(name: str) -> None:
    names = tables.CLICKHOUSE_TABLES[name].names
    assert names[0] == "project_id"
    assert set(tables.LANE_COLUMNS) <= set(names)


def test_a_mapped_row_has_no_lane_columns_but_its_record() -> None:
    mapped = tables.mapped(tables.SCORES)
    assert set(tables.SCORES.names) - set(mapped.names) == set(tables.LANE_COLUMNS)
    assert mapped.names[-1] == "record"
