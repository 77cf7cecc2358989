"""Judges of the catalogue as a project's own prompts."""

import pytest

from evals.catalogue import Entry, entries
from evals.templates import template
from heliograph.domain.project_evaluators import BooleanOutput, CategoricalOutput, NumericOutput

ENTRIES = {entry.name: entry for entry in entries()}


async def test_a_judge_becomes_a_prompt_with_its_inputs_and_parameters_as_variables() -> None:
    faithfulness, criteria = await template(ENTRIES["faithfulness"]), await template(ENTRIES["criteria_met"])
    assert faithfulness is not None
    assert criteria is not None
    assert set(faithfulness.variables) == {"input", "context", "output"}
    assert set(criteria.variables) == {"criteria", "input", "output", "expected"}
    assert isinstance(faithfulness.output, NumericOutput)
    assert (faithfulness.output.score.min_value, faithfulness.output.score.max_value) == (1, 5)


async def test_what_is_answered_keeps_its_kind() -> None:
    bias, tone = await template(ENTRIES["bias"]), await template(ENTRIES["tone"])
    assert bias is not None
    assert tone is not None
    assert isinstance(bias.output, BooleanOutput)
    assert isinstance(tone.output, CategoricalOutput)
    assert ENTRIES["tone"].values == ", ".join(tone.output.score.categories)


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES.values() if entry.kind != "judge"], ids=lambda each: each.name
)
async def test_what_asks_nobody_has_no_prompt(entry: Entry) -> None:
    assert await template(entry) is None


async def test_a_judge_of_whole_traces_has_no_prompt() -> None:
    assert await template(ENTRIES["trajectory_quality"]) is None


def test_an_entry_names_the_source_of_its_rubric() -> None:
    assert ENTRIES["faithfulness"].source.startswith("faithfulness of Es et al., RAGAS (2023)")
    assert ENTRIES["is_ascii"].source == ""
