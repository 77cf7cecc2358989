"""Ray Data reads the embedded ClickHouse by its ordinary connector."""

import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest

# Ray binds to loopback alone when this is in the environment of its processes before they import it.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")

import ray
import ray.data

from heliograph.settings import CLICKHOUSE_HTTP, LOOPBACK, Settings
from storage.clickhouse.connection import connect_blocking

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture
def cluster() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 << 20,
        _node_ip_address=LOOPBACK,
    )
    yield
    ray.shutdown()


def test_ray_data_reads_a_table_in_parallel(engines: Settings, cluster: None) -> None:
    client = connect_blocking(engines.clickhouse.model_copy(update={"database": "default"}), engines.clickhouse_url)
    client.command("CREATE OR REPLACE TABLE default.numbers (id UInt64, name String) ENGINE = MergeTree ORDER BY id")
    client.command("INSERT INTO default.numbers SELECT number, toString(number) FROM numbers(10000)")
    login = f"{engines.clickhouse.user}:{quote(engines.clickhouse.password, safe='')}"
    dataset = ray.data.read_clickhouse(
        table="default.numbers",
        dsn=f"clickhouse+http://{login}@{LOOPBACK}:{engines.port + CLICKHOUSE_HTTP}/default",
        order_by=(["id"], False),
        override_num_blocks=4,
    )
    assert dataset.count() == 10_000
    assert dataset.sum("id") == sum(range(10_000))
