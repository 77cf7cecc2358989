"""Static files, compressed once for all browsers that take it: the dashboard's scripts have four megabytes."""

import gzip
from functools import lru_cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_TEXTS = {".js", ".css", ".svg", ".json", ".map"}
# Fewer bytes than this fit into one packet anyhow.
_LEAST_BYTES = 1_400
# All that pages load; what is compressed stays in memory.
_REMEMBERED = 64


class CompressedFiles(StaticFiles):
    """A folder of files. Fonts and pictures, which are compressed already, go out as they are."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, as the browser takes it."""
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or not _is_text(response):
            return response
        response.headers["Vary"] = "Accept-Encoding"
        if "gzip" not in Headers(scope=scope).get("accept-encoding", "") or scope["method"] != "GET":
            return response
        body = await run_in_threadpool(_compressed, str(response.path), response.headers["etag"])
        kept = {name: response.headers[name] for name in ("content-type", "last-modified", "etag", "vary")}
        return Response(body, response.status_code, {**kept, "Content-Encoding": "gzip"})


def _is_text(response: FileResponse) -> bool:
    return Path(response.path).suffix in _TEXTS and int(response.headers["content-length"]) >= _LEAST_BYTES


@lru_cache(_REMEMBERED)
def _compressed(path: str, etag: str) -> bytes:
    del etag  # another one means that the file is another one
    return gzip.compress(Path(path).read_bytes())
