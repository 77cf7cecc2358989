"""The form in which an annotator scores an item, with the keyboard alone if they like."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from dashboard.components import formats
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType

_HERE = Path(__file__).parent
Message = dict[str, Any]


class LabelForm(JSComponent):
    """The scores of one item; `on_message` is told each answer, and when the annotator wants another item.

    Messages have a `kind`: `answer` (config, value), `withdraw` (config), `comment` (text), `correction` (text,
    dataset), `complete`, `skip`, `next`, `previous`.
    """

    item = param.String(default="")
    fields = param.List(default=[], item_type=dict)
    answers = param.Dict(default={})
    correction = param.String(default="")
    datasets = param.List(default=[], item_type=str)
    is_corrigible = param.Boolean(default=False)

    _esm = (_HERE / "label_form.js").read_text("utf-8")
    _stylesheets: ClassVar[list[str]] = [(_HERE / "label_form.css").read_text("utf-8")]

    def __init__(self, *, on_message: Callable[[Message], Awaitable[None]], **params: Any) -> None:
        super().__init__(**params)
        self._on_message = on_message

    async def _handle_msg(self, data: Any) -> None:
        if isinstance(data, dict):
            await self._on_message(data)


def fields_of(configs: Sequence[ScoreConfig]) -> list[dict[str, Any]]:
    """The fields of the form, one for each config that people can answer."""
    return [
        {
            "id": config.id,
            "title": config.name,
            "type": config.data_type.value,
            "help": config.description or "",
            "hint": _hint(config),
            "categories": [category.label for category in config.categories],
            "min": config.min_value,
            "max": config.max_value,
        }
        for config in configs
        if config.data_type is not ScoreDataType.CORRECTION and not config.is_archived
    ]


def _hint(config: ScoreConfig) -> str:
    if config.data_type is not ScoreDataType.NUMERIC:
        return config.data_type.lower()
    low, high = config.min_value, config.max_value
    if low is None and high is None:
        return "a number"
    return f"{formats.number(low) if low is not None else '…'} to {formats.number(high) if high is not None else '…'}"
