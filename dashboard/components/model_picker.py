"""The choice of a model among those that a project's connections offer."""

from collections.abc import Mapping, Sequence
from typing import Any

import panel_material_ui as pmui

from heliograph.domain.errors import InvalidRequest


class ModelPicker:
    """One box, in which a part of the name finds a model.

    Args:
        offers: the models by provider.
        label: what the box is called.
        look: its size and margins.
    """

    def __init__(self, offers: Mapping[str, Sequence[str]], *, label: str = "Model", **look: Any) -> None:
        self._choices = {
            f"{provider} / {model}": (provider, model) for provider, names in offers.items() for model in names
        }
        self.box = pmui.AutocompleteInput(
            label=label, options=list(self._choices), value=next(iter(self._choices), ""), restrict=True,
            min_characters=0, case_sensitive=False, search_strategy="includes", size="small", **look,
        )  # fmt: skip

    def choose(self, model: str, provider: str = "") -> None:
        """Choose the first offer of a model of this name, where there is one."""
        wanted = (
            label for label, (of, name) in self._choices.items() if name == model and provider in {"", of}
        )  # fmt: skip
        if found := next(wanted, None):
            self.box.value = found

    def chosen(self) -> tuple[str, str]:
        """Provider and model; raises InvalidRequest."""
        found = self._choices.get(self.box.value or "")
        if found is None:
            raise InvalidRequest("model", "choose one of the project's LLM connections")
        return found
