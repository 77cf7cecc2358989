"""The query parameters that routes share: pages, moments, choices of fields, filters and orders."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition, Order, Page
from heliograph.domain.wire import UNSTORABLE, is_storable

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 100
# Far beyond any list, and within what the server counts with.
_MAX_PAGE = 1 << 31

_NoneIfEmpty = BeforeValidator(lambda value: None if value == "" else value)


def storable(text: str) -> str:
    """Return text that PostgreSQL keeps and compares; raises ValueError for any other."""
    if not is_storable(text):
        raise ValueError(UNSTORABLE)
    return text


Text = Annotated[str, AfterValidator(storable)]
_Value = TypeVar("_Value")
# Empty is absent.
Optional = Annotated[_Value | None, _NoneIfEmpty]
Moment = Annotated[datetime | None, _NoneIfEmpty]
Truth = Annotated[bool | None, _NoneIfEmpty]


class Parameters(BaseModel):
    """The query parameters of a route, in the contract's spelling; unknown ones are ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))


class Paged(Parameters):
    """A page of a list; empty values are the defaults."""

    page: Annotated[Annotated[int, Field(ge=1, le=_MAX_PAGE)] | None, _NoneIfEmpty] = None
    limit: Annotated[Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] | None, _NoneIfEmpty] = None

    @property
    def asked_page(self) -> Page:
        """The page that was asked for."""
        return Page(self.page or 1, self.limit or DEFAULT_PAGE_SIZE)


def conditions_from(filter_json: str) -> tuple[Condition, ...]:
    """The conditions of a `filter` parameter; raises RequestValidationError or InvalidRequest."""
    require_short("filter", filter_json)
    try:
        return filters.conditions_from(filter_json) if filter_json else ()
    except ValidationError as error:
        raise RequestValidationError(issues(error, "filter")) from None


def require_short(name: str, text: str) -> None:
    """Refuse a text whose values the server could not take."""
    if len(text.encode(errors="surrogatepass")) > filters.MAX_BYTES:
        raise InvalidRequest(name, f"has more than {filters.MAX_BYTES} bytes: ask for less at once")


def issues(error: ValidationError, name: str) -> list[Any]:
    """What is wrong with the JSON of a parameter, each with its place below the parameter."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{**issue, "loc": ("query", name, *issue["loc"])} for issue in found]


def merged(simple: Iterable[Condition], advanced: Sequence[Condition]) -> list[Condition]:
    """All conditions; those of the filter parameter take the place of the simple ones on the same column."""
    taken = {condition.column for condition in advanced}
    return [condition for condition in simple if condition.column not in taken] + list(advanced)


def equalities(**texts: str) -> list[Condition]:
    """One equality for each column whose text is not empty."""
    return [filters.equals(column, text) for column, text in texts.items() if text]


def period(column: str, after: datetime | None, before: datetime | None) -> list[Condition]:
    """From `after`, inclusive, to `before`, exclusive."""
    bounds: list[Condition] = [filters.since(column, after)] if after else []
    return [*bounds, filters.before(column, before)] if before else bounds


def listed(text: str) -> list[str]:
    """The entries of a comma-separated list; empty ones are none."""
    return [entry for each in text.split(",") if (entry := each.strip())]


def memberships(**lists: str) -> list[Condition]:
    """For each column with a comma-separated list: it is one of its entries."""
    return [filters.one_of(column, entries) for column, text in lists.items() if (entries := listed(text))]


def choice(text: str, known: Iterable[str], default: Iterable[str]) -> frozenset[str]:
    """The names of a comma-separated list; unknown ones are ignored, and none at all means the default."""
    chosen = frozenset(name.strip() for name in text.split(",")) & frozenset(known)
    return chosen or frozenset(default)


def order_from(text: str, default: Order) -> Order:
    """The order of `column.asc` or `column.desc`."""
    if not text:
        return default
    column, dot, direction = text.rpartition(".")
    if not dot or direction.lower() not in {"asc", "desc"}:
        raise InvalidRequest("orderBy", "write a column, a dot and a direction, as in timestamp.desc")
    return Order(column, is_descending=direction.lower() == "desc")
