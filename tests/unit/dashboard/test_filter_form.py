import json
from collections.abc import Sequence

import pytest
from bokeh.document import Document

from dashboard.components.comparisons import Asked, asked_by_rules, asked_of, under_first_name
from dashboard.components.filter_form import FilterForm
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.filters import Condition, conditions_from, equals
from heliograph.domain.rule_filters import COLUMNS
from storage.clickhouse.clauses import Where
from storage.clickhouse.columns import LISTED_OBSERVATION_COLUMNS, TRACE_COLUMNS, Columns

WRITTEN = conditions_from(
    """[
    {"type": "string", "column": "name", "operator": "contains", "value": "chat"},
    {"type": "stringOptions", "column": "userId", "operator": "none of", "value": ["ada", "bob"]},
    {"type": "arrayOptions", "column": "tags", "operator": "all of", "value": ["vip"]},
    {"type": "datetime", "column": "timestamp", "operator": ">=", "value": "2026-01-31T12:00:00Z"},
    {"type": "number", "column": "latency", "operator": ">", "value": 1.5},
    {"type": "boolean", "column": "public", "operator": "=", "value": true},
    {"type": "null", "column": "sessionId", "operator": "is null"},
    {"type": "stringObject", "column": "metadata", "key": "tier", "operator": "=", "value": "gold"},
    {"type": "stringObject", "column": "metadata", "key": "tier", "operator": "is set", "value": ""},
    {"type": "numberObject", "column": "metadata", "key": "turns", "operator": "=", "value": 3},
    {"type": "numberObject", "column": "scores_avg", "key": "quality", "operator": "<", "value": 0.5},
    {"type": "categoryOptions", "column": "score_categories", "key": "tone", "operator": "any of", "value": ["rude"]}
    ]"""
)


class Known:
    """What has occurred, for every column the same."""

    async def values(self, column: str, /) -> Sequence[str]:
        """A column of texts."""
        return [f"{column} one", f"{column} two"]

    async def keys(self, column: str, /) -> Sequence[str]:
        """A column of maps."""
        return [f"key of {column}"]

    async def entries(self, column: str, key: str, /) -> Sequence[str]:
        """Under a key."""
        return [f"{key} of {column}"]


def _form(asked: dict[str, Asked], *conditions: Condition) -> FilterForm:
    return FilterForm(asked, conditions, Known())


@pytest.mark.parametrize("condition", WRITTEN, ids=lambda each: f"{each.column} {each.operator}")
async def test_every_condition_of_the_language_comes_out_of_the_form_as_it_went_in(condition: Condition) -> None:
    form = _form(asked_of(TRACE_COLUMNS), condition)
    await form.suggest()
    assert form.conditions() == (condition,)


@pytest.mark.parametrize("columns", [TRACE_COLUMNS, LISTED_OBSERVATION_COLUMNS])
def test_whatever_the_form_offers_can_be_asked_of_the_table(columns: Columns) -> None:
    for name, asked in asked_of(columns).items():
        for comparison in asked.comparisons.values():
            value = {"datetime": "2026-01-31", "boolean": "true", "booleanObject": "true"}.get(comparison.type, "1")
            parts = {"type": comparison.type, "column": name, "operator": comparison.operator, "key": "root"}
            several = comparison.type.endswith("Options")
            (condition,) = conditions_from(json.dumps([{**parts, "value": ["1"] if several else value}]))
            assert Where.of(columns, [condition]).sql


def test_a_column_of_several_names_is_offered_once_and_found_under_each() -> None:
    offered = asked_of(TRACE_COLUMNS)
    assert "name" in offered
    assert "traceName" not in offered
    assert under_first_name(equals("traceName", "chat"), TRACE_COLUMNS) == equals("name", "chat")
    with pytest.raises(InvalidRequest, match="nonsense"):
        under_first_name(equals("nonsense", "x"), TRACE_COLUMNS)


async def test_half_a_condition_is_refused_with_what_it_lacks() -> None:
    form = _form(asked_of(TRACE_COLUMNS))
    await form.add()
    with pytest.raises(InvalidRequest, match="name ="):
        form.conditions()


def test_rules_are_asked_what_their_target_knows() -> None:
    asked = asked_by_rules(COLUMNS[RuleTarget.OBSERVATION])
    assert list(asked["type"].comparisons) == ["any of", "none of"]
    assert "GENERATION" in asked["type"].values


async def test_what_was_filled_in_is_still_there_once_the_form_is_shown() -> None:
    form = _form(asked_of(TRACE_COLUMNS), *WRITTEN)
    form.view().get_root(Document())
    await form.suggest()
    assert form.conditions() == WRITTEN
