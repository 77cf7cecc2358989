"""Views of tables that people keep under a name."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_NAME, MAX_QUERY = 100, 20_000


class NewView(BaseModel):
    """What a table shows: the page that it is on, and the query of that page's address without its project."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    page: Annotated[str, Field(pattern=r"^/[a-z]+$")]
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    query: Annotated[str, Field(max_length=MAX_QUERY)]


class SavedView(NewView):
    """One that is kept."""

    id: str
    author_user_id: str | None = None
