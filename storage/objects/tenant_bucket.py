"""Buckets of the owners of projects: written to with their credentials, and only where calls may go."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import boto3
from botocore.client import Config

from heliograph.domain.blob_storage import OpenedBlobStorageIntegration
from heliograph.outbound import Outbound

_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".gz": "application/gzip",
}
_URL_SECONDS = 3_600
_TIMEOUT_SECONDS = 1_800.0
_CHUNK = 1 << 20
# How stores of this protocol name what is wrong.
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,80})</Code>")


class TenantBucket:
    """One bucket.

    The request is signed here and sent by `Outbound`, which no address of the private network passes.
    """

    def __init__(self, opened: OpenedBlobStorageIntegration, outbound: Outbound) -> None:
        self._bucket = opened.integration.bucket
        self._outbound = outbound
        self._signer = boto3.client(
            "s3",
            endpoint_url=self._bucket.endpoint or None,
            region_name=self._bucket.region,
            aws_access_key_id=self._bucket.access_key_id,
            aws_secret_access_key=opened.secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if self._bucket.force_path_style else "virtual"},
                request_checksum_calculation="when_required",
            ),
        )

    async def put(self, name: str, content: Path, size: int) -> None:
        """Store a file of so many bytes below the prefix, in place of one of this name; raises CallFailed."""
        place = {"Bucket": self._bucket.name, "Key": self._bucket.prefix + name}
        url = self._signer.generate_presigned_url("put_object", Params=place, ExpiresIn=_URL_SECONDS)
        headers = {
            "content-length": str(size),
            "content-type": _TYPES.get(content.suffix, "application/octet-stream"),
        }
        await self._outbound.put(url, _read(content), headers, timeout=_TIMEOUT_SECONDS, code=_CODE)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
