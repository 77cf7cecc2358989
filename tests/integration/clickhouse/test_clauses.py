from datetime import timedelta

import pytest

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Page, conditions_from
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import Where
from storage.clickhouse.columns import OBSERVATION_COLUMNS, TRACE_COLUMNS
from storage.clickhouse.observations import Observations
from storage.clickhouse.traces import Traces
from tests.factories import NOON
from tests.integration.clickhouse.stored import Stored

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def observations(stored: Stored) -> Observations:
    stored.insert(
        "observations",
        stored.observation(
            "t1",
            "plain",
            name="plain",
            input="The Quick brown fox, 100% sure_thing",
            metadata=[
                ("mood", '"calm"'),
                ("count", "5"),
                ("flag", "true"),
                ("raw", "loose text"),
                ("nested", '{"a":1}'),
            ],
            tags=["x", "y"],
            user_id="ada",
        ),
        stored.observation(
            "t1",
            "model",
            parent_observation_id="plain",
            name="model call",
            type="GENERATION",
            start_time=LATER,
            end_time=LATER + timedelta(seconds=4),
            completion_start_time=LATER + timedelta(milliseconds=500),
            level="ERROR",
            output="needle in a HAYSTACK",
            provided_model_name="gpt-5",
            output_tokens=80,
            cost_details=[("input", 0), ("input_cached_tokens", 1), ("total", 1)],
            prompt_version=3,
        ),
        stored.observation(
            "t2", "child", parent_observation_id="elsewhere", is_app_root=True, start_time=LATER, end_time=None
        ),
    )
    return Observations(stored.clickhouse, stored.project_id)


async def found(observations: Observations, filter_json: str) -> set[str]:
    rows = await observations.newest(conditions_from(f"[{filter_json}]"), ["id"], limit=10)
    return set(rows["id"].to_pylist())


@pytest.mark.parametrize(
    ("filter_json", "expected"),
    [
        ('{"type":"string","column":"name","operator":"=","value":"plain"}', {"plain"}),
        ('{"type":"string","column":"name","operator":"contains","value":"call"}', {"model"}),
        ('{"type":"string","column":"name","operator":"does not contain","value":"call"}', {"plain", "child"}),
        ('{"type":"string","column":"name","operator":"starts with","value":"model"}', {"model"}),
        ('{"type":"string","column":"name","operator":"ends with","value":"call"}', {"model"}),
        ('{"type":"string","column":"name","operator":"contains","value":"%"}', set()),
        ('{"type":"stringOptions","column":"type","operator":"any of","value":["GENERATION","TOOL"]}', {"model"}),
        ('{"type":"stringOptions","column":"type","operator":"none of","value":["GENERATION"]}', {"plain", "child"}),
        ('{"type":"arrayOptions","column":"tags","operator":"any of","value":["x","z"]}', {"plain"}),
        ('{"type":"arrayOptions","column":"tags","operator":"all of","value":["x","y"]}', {"plain"}),
        ('{"type":"arrayOptions","column":"tags","operator":"all of","value":["x","z"]}', set()),
        ('{"type":"arrayOptions","column":"tags","operator":"none of","value":["x"]}', {"model", "child"}),
        ('{"type":"number","column":"latency","operator":">=","value":4}', {"model"}),
        ('{"type":"number","column":"timeToFirstToken","operator":"=","value":0.5}', {"model"}),
        ('{"type":"number","column":"tokensPerSecond","operator":">","value":19}', {"model"}),
        ('{"type":"number","column":"inputCost","operator":"=","value":1}', {"model"}),
        ('{"type":"number","column":"promptVersion","operator":"<=","value":3}', {"model"}),
        ('{"type":"datetime","column":"startTime","operator":"<","value":"2026-11-20T12:30:00Z"}', {"plain"}),
        (
            '{"type":"datetime","column":"startTime","operator":">=","value":"2026-11-20T14:00:00+01:00"}',
            {"model", "child"},
        ),
        ('{"type":"boolean","column":"isRootObservation","operator":"=","value":true}', {"plain", "child"}),
        ('{"type":"boolean","column":"isRootObservation","operator":"<>","value":true}', {"model"}),
        ('{"type":"null","column":"userId","operator":"is null","value":""}', {"model", "child"}),
        ('{"type":"null","column":"userId","operator":"is not null","value":""}', {"plain"}),
        ('{"type":"null","column":"endTime","operator":"is null","value":""}', {"child"}),
        ('{"type":"boolean","column":"hasParentObservation","operator":"=","value":false}', {"plain"}),
        ('{"type":"positionInTrace","column":"positionInTrace","key":"root","operator":"="}', {"plain", "child"}),
        ('{"type":"positionInTrace","column":"positionInTrace","key":"first"}', {"plain", "child"}),
        ('{"type":"positionInTrace","column":"positionInTrace","key":"last"}', {"model", "child"}),
        ('{"type":"positionInTrace","column":"positionInTrace","key":"nthFromStart","value":2}', {"model"}),
        ('{"type":"positionInTrace","column":"positionInTrace","key":"nthFromEnd","value":2}', {"plain"}),
        ('{"type":"stringObject","column":"metadata","key":"mood","operator":"=","value":"calm"}', {"plain"}),
        ('{"type":"stringObject","column":"metadata","key":"count","operator":"=","value":"5"}', {"plain"}),
        ('{"type":"stringObject","column":"metadata","key":"raw","operator":"starts with","value":"loose"}', {"plain"}),
        ('{"type":"stringObject","column":"metadata","key":"nested","operator":"contains","value":"a"}', {"plain"}),
        ('{"type":"stringObject","column":"metadata","key":"raw","operator":"matches","value":"Loose"}', set()),
        ('{"type":"stringObject","column":"metadata","key":"mood","operator":"is set","value":""}', {"plain"}),
        ('{"type":"stringObject","column":"metadata","key":"mood","operator":"is not set"}', {"model", "child"}),
        ('{"type":"numberObject","column":"metadata","key":"count","operator":">","value":4.5}', {"plain"}),
        ('{"type":"numberObject","column":"metadata","key":"mood","operator":">","value":0}', set()),
        ('{"type":"booleanObject","column":"metadata","key":"flag","operator":"=","value":true}', {"plain"}),
        ('{"type":"categoryOptions","column":"metadata","key":"mood","operator":"any of","value":["calm"]}', {"plain"}),
        (
            '{"type":"categoryOptions","column":"metadata","key":"mood","operator":"none of","value":["calm"]}',
            {"model", "child"},
        ),
    ],
)
async def test_each_kind_of_condition_finds_what_it_says(
    observations: Observations, filter_json: str, expected: set[str]
) -> None:
    assert await found(observations, filter_json) == expected


@pytest.mark.parametrize(
    ("column", "needle", "expected"),
    [
        ("input", "quick BROWN fox", {"plain"}),
        ("input", "100% sure_thing", {"plain"}),
        ("input", "fox quick", set()),
        ("input", "100_ sure", set()),
        ("input", "%", {"plain"}),
        ("output", "haystack", {"model"}),
        ("output", "absent", set()),
    ],
)
async def test_matches_is_literal_and_blind_to_case(
    observations: Observations, column: str, needle: str, expected: set[str]
) -> None:
    condition = f'{{"type":"string","column":"{column}","operator":"matches","value":"{needle}"}}'
    assert await found(observations, condition) == expected


async def test_a_superseded_row_is_never_found(stored: Stored) -> None:
    old = stored.observation("t", "o", input="the old needle", level="ERROR", session_id="before", user_id="old")
    stored.insert("observations", old)
    stored.insert("observations", stored.observation("t", "o", input="the new text", session_id="after", user_id="new"))
    reader = Observations(stored.clickhouse, stored.project_id)

    assert await found(reader, '{"type":"string","column":"input","operator":"matches","value":"old needle"}') == set()
    assert await found(reader, '{"type":"string","column":"level","operator":"=","value":"ERROR"}') == set()
    assert await found(reader, '{"type":"string","column":"sessionId","operator":"=","value":"before"}') == set()
    assert await found(reader, '{"type":"string","column":"userId","operator":"=","value":"new"}') == {"o"}


async def test_scores_of_a_trace_are_filtered_by_name(stored: Stored) -> None:
    stored.insert(
        "traces",
        stored.trace("good", score_values=[("quality", 0.9)], score_labels=[("tone", "warm")]),
        stored.trace("bad", score_values=[("quality", 0.1)]),
    )
    traces = Traces(stored.clickhouse, stored.project_id)
    above = '[{"type":"numberObject","column":"scores_avg","key":"quality","operator":">","value":0.5}]'
    warm = '[{"type":"categoryOptions","column":"score_categories","key":"tone","operator":"any of","value":["warm"]}]'
    assert await traces.count(conditions_from(above)) == 1
    assert await traces.count(conditions_from(warm)) == 1


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ('"column":"inputCost","operator":">","value":0.5', {"t1"}),
        ('"column":"outputCost","operator":">","value":0', set()),
        ('"column":"defaultCount","operator":"=","value":1', {"t1", "t2"}),
        ('"column":"debugCount","operator":">","value":0', set()),
    ],
)
@pytest.mark.usefixtures("observations")
async def test_traces_are_filtered_by_figures_of_their_observations(
    stored: Stored, comparison: str, expected: set[str]
) -> None:
    stored.insert("traces", stored.trace("t1"), stored.trace("t2"), stored.trace("t3"))
    conditions = conditions_from(f'[{{"type":"number",{comparison}}}]')
    rows = await Traces(stored.clickhouse, stored.project_id).search(conditions, Page())
    assert set(rows["id"].to_pylist()) == expected


@pytest.mark.parametrize(
    "filter_json",
    [
        '{"type":"positionInTrace","column":"name","key":"first"}',
        '{"type":"null","column":"positionInTrace","operator":"is null"}',
        '{"type":"string","column":"project_id","operator":"=","value":"x"}',
        '{"type":"string","column":"1 = 1 OR name","operator":"=","value":"x"}',
        '{"type":"number","column":"name","operator":"=","value":1}',
        '{"type":"string","column":"name","operator":"matches","value":"x"}',
        '{"type":"stringObject","column":"name","key":"x","operator":"=","value":"x"}',
    ],
)
def test_what_cannot_be_asked_of_a_column_is_refused(filter_json: str) -> None:
    with pytest.raises(InvalidRequest):
        Where.of(OBSERVATION_COLUMNS, conditions_from(f"[{filter_json}]"))


def test_values_never_become_part_of_the_statement() -> None:
    hostile = "x') OR 1=1 --"
    where = Where.of(
        TRACE_COLUMNS, conditions_from(f'[{{"type":"string","column":"name","operator":"=","value":"{hostile}"}}]')
    )
    assert hostile not in where.sql
    assert hostile in where.parameters.values()


async def test_moments_beyond_what_the_server_holds_are_clamped(stored: Stored) -> None:
    stored.insert("traces", stored.trace("t"))
    traces = Traces(stored.clickhouse, stored.project_id)
    everything = '[{"type":"datetime","column":"timestamp","operator":">=","value":"0001-01-01T00:00:00Z"}]'
    nothing = '[{"type":"datetime","column":"timestamp","operator":">=","value":"9999-12-31T23:59:59Z"}]'
    assert await traces.count(conditions_from(everything)) == 1
    assert await traces.count(conditions_from(nothing)) == 0


async def test_readers_see_their_own_project_only(stored: Stored) -> None:
    stored.insert("traces", stored.trace("t"))
    stranger = Traces(stored.clickhouse, ProjectId("another"))
    assert await stranger.count([]) == 0
