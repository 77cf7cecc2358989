"""What client and server tell each other in one shape, in the contract's spelling."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A value that travels as JSON: camelCase there, snake_case here; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class Stored(Wire):
    """One that names what PostgreSQL keeps, whose texts hold neither NUL nor half a surrogate pair."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        text = json.dumps(given, ensure_ascii=False, default=str)
        if "\\u0000" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValueError("contains NUL or half a surrogate pair")
        return given
