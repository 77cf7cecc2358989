"""Scores by the generated client, and the configs that they are held to."""

from typing import Any

import pytest


@pytest.mark.needs("scores.get_many")
def test_scores_of_every_type_are_read_back(api: Any, name: str, eventually: Any) -> None:
    values = {"NUMERIC": 0.5, "BOOLEAN": 1, "CATEGORICAL": "good", "TEXT": "a sentence"}
    for data_type, value in values.items():
        body = {"name": f"{name}-{data_type}", "value": value, "data_type": data_type, "trace_id": name}
        assert api("scores.create", id=f"{name}-{data_type}", comment="why", **body)

    read = eventually(lambda: all_of(api, name, len(values)))

    assert {score.data_type: score.value for score in read} == {**values, "BOOLEAN": True}
    numeric = next(score for score in read if score.data_type == "NUMERIC")
    assert (numeric.id, numeric.name, numeric.source) == (f"{name}-NUMERIC", f"{name}-NUMERIC", "API")
    assert (numeric.comment, numeric.environment, numeric.subject.kind, numeric.subject.id) == (
        "why", "default", "trace", name,
    )  # fmt: skip


@pytest.mark.needs("scores.get_many")
def test_scores_are_selected_and_walked(api: Any, name: str, eventually: Any) -> None:
    for number in range(5):
        api("scores.create", id=f"{name}-{number}", name=name, value=number / 10, data_type="NUMERIC", session_id=name)
    eventually(lambda: len(api("scores.get_many", name=name).data) == 5)

    above = api("scores.get_many", name=name, data_type="NUMERIC", value_min=0.2, fields="core,subject").data
    assert sorted(score.value for score in above) == [0.2, 0.3, 0.4]
    assert {(score.subject.kind, score.subject.id) for score in above} == {("session", name)}
    walked, cursor = [], None
    while True:
        page = api("scores.get_many", name=name, limit=2, cursor=cursor)
        walked += [score.id for score in page.data]
        cursor = page.meta.cursor
        if cursor is None:
            break
    assert sorted(walked) == [f"{name}-{number}" for number in range(5)]


def test_a_score_is_deleted(api: Any, name: str, eventually: Any) -> None:
    api("scores.create", id=name, name="gone", value=1, data_type="NUMERIC", trace_id=name)
    eventually(lambda: read(api, name, "gone"))

    api("scores.delete", score_id=name)

    eventually(lambda: not read(api, name, "gone"))
    assert not read(api, name, "gone")


@pytest.mark.needs("score_v_2.get")
def test_scores_of_the_third_version_are_read_one_by_one_and_listed(api: Any, name: str, eventually: Any) -> None:
    made = api(
        "scores.create", id=name, name=name, value="good", trace_id=f"t-{name}", comment="why", metadata={"k": 1}
    )
    assert made.id == name

    score = eventually(lambda: api("score_v_2.get_by_id", score_id=name))

    assert (score.id, score.name, score.string_value, score.data_type) == (name, name, "good", "CATEGORICAL")
    assert (score.trace_id, score.comment, score.source, score.metadata) == (f"t-{name}", "why", "API", {"k": 1})
    listed = api("score_v_2.get", name=name, data_type="CATEGORICAL")
    assert ([each.id for each in listed.data], listed.meta.total_items) == ([name], 1)


@pytest.mark.needs("score.get")
def test_scores_of_the_second_version_are_read_one_by_one_and_listed(api: Any, name: str, eventually: Any) -> None:
    api("scores.create", id=name, name=name, value=0.25, data_type="NUMERIC", trace_id=f"t-{name}", comment="why")

    score = eventually(lambda: api("score.get_by_id", score_id=name))

    assert (score.value, score.data_type, score.trace_id, score.comment) == (0.25, "NUMERIC", f"t-{name}", "why")
    listed = api("score.get", name=name, operator=">", value=0.2)
    assert [each.id for each in listed.data] == [name]
    assert api("score.get", name=name, operator="<", value=0.2).data == []


def test_configs_are_created_read_and_listed(api: Any, name: str) -> None:
    made = api(
        "score_configs.create", name=name, data_type="CATEGORICAL", description="how good",
        categories=[{"label": "good", "value": 1}, {"label": "bad", "value": 0}],
    )  # fmt: skip
    assert (made.name, made.data_type, made.is_archived, made.description) == (name, "CATEGORICAL", False, "how good")

    read = api("score_configs.get_by_id", config_id=made.id)
    assert [(each.label, each.value) for each in read.categories] == [("good", 1), ("bad", 0)]
    assert made.id in [each.id for each in api("score_configs.get", limit=100).data]


@pytest.mark.needs("score_configs.update")
def test_a_config_is_changed(api: Any, name: str) -> None:
    made = api("score_configs.create", name=name, data_type="NUMERIC", min_value=0, max_value=1)

    changed = api("score_configs.update", config_id=made.id, is_archived=True, max_value=2)

    assert (changed.is_archived, changed.min_value, changed.max_value) == (True, 0, 2)


@pytest.mark.majors(3)
def test_a_score_that_breaks_its_config_is_refused(api: Any, name: str) -> None:
    config = api("score_configs.create", name=name, data_type="NUMERIC", min_value=0, max_value=1)

    with pytest.raises(Exception, match="config"):
        api("scores.create", name=name, value=7, data_type="NUMERIC", trace_id=name, config_id=config.id)


@pytest.mark.majors(5)
def test_a_score_that_breaks_its_config_is_told_among_those_that_were_rejected(api: Any, name: str) -> None:
    config = api("score_configs.create", name=name, data_type="NUMERIC", min_value=0, max_value=1)

    told = api("scores.create", name=name, value=7, data_type="NUMERIC", trace_id=name, config_id=config.id)

    assert (told.accepted, told.rejected) == (0, 1)
    assert "at most 1, as the score config says" in told.errors[0].message


def all_of(api: Any, trace_id: str, count: int) -> list[Any]:
    """The scores of a trace, once so many are there."""
    found = api("scores.get_many", trace_id=trace_id, fields="core,details,subject,annotation").data
    return found if len(found) == count else []


def read(api: Any, trace_id: str, name: str) -> list[Any]:
    """The scores of a trace and a name, in each version's way."""
    if api.has("scores.get_many"):
        return api("scores.get_many", trace_id=trace_id, name=name).data
    if api.has("score_v_2.get"):
        return api("score_v_2.get", trace_id=trace_id, name=name).data
    return [each for each in api("score.get", name=name).data if each.trace_id == trace_id]
