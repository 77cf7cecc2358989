import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from heliograph.domain import tables
from heliograph.domain.start_errors import MigrationChanged
from heliograph.settings import ClickHouseSettings, Settings
from migrations.columnar import FOLDER, Columnar


@pytest.fixture
def server(engines: Settings) -> Iterator[Client]:
    with clickhouse_connect.get_client(
        dsn=engines.clickhouse_url, username=engines.clickhouse.user, password=engines.clickhouse.password
    ) as client:
        yield client


@pytest.fixture
def fresh(engines: Settings, server: Client) -> Iterator[ClickHouseSettings]:
    name = f"tests_{uuid.uuid4().hex}"
    yield engines.clickhouse.model_copy(update={"database": name})
    server.command(f"DROP DATABASE IF EXISTS {name}")


def test_upgrade_creates_an_atomic_database_with_every_table(
    engines: Settings, fresh: ClickHouseSettings, server: Client
) -> None:
    columnar = Columnar(fresh, engines.clickhouse_url)
    assert columnar.pending() == columnar.known()

    columnar.upgrade()

    engine = server.command("SELECT engine FROM system.databases WHERE name = {name:String}", {"name": fresh.database})
    found = server.query("SELECT name FROM system.tables WHERE database = {name:String}", {"name": fresh.database})
    assert engine == "Atomic"
    assert {row[0] for row in found.result_rows} == {*tables.CLICKHOUSE_TABLES, "schema_migrations"}
    assert columnar.pending() == []
    assert columnar.upgrade() == []


def test_a_plan_changes_nothing(engines: Settings, fresh: ClickHouseSettings, server: Client) -> None:
    Columnar(fresh, engines.clickhouse_url).pending()

    assert not server.command(
        "SELECT count() FROM system.databases WHERE name = {name:String}", {"name": fresh.database}
    )


def test_every_file_can_be_applied_twice(engines: Settings, fresh: ClickHouseSettings, server: Client) -> None:
    columnar = Columnar(fresh, engines.clickhouse_url)
    columnar.upgrade()
    server.command(f"TRUNCATE TABLE {fresh.database}.schema_migrations")

    assert columnar.upgrade() == columnar.known()


def test_rows_outlive_the_copy_of_their_table_also_when_it_is_made_twice(
    engines: Settings, fresh: ClickHouseSettings, server: Client, tmp_path: Path
) -> None:
    for file in FOLDER.glob("*.sql"):
        if file.name < "0009":
            (tmp_path / file.name).write_text(file.read_text())
    Columnar(fresh, engines.clickhouse_url, tmp_path).upgrade()
    stored = "SELECT id, name, experiment_id, row_version, metadata['k'] FROM {database:Identifier}.observations"
    row = (
        "INSERT INTO {database:Identifier}.observations (project_id, trace_id, id, name, row_version, metadata) VALUES"
    )
    bound = {"database": fresh.database}
    server.command(f"{row} ('p', 't', 'o', 'kept', 7, map('k', 'v', 'langfuse.experiment.id', 'e'))", parameters=bound)
    for _ in range(2):
        Columnar(fresh, engines.clickhouse_url).upgrade()
        assert server.query(stored, parameters=bound).result_rows == [("o", "kept", "e", 7, "v")]
        server.command("DELETE FROM {database:Identifier}.schema_migrations WHERE name LIKE '%0009%'", parameters=bound)
    shown = str(server.command("SHOW CREATE TABLE {database:Identifier}.observations", parameters=bound))
    assert "index_granularity = 1024" in shown
    assert "enable_block_number_column = 1" in shown


def test_a_changed_file_is_named(engines: Settings, fresh: ClickHouseSettings, tmp_path: Path) -> None:
    for file in FOLDER.glob("*.sql"):
        (tmp_path / file.name).write_text(file.read_text())
    columnar = Columnar(fresh, engines.clickhouse_url, tmp_path)
    columnar.upgrade()
    with (tmp_path / "0003_traces.sql").open("a") as edited:
        edited.write("-- one more thought\n")

    with pytest.raises(MigrationChanged, match="0003_traces"):
        columnar.upgrade()


def test_each_first_line_is_a_reason() -> None:
    assert [file.name for file in sorted(FOLDER.glob("*.sql")) if not file.read_text().startswith("-- ")] == []


def test_text_search_is_exact_with_and_without_the_index(
    engines: Settings, fresh: ClickHouseSettings, server: Client
) -> None:
    Columnar(fresh, engines.clickhouse_url).upgrade()
    columns = ["project_id", "trace_id", "id", "input", "row_version"]
    without_index = {"exclude_materialize_skip_indexes_on_insert": "input_text,output_text"}
    place: dict[str, Any] = {"table": "observations", "database": fresh.database, "column_names": columns}
    server.command(f"SYSTEM STOP MERGES {fresh.database}.observations")
    server.insert(data=[["p", "t", str(number), "An old Needle", 1] for number in range(3)], **place)
    newer = [["p", "t", "9", "Another NEEDLE, newer", 1], ["p", "t", "0", "replaced since", 2]]
    server.insert(data=newer, settings=without_index, **place)

    found = server.query(
        "SELECT id FROM {database:Identifier}.observations FINAL WHERE hasAllTokens(input, 'needle') ORDER BY id",
        parameters={"database": fresh.database},
        settings={"use_skip_indexes_if_final": 1, "use_skip_indexes_if_final_exact_mode": 1},
    )

    assert [row[0] for row in found.result_rows] == ["1", "2", "9"]
