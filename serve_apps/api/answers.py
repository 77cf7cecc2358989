"""JSON answers."""

from typing import Any

import orjson
from fastapi import Response

from heliograph.domain.filters import Page
from heliograph.domain.wire import Wire
from ingestion import values


def answer(body: Any, status: int = 200) -> Response:
    """The body as JSON."""
    try:
        content: bytes = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # What a client nested deeper than this encoder goes.
        content = values.to_json(body).encode()
    return Response(content, status, media_type="application/json")


def wire_answer(found: Wire, status: int = 200) -> Response:
    """A value that the client reads in the same shape; what is no number is null."""
    return Response(found.model_dump_json(), status, media_type="application/json")


def page_answer(data: list[dict[str, Any]], page: Page, total: int) -> Response:
    """One page of a list, and how many there are."""
    pages = -(-total // page.size)
    meta = {"page": page.number, "limit": page.size, "totalItems": total, "totalPages": pages}
    return answer({"data": data, "meta": meta})
