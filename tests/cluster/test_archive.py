"""The archive as Ray Data reads it, and the compaction as its actor runs it."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest

# Ray binds to loopback alone when this is in the environment of its processes before they import it.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")

import ray
import ray.data
from pyarrow import fs

from actors import directory
from heliograph.settings import LOOPBACK, Settings
from pipelines.compaction import compact_lanes
from storage.objects.archive import Archive
from storage.postgres.compactions import Compactions
from storage.postgres.connection import Database
from tests.integration.pipelines.lane_logs import AT_ONCE, DAY, LaneLog

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture
def local_cluster() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 << 20,
        _node_ip_address=LOOPBACK,
    )
    yield
    ray.shutdown()


async def archived(settings: Settings) -> LaneLog:
    """A lane whose three small files were merged into one that stands beside them."""
    lane = LaneLog(settings, Database(settings.postgres_dsn))
    await lane.take_over()
    for entity in "abc":
        lane.append(entity)
        await lane.flush()
        await lane.compaction(now=DAY).run()
    await lane.compaction(AT_ONCE.model_copy(update={"superseded_for_seconds": 10.0**9})).run()
    await lane.database.close()
    return lane


def test_ray_data_reads_each_record_of_a_project_once(migrated: Settings, local_cluster: None) -> None:
    lane = asyncio.run(archived(migrated))
    assert len(lane.files()) == 4
    store = fs.S3FileSystem(
        access_key=migrated.s3.access_key,
        secret_key=migrated.s3.secret_key,
        endpoint_override=migrated.s3_url,
        region=migrated.s3.region,
    )

    paths = [f"{lane.bucket}/{file.key}" for file in Archive(lane.client, lane.bucket).live_files(lane.project_id)]
    rows = ray.data.read_parquet(paths, filesystem=store).take_all()

    assert [(row["segment"], row["ordinal"], row["entity_id"]) for row in rows] == lane.archived()
    folder = f"{lane.bucket}/{lane.files()[0].partition.folder}"
    everything = Counter(row["entity_id"] for row in ray.data.read_parquet(folder, filesystem=store).take_all())
    assert everything == Counter("aabbcc")


def test_the_maintenance_compacts_by_itself(migrated: Settings, local_cluster: None) -> None:
    async def compacted_to() -> int:
        database = Database(migrated.postgres_dsn)
        cursor, _ = await Compactions(database).progress(lane.lane)
        await database.close()
        return cursor.segment if cursor else 0

    async def flushed() -> LaneLog:
        made = LaneLog(migrated, Database(migrated.postgres_dsn), lane=0)  # type: ignore[arg-type]  # one of the map
        await made.take_over()
        made.append("a")
        await made.flush()
        await made.database.close()
        return made

    lane = asyncio.run(flushed())
    directory.start_maintenance(migrated, [("compaction", 0.5, compact_lanes)])
    give_up_at = time.monotonic() + 60
    while asyncio.run(compacted_to()) < lane.position.segment and time.monotonic() < give_up_at:
        time.sleep(0.2)
    assert asyncio.run(compacted_to()) == lane.position.segment
    asyncio.run(directory.stop_maintenance())
    with pytest.raises(ValueError, match="maintenance"):
        ray.get_actor("maintenance", directory.NAMESPACE)
