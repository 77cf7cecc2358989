"""Connections of one worker process, which carries out many parts of a pipeline."""

from typing import TYPE_CHECKING

from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.objects import connection as objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_OBJECT_STORES: dict[str, "S3Client"] = {}
_CLICKHOUSES: dict[tuple[str, str], DeferredClient] = {}


def object_store(settings: Settings) -> "S3Client":
    """The client of the object store."""
    if settings.s3_url not in _OBJECT_STORES:
        _OBJECT_STORES[settings.s3_url] = objects.connect(settings.s3, settings.s3_url)
    return _OBJECT_STORES[settings.s3_url]


def clickhouse(settings: Settings) -> DeferredClient:
    """The client of ClickHouse."""
    place = (settings.clickhouse_url, settings.clickhouse.database)
    if place not in _CLICKHOUSES:
        _CLICKHOUSES[place] = DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url))
    return _CLICKHOUSES[place]
