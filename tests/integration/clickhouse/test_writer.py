"""What an insert of a lane leaves in ClickHouse."""

from datetime import UTC, datetime

from tests.integration.clickhouse.stored import Stored

LONG_AGO = datetime(2011, 3, 1, tzinfo=UTC)


async def test_an_insert_of_many_megabytes_becomes_one_file(stored: Stored) -> None:
    text = "parcel " * 800
    rows = (
        stored.observation("trace", f"o{n}", input=text, output=text, placed_at=LONG_AGO, start_time=LONG_AGO)
        for n in range(2_000)
    )
    stored.insert("observations", *rows)
    parts = await stored.clickhouse.read(
        "SELECT part_type, data_uncompressed_bytes AS bytes FROM system.parts"
        " WHERE database = currentDatabase() AND table = 'observations' AND partition = '201103' AND active",
        {},
    )
    assert parts["part_type"].to_pylist() == ["Compact"]
    assert parts["bytes"][0].as_py() > 20_000_000


async def test_versions_of_a_row_in_one_insert_read_as_the_last(stored: Stored) -> None:
    versions = (stored.observation("trace", "o1", name=f"v{n}", row_version=n) for n in (2, 3, 1))
    stored.insert("observations", *versions)
    found = await stored.clickhouse.read(
        "SELECT name FROM observations FINAL WHERE project_id = {project_id:String}", {"project_id": stored.project_id}
    )
    assert found["name"].to_pylist() == ["v3"]
