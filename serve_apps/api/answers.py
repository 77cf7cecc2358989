"""JSON answers, whose types name their shapes."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar, get_args

import orjson
from fastapi import Response
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from heliograph.domain.filters import Page
from heliograph.domain.wire import Wire
from ingestion import values
from serve_apps.api.shapes.lists import Entry, ListOf, PageMeta, PageOf

Shape = TypeVar("Shape")
Sent = TypeVar("Sent", bound=Wire)


class Answer(Response, Generic[Shape]):
    """A body as JSON. What a route is annotated with is the schema of its answer; the body is sent as it is."""

    media_type = "application/json"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """That of the shape."""
        (shape,) = get_args(source)
        return handler.generate_schema(shape)


def answer(body: Shape, status: int = 200) -> Answer[Shape]:
    """The body as JSON."""
    try:
        content: bytes = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # What a client nested deeper than this encoder goes.
        content = values.to_json(body).encode()
    return Answer(content, status)


def wire_answer(found: Sent, status: int = 200) -> Answer[Sent]:
    """A value that the client reads in the same shape; what is no number is null."""
    return Answer(found.model_dump_json(), status)


def wire_list_answer(found: Iterable[Sent], status: int = 200) -> Answer[ListOf[Sent]]:
    """A list of such values."""
    data = ",".join(each.model_dump_json() for each in found)
    return Answer(f'{{"data":[{data}]}}', status)


def page_answer(data: Sequence[Entry], page: Page, total: int) -> Answer[PageOf[Entry]]:
    """One page of a list, and how many there are."""
    return answer({"data": data, "meta": page_meta(page, total)})


def page_meta(page: Page, total: int) -> PageMeta:
    """Which page it is, and how many there are."""
    return {"page": page.number, "limit": page.size, "totalItems": total, "totalPages": -(-total // page.size)}
