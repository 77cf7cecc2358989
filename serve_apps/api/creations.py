"""Cursors of lists of the newest first: what is created meanwhile shifts nothing."""

import base64
from datetime import datetime
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Creation
from serve_apps.api.parameters import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Optional, Parameters
from serve_apps.api.shapes.lists import CursorMeta

_CREATION: TypeAdapter[Creation] = TypeAdapter(Creation)


class Walked(Parameters):
    """How many of a list, and from where on."""

    limit: Optional[Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)]] = None
    cursor: str = ""

    @property
    def size(self) -> int:
        """How many at most."""
        return self.limit or DEFAULT_PAGE_SIZE

    @property
    def after(self) -> Creation | None:
        """The last one of the page before; raises InvalidRequest."""
        if not self.cursor:
            return None
        try:
            found = _CREATION.validate_json(base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)))
        except (ValueError, ValidationError):
            raise InvalidRequest("cursor", "send the cursor of the previous answer, unchanged") from None
        if found.at.tzinfo is None:
            raise InvalidRequest("cursor", "send the cursor of the previous answer, unchanged")
        return found


def cursor_after(at: datetime, id_: str) -> CursorMeta:
    """The `meta` of a page that is not the last one, whose last thing this is."""
    text = base64.urlsafe_b64encode(_CREATION.dump_json(Creation(at, id_))).decode().rstrip("=")
    return {"cursor": text}
