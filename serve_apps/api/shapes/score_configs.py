"""Score configs as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.score_configs import TRUTHS, Category, ScoreConfig
from heliograph.domain.scores import ScoreDataType
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.values import Instant, JsonShape, iso

Bound = Annotated[float, Field(allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))


class CategoryBody(_Body):
    """A category: its label, and the number that stands for it."""

    label: Annotated[Text, Field(min_length=1)]
    value: Bound


class ScoreConfigBody(_Body):
    """A config to be created."""

    name: Text
    data_type: Literal["NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT"]
    categories: list[CategoryBody] | None = None
    min_value: Bound | None = None
    max_value: Bound | None = None
    description: Text | None = None

    @property
    def config(self) -> ScoreConfig:
        """The config that it declares; raises InvalidRequest."""
        categories = _categories(self.categories)
        if self.data_type == "BOOLEAN" and not categories:
            categories = TRUTHS
        return ScoreConfig(
            name=self.name,
            data_type=ScoreDataType(self.data_type),
            categories=categories,
            min_value=self.min_value,
            max_value=self.max_value,
            description=self.description,
        )


class ScoreConfigChanges(_Body):
    """What is to be changed: null takes a bound or a description away, and means nothing elsewhere."""

    is_archived: bool | None = None
    name: Text | None = None
    categories: list[CategoryBody] | None = None
    min_value: Bound | None = None
    max_value: Bound | None = None
    description: Text | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The new values by field; raises InvalidRequest when there are none."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("is_archived", "name", "categories"):
            if given.get(name, ...) is None:
                del given[name]
        if not given:
            raise InvalidRequest("body", "must hold at least one field to be changed")
        if "categories" in given:
            given["categories"] = _categories(given["categories"])
        return given


class CategoryShape(JsonShape):
    """A category: its label, and the number that stands for it."""

    label: str
    value: float


class ScoreConfigShape(JsonShape):
    """A score config; only numbers have bounds, only truth values and categories have categories."""

    id: str
    name: str
    createdAt: Instant
    updatedAt: Instant
    projectId: str
    dataType: ScoreDataType
    isArchived: bool
    minValue: float | None
    maxValue: float | None
    categories: Sequence[CategoryShape] | None
    description: str | None


def config_shape(config: ScoreConfig) -> ScoreConfigShape:
    """The contract's score config."""
    categories: list[CategoryShape] = [{"label": each.label, "value": each.value} for each in config.categories]
    return {
        "id": config.id,
        "name": config.name,
        "createdAt": iso(config.created_at),
        "updatedAt": iso(config.updated_at),
        "projectId": config.project_id,
        "dataType": config.data_type,
        "isArchived": config.is_archived,
        "minValue": config.min_value,
        "maxValue": config.max_value,
        "categories": categories or None,
        "description": config.description,
    }


def _categories(bodies: list[CategoryBody] | None) -> tuple[Category, ...]:
    return tuple(Category(body.label, body.value) for body in bodies or ())
