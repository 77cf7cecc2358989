"""The forms in which evaluators of a project are written: a prompt for a judge, or code."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from dashboard.components.evaluators import named
from dashboard.components.fields import number
from dashboard.components.model_picker import ModelPicker
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.project_evaluators import (
    MAX_PROMPT,
    MAX_SOURCE_BYTES,
    BooleanOutput,
    CategoricalOutput,
    CategoricalScore,
    Definition,
    Described,
    EvaluatorType,
    ModelChoice,
    NumericOutput,
    NumericScore,
    Output,
    variables_of,
)
from heliograph.domain.validation import requested

_WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (0, 0, 14, 0)}
_SMALL: dict[str, Any] = {"size": "small", "margin": (0, 12, 14, 0)}
_WRAP = {"flex-wrap": "wrap"}
_KINDS = {"A number": "NUMERIC", "True or false": "BOOLEAN", "A category": "CATEGORICAL"}
_DEFAULT, _OWN = "default", "own"
_NUMBERS = {"temperature": "Temperature", "max_tokens": "Max tokens"}
START = Definition(
    type=EvaluatorType.LLM_AS_JUDGE,
    prompt="""\
Judge whether the answer does what was asked.

<input>
{{input}}
</input>

<output>
{{output}}
</output>""",
    output=NumericOutput(
        data_type="NUMERIC",
        reasoning=Described(description="At most four sentences that name the decisive evidence."),
        score=NumericScore(
            description="0: not at all, 0.5: in part, 1: in every respect.", min_value=0.0, max_value=1.0
        ),
    ),
)
START_CODE = Definition(
    type=EvaluatorType.CODE,
    source_code="""\
def evaluate(ctx):
    answer = ctx.observation.output or ""
    return Score(value=len(answer) < 400, comment=f"{len(answer)} characters")
""",
)


class EvaluatorForm(Protocol):
    """What is written down of an evaluator."""

    def view(self) -> pn.Column:
        """The form."""

    def definition(self) -> Definition:
        """What was written; raises InvalidRequest."""

    def variables(self) -> tuple[str, ...]:
        """The names that have to be filled for each target."""


class CodeForm:
    """A function in Python.

    Args:
        before: what it begins with.
    """

    def __init__(self, before: Definition) -> None:
        self.code = pmui.TextAreaInput(
            label="Code", value=before.source_code, rows=14, max_length=MAX_SOURCE_BYTES, **_WIDE,
            sx={"& textarea": {"fontFamily": "ui-monospace, Menlo, Consolas, monospace", "fontSize": "12.5px"}},
        )  # fmt: skip

    def view(self) -> pn.Column:
        """The form."""
        words = panes.html(
            '<p class="quiet">evaluate(ctx) is given ctx.observation.input, .output, .metadata and .tool_calls; of'
            " experiments ctx.experiment.item_expected_output, of traces ctx.trace. It returns a number, a truth value,"
            " a text, a Score, or an EvaluationResult of several. It has no files, no network and ten seconds.</p>"
        )
        return pn.Column(words, self.code, sizing_mode="stretch_width", margin=0)

    def definition(self) -> Definition:
        """What was written."""
        return Definition(type=EvaluatorType.CODE, source_code=self.code.value_input)

    def variables(self) -> tuple[str, ...]:
        """Code reads its target by itself."""
        return ()


class JudgeForm:
    """A prompt, what is to be answered, and who is asked.

    Args:
        before: what it begins with.
        offers: the models by provider.
        default: the model of the project for judges that name none.
        changed: is called when the variables may have changed.
    """

    def __init__(
        self,
        before: Definition,
        offers: Mapping[str, Sequence[str]],
        default: ModelChoice | None,
        *,
        changed: Callable[[], None],
    ) -> None:
        self.prompt = pmui.TextAreaInput(label="Prompt", value=before.prompt, rows=14, max_length=MAX_PROMPT, **_WIDE)
        self.prompt.param.watch(lambda *_: changed(), "value_input")
        self.answer = _AnswerForm(before.output)
        self.model = _ModelForm(before.model, offers, default)

    def view(self) -> pn.Column:
        """The form."""
        return pn.Column(self.prompt, self.answer.view(), self.model.view(), sizing_mode="stretch_width", margin=0)

    def definition(self) -> Definition:
        """What was written; raises InvalidRequest."""
        return Definition(
            type=EvaluatorType.LLM_AS_JUDGE, prompt=self.prompt.value_input, output=self.answer.output(),
            model=self.model.model(),
        )  # fmt: skip

    def variables(self) -> tuple[str, ...]:
        """The variables of the prompt."""
        return variables_of(self.prompt.value_input)


class _AnswerForm:
    """Of which kind the answer is, and what the judge is told of its parts."""

    def __init__(self, before: Output | None) -> None:
        assert before is not None
        self.kind = pmui.Select(label="The judge answers with", options=_KINDS, value=before.data_type, **_SMALL)
        score = before.score
        low, high = (getattr(score, name, None) for name in ("min_value", "max_value"))
        self.low = pmui.TextInput(label="Smallest", value=_text(low), width=110, **_SMALL)
        self.high = pmui.TextInput(label="Greatest", value=_text(high), width=110, **_SMALL)
        labels = ", ".join(score.categories) if isinstance(score, CategoricalScore) else ""
        self.labels = pmui.TextInput(
            label="Categories, separated by commas", value=labels, placeholder="wrong, partly right, right", width=380,
            **_SMALL,
        )  # fmt: skip
        several = isinstance(score, CategoricalScore) and score.should_allow_multiple_matches
        self.several = pmui.Checkbox(label="Several may hold", value=several, margin=(2, 0, 14, 0))
        self.score = pmui.TextInput(label="What the score means", value=score.description, **_WIDE)
        self.reasoning = pmui.TextInput(
            label="What the reasoning is to say", value=before.reasoning.description, **_WIDE
        )
        self.kind.param.watch(self._follow, "value")
        self._follow()

    def view(self) -> pn.Column:
        row = pn.Row(
            self.kind, self.low, self.high, self.labels, self.several, sizing_mode="stretch_width", margin=0,
            styles=_WRAP,
        )  # fmt: skip
        return pn.Column(row, self.score, self.reasoning, sizing_mode="stretch_width", margin=0)

    def output(self) -> Output:
        with requested("answer"):
            reasoning = Described(description=self.reasoning.value_input)
            told = self.score.value_input
            match self.kind.value:
                case "NUMERIC":
                    low, high = _bound(self.low), _bound(self.high)
                    score = NumericScore(description=told, min_value=low, max_value=high)
                    return NumericOutput(data_type="NUMERIC", reasoning=reasoning, score=score)
                case "BOOLEAN":
                    return BooleanOutput(data_type="BOOLEAN", reasoning=reasoning, score=Described(description=told))
                case _:
                    labels = tuple(label for part in self.labels.value_input.split(",") if (label := part.strip()))
                    if len(labels) < 2:
                        raise InvalidRequest("categories", "are two at least: separate them by commas")
                    chosen = CategoricalScore(
                        description=told, categories=labels, should_allow_multiple_matches=self.several.value
                    )
                    return CategoricalOutput(data_type="CATEGORICAL", reasoning=reasoning, score=chosen)

    def _follow(self, *_: object) -> None:
        self.low.visible = self.high.visible = self.kind.value == "NUMERIC"
        self.labels.visible = self.several.visible = self.kind.value == "CATEGORICAL"


class _ModelForm:
    """The project's default model, or one of the evaluator's own with parameters."""

    def __init__(
        self, before: ModelChoice | None, offers: Mapping[str, Sequence[str]], default: ModelChoice | None
    ) -> None:
        of_project = f"The project's default ({named(default)})" if default else "The project's default (none yet)"
        chosen = _OWN if before or (not default and offers) else _DEFAULT
        self.whose = pmui.Select(
            label="Model", options={of_project: _DEFAULT, "One of its own": _OWN}, value=chosen, width=380, **_SMALL
        )
        self.picker = ModelPicker(offers, label="Its model", width=380, margin=(0, 12, 14, 0))
        if before:
            self.picker.choose(before.model, before.provider)
        given = dict(before.model_params or {}) if before else {}
        self.rest = {name: value for name, value in given.items() if name not in _NUMBERS}
        self.numbers = {
            name: pmui.TextInput(label=label, value=_text(given.get(name)), width=130, **_SMALL)
            for name, label in _NUMBERS.items()
        }
        self.own = pn.Row(
            self.picker.box, *self.numbers.values(), sizing_mode="stretch_width", margin=0, styles=_WRAP
        )  # fmt: skip
        self.whose.param.watch(self._follow, "value")
        self._follow()

    def view(self) -> pn.Column:
        return pn.Column(self.whose, self.own, sizing_mode="stretch_width", margin=0)

    def model(self) -> ModelChoice | None:
        if self.whose.value == _DEFAULT:
            return None
        provider, model = self.picker.chosen()
        given = {name: box.value_input.strip() for name, box in self.numbers.items() if box.value_input.strip()}
        numbers = {name: number(text, _NUMBERS[name]) for name, text in given.items()}
        if "max_tokens" in numbers:
            numbers["max_tokens"] = int(numbers["max_tokens"])
        return ModelChoice(provider=provider, model=model, model_params={**self.rest, **numbers} or None)

    def _follow(self, *_: object) -> None:
        self.own.visible = self.whose.value == _OWN


def _bound(box: pmui.TextInput) -> float | None:
    return number(box.value_input, box.label) if box.value_input.strip() else None


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
