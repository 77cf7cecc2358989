"""An object read in ranges, so that a column or a row group costs what it weighs and not the whole object."""

import io
from typing import TYPE_CHECKING

from storage.objects.connection import answering

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Up to this size one request for everything is cheaper than several for parts.
_WHOLE_BYTES = 8 << 20


class RangedObject(io.RawIOBase):
    """A seekable view of an object of known size.

    Raises:
        Unavailable: from a read, when the store does not answer.
    """

    def __init__(self, client: "S3Client", bucket: str, key: str, *, size: int) -> None:
        super().__init__()
        self._client = client
        self._bucket = bucket
        self._key = key
        self._size = size
        self._at = 0
        self._whole = self._get() if size <= _WHOLE_BYTES else None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._size if size < 0 else min(self._at + size, self._size)
        if stop <= self._at:
            return b""
        data = self._get(stop) if self._whole is None else self._whole[self._at : stop]
        self._at += len(data)
        return data

    def _get(self, stop: int | None = None) -> bytes:
        ranged = {} if stop is None else {"Range": f"bytes={self._at}-{stop - 1}"}
        with answering("The archive"):
            return self._client.get_object(Bucket=self._bucket, Key=self._key, **ranged)["Body"].read()  # type: ignore[arg-type]
