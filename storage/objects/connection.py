"""The connection to the object store, with the ping that tells whether it serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.domain.errors import Unavailable
from heliograph.settings import S3Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RETRY_AFTER_SECONDS = 2.0
PING_KEY = "ping"


def connect(settings: S3Settings, url: str, *, timeout_seconds: float = 10) -> "S3Client":
    """A client without retries of its own: whoever writes the log decides what a failed call means."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=Config(
            signature_version="s3v4",
            connect_timeout=3,
            read_timeout=timeout_seconds,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            tcp_keepalive=True,
        ),
    )


def ping(client: "S3Client", bucket: str) -> None:
    """Write and read one small object; raises Unavailable when the store does not serve both."""
    try:
        client.put_object(Bucket=bucket, Key=PING_KEY, Body=b"ok")
        client.get_object(Bucket=bucket, Key=PING_KEY)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("The object store", RETRY_AFTER_SECONDS) from error


@contextmanager
def answering(service: str) -> Iterator[None]:
    """Name the service in Unavailable when the object store fails a call of the block."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(service, RETRY_AFTER_SECONDS) from error


def status_of(error: ClientError) -> int:
    """The HTTP status behind a client error."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
