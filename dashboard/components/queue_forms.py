"""The forms with which a queue is made or changed, and a score config for it."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from dashboard.components.fields import number
from dashboard.queries.annotation import Choices, WholeQueue
from heliograph.domain.score_configs import TRUTHS, Category, ScoreConfig
from heliograph.domain.scores import ScoreDataType

_WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (0, 0, 14, 0)}
_TYPES = {"Categories": "CATEGORICAL", "Yes or no": "BOOLEAN", "A number": "NUMERIC", "A text": "TEXT"}


class QueueForm:
    """Name, configs and people of a queue.

    Args:
        choices: what there is.
        whole: the queue that is changed; None for a new one.
        may_assign: whether people can be chosen.
    """

    def __init__(self, choices: Choices, whole: WholeQueue | None, *, may_assign: bool) -> None:
        queue = whole.queue if whole else None
        self.may_assign = may_assign
        self.name = pmui.TextInput(label="Name", value=queue.name if queue else "", **_WIDE)
        self.description = pmui.TextAreaInput(
            label="What annotators should know", value=(queue.description if queue else "") or "", rows=2, **_WIDE
        )
        known = {config.name: config.id for config in choices.configs}
        chosen = list(queue.score_config_ids) if queue else []
        self.configs = pmui.MultiChoice(
            label="Score configs, in the order in which they are asked", options=known,
            value=[config_id for config_id in chosen if config_id in known.values()], **_WIDE,
        )  # fmt: skip
        people = {member.user.name or member.user.email: member.user.id for member in choices.members}
        self.people = pmui.MultiChoice(
            label="Assigned to", options=people, value=list(whole.assigned) if whole else [], **_WIDE
        )
        label = "Save the queue" if whole else "Create the queue"
        self.save = pmui.Button(label=label, color="primary", variant="contained", margin=0)

    def view(self) -> pn.Column:
        """The form."""
        people = [self.people] if self.may_assign else []
        parts = [self.name, self.description, self.configs, *people, self.save]
        return pn.Column(*parts, sizing_mode="stretch_width", margin=0)

    def values(self) -> dict[str, Any]:
        """What was filled in, by the parameters of `AnnotationChanges.put_queue`."""
        return {
            "name": self.name.value_input,
            "description": self.description.value_input.strip(),
            "config_ids": list(self.configs.value),
        }

    def offer(self, config: ScoreConfig) -> None:
        """Offer a config that was just made, and choose it."""
        self.configs.options = {**self.configs.options, config.name: config.id}
        self.configs.value = [*self.configs.value, config.id]


class ConfigForm:
    """A score config that does not exist yet."""

    def __init__(self) -> None:
        self.said = panes.html()
        self.name = pmui.TextInput(label="Name of the score", placeholder="helpfulness", **_WIDE)
        self.type = pmui.Select(label="What is answered", options=_TYPES, value="CATEGORICAL", **_WIDE)
        self.categories = pmui.TextInput(
            label="Categories, separated by commas, the lowest first", placeholder="poor, fair, good", **_WIDE
        )
        self.low = pmui.TextInput(label="Smallest number", width=160, margin=(0, 14, 14, 0), visible=False)
        self.high = pmui.TextInput(label="Greatest number", width=160, margin=(0, 0, 14, 0), visible=False)
        self.create = pmui.Button(label="Create the score config", variant="outlined", margin=0)
        self.type.param.watch(self._follow, "value")

    def view(self) -> pmui.Accordion:
        """The form, folded."""
        bounds = pn.Row(self.low, self.high, margin=0)
        parts = [self.name, self.type, self.categories, bounds, self.said, self.create]
        return pmui.Accordion(
            ("New score config", pn.Column(*parts, sizing_mode="stretch_width", margin=0)),
            sizing_mode="stretch_width", margin=(22, 0, 0, 0), disable_gutters=True, elevation=0,
        )  # fmt: skip

    def config(self) -> ScoreConfig:
        """What was filled in; raises InvalidRequest."""
        kind = ScoreDataType(self.type.value)
        categories: tuple[Category, ...] = ()
        if kind is ScoreDataType.BOOLEAN:
            categories = TRUTHS
        elif kind is ScoreDataType.CATEGORICAL:
            labels = [label for part in self.categories.value_input.split(",") if (label := part.strip())]
            categories = tuple(Category(label, float(place)) for place, label in enumerate(labels))
        is_number = kind is ScoreDataType.NUMERIC
        return ScoreConfig(
            name=self.name.value_input.strip(), data_type=kind, categories=categories,
            min_value=_bound(self.low, "smallest number") if is_number else None,
            max_value=_bound(self.high, "greatest number") if is_number else None,
        )  # fmt: skip

    def clear(self) -> None:
        """Empty the form."""
        for box in (self.name, self.categories, self.low, self.high):
            box.param.update(value="", value_input="")
        self.said.object = str(panes.success("The score config is kept, and chosen for this queue."))

    def _follow(self, *_: object) -> None:
        self.categories.visible = self.type.value == "CATEGORICAL"
        self.low.visible = self.high.visible = self.type.value == "NUMERIC"


def _bound(box: pmui.TextInput, field: str) -> float | None:
    return number(box.value_input, field) if box.value_input.strip() else None
