"""Traces, observations and sessions by the generated client, and their deletion."""

from datetime import UTC, datetime, timedelta
from typing import Any

import langfuse as sdk
import pytest
from generated import MAJOR
from reading import observations


def written(langfuse: Any, name: str, session: str = "") -> str:
    """A trace of one generation; its id."""
    if MAJOR == 2:
        trace = langfuse.trace(name=name, session_id=session or None, user_id="ada", tags=["a"], input=1, output=2)
        trace.generation(name=name, model="m0", input=1, output=2)
        trace_id = trace.id
    elif MAJOR == 3:
        with langfuse.start_as_current_observation(
            name=name, as_type="generation", model="m0", input=1, output=2
        ) as one:
            one.update_trace(name=name, session_id=session or None, user_id="ada", tags=["a"], input=1, output=2)
        trace_id = one.trace_id
    else:
        with (
            sdk.propagate_attributes(trace_name=name, session_id=session or None, user_id="ada", tags=["a"]),
            langfuse.start_as_current_observation(
                name=name, as_type="generation", model="m0", input=1, output=2
            ) as one,
        ):
            trace_id = one.trace_id
    langfuse.flush()
    return str(trace_id)


@pytest.mark.needs("trace.list")
def test_traces_are_read_and_selected(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    ids = {written(langfuse, name) for _ in range(3)}
    eventually(lambda: len(api("trace.list", name=name).data) == 3)

    page = api("trace.list", name=name, user_id="ada", tags=["a"], limit=2, order_by="timestamp.asc")

    assert (len(page.data), page.meta.total_items, page.meta.total_pages) == (2, 3, 2)
    rest = api("trace.list", name=name, user_id="ada", tags=["a"], limit=2, page=2, order_by="timestamp.asc")
    assert {each.id for each in page.data + rest.data} == ids
    assert api("trace.list", name=name, user_id="bob").data == []
    trace = api("trace.get", trace_id=page.data[0].id)
    assert (trace.name, trace.user_id, trace.tags, trace.input, trace.output) == (name, "ada", ["a"], 1, 2)
    (observation,) = trace.observations
    read = api("observations.get", observation_id=observation.id)
    assert (read.type, read.model, read.input, read.output) == ("GENERATION", "m0", 1, 2)
    assert [each.id for each in api("observations.get_many", trace_id=trace.id, type="GENERATION").data] == [read.id]


@pytest.mark.needs("observations_v_2.get_many")
def test_observations_of_the_newer_generation_are_read(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    trace_id = written(langfuse, name)

    (read,) = eventually(lambda: api("observations_v_2.get_many", trace_id=trace_id, fields="core,basic,io").data)

    value = read if isinstance(read, dict) else read.dict(by_alias=True)
    assert (value["name"], value["input"], value["output"]) == (name, "1", "2")


@pytest.mark.majors(5)
def test_observations_are_selected_and_walked(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    for number in range(5):
        langfuse.start_observation(name=name, input=number, version="even" if number % 2 == 0 else "odd").end()
    langfuse.flush()
    eventually(lambda: len(api("observations.get_many", name=name).data) == 5)

    even = api("observations.get_many", name=name, version="even", fields="core,io").data
    assert sorted(each.input for each in even) == ["0", "2", "4"]
    walked, cursor = [], None
    while True:
        page = api("observations.get_many", name=name, limit=2, cursor=cursor)
        walked += [each.id for each in page.data]
        cursor = page.meta.cursor
        if cursor is None:
            break
    assert len(set(walked)) == len(walked) == 5


@pytest.mark.needs("sessions.get")
def test_sessions_hold_their_traces(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    ids = {written(langfuse, name, session=name) for _ in range(2)}

    def session() -> Any:
        found = api("sessions.get", session_id=name)
        return found if len(found.traces) == 2 else None

    found = eventually(session)

    assert (found.id, {each.id for each in found.traces}) == (name, ids)
    an_hour = timedelta(hours=1)
    listed = api("sessions.list", from_timestamp=datetime.now(UTC) - an_hour, limit=100).data
    assert name in [each.id for each in listed]


def test_traces_are_deleted_one_by_one_and_together(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    one, *more = [written(langfuse, name) for _ in range(3)]
    for trace_id in (one, *more):
        assert eventually(lambda trace_id=trace_id: observations(api, trace_id, 1))

    assert api("trace.delete", trace_id=one).message
    assert api("trace.delete_multiple", trace_ids=more).message

    for trace_id in (one, *more):
        assert eventually(lambda trace_id=trace_id: not observations(api, trace_id, 1))
