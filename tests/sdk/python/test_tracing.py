"""Traces as programs write them: by calls, context managers and decorators."""

import json
from datetime import UTC, datetime
from typing import Any

import langfuse as sdk
import pytest
from generated import MAJOR
from reading import model_of, observations, scores

OBSERVATIONS = pytest.mark.majors(3, 5)


@pytest.mark.sample
@OBSERVATIONS
def test_a_tree_is_read_as_it_was_written(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    with langfuse.start_as_current_observation(name=name, as_type="agent", input={"q": "why?"}) as root:
        root.update(
            output="so", metadata={"shop": "b", "tries": 3}, version="v7", level="WARNING", status_message="slow"
        )
        with langfuse.start_as_current_observation(name="answer", as_type="generation", model="gpt-4o") as generation:
            generation.update(
                input=[{"role": "user", "content": "why?"}], output="so", model_parameters={"temperature": 0.5},
                usage_details={"input": 10, "output": 5}, cost_details={"input": 0.01, "output": 0.02},
                completion_start_time=datetime.now(UTC),
            )  # fmt: skip
        langfuse.create_event(name="noticed", input=1)
    langfuse.flush()

    found = eventually(lambda: observations(api, root.trace_id, 3))

    top, answer, noticed = found[name], found["answer"], found["noticed"]
    assert (top.type, top.input, top.output) == ("AGENT", read_as({"q": "why?"}), read_as("so"))
    assert (top.level, top.status_message, top.version) == ("WARNING", "slow", "v7")
    assert (top.metadata["shop"], top.metadata["tries"], top.parent_observation_id) == ("b", 3, None)
    assert (answer.type, model_of(answer), answer.parent_observation_id) == ("GENERATION", "gpt-4o", root.id)
    assert answer.model_parameters == {"temperature": 0.5}
    assert answer.usage_details == {"input": 10, "output": 5, "total": 15}
    assert answer.cost_details == pytest.approx({"input": 0.01, "output": 0.02, "total": 0.03})
    assert (noticed.type, noticed.parent_observation_id) == ("EVENT", root.id)


@OBSERVATIONS
@pytest.mark.parametrize(
    "type_", ["span", "generation", "agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail"]
)
def test_every_type_keeps_its_name(langfuse: Any, api: Any, name: str, *, type_: str, eventually: Any) -> None:
    observation = langfuse.start_observation(name=name, as_type=type_, input=1)
    observation.end()
    langfuse.flush()

    found = eventually(lambda: observations(api, observation.trace_id, 1))

    assert found[name].type == type_.upper()


@OBSERVATIONS
def test_decorated_functions_nest_with_what_they_took_and_gave(
    langfuse: Any, api: Any, name: str, eventually: Any
) -> None:
    known: dict[str, str] = {}

    @sdk.observe(as_type="generation")
    def asked(question: str) -> str:
        langfuse.update_current_generation(model="gpt-4o", usage_details={"input": 1, "output": 2})
        known["observation"] = langfuse.get_current_observation_id()
        return question.upper()

    @sdk.observe(name=name)
    def outer(question: str) -> str:
        langfuse.update_current_span(metadata={"shop": "b"})
        known["trace"] = langfuse.get_current_trace_id()
        return asked(question)

    assert outer("why?") == "WHY?"
    langfuse.flush()

    found = eventually(lambda: observations(api, known["trace"], 2))
    assert (found[name].input, found[name].output) == (read_as({"args": ["why?"], "kwargs": {}}), read_as("WHY?"))
    assert found[name].metadata["shop"] == "b"
    assert (found["asked"].type, found["asked"].parent_observation_id) == ("GENERATION", found[name].id)
    assert found["asked"].id == known["observation"]
    assert found["asked"].usage_details == {"input": 1, "output": 2, "total": 3}


@OBSERVATIONS
def test_a_decorated_function_that_fails_is_an_error(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    known: dict[str, str] = {}

    @sdk.observe(name=name)
    def failing() -> None:
        known["trace"] = langfuse.get_current_trace_id()
        raise ValueError("no such shop")

    with pytest.raises(ValueError, match="no such shop"):
        failing()
    langfuse.flush()

    found = eventually(lambda: observations(api, known["trace"], 1))
    assert (found[name].level, found[name].status_message) == ("ERROR", "no such shop")


@pytest.mark.majors(5)
def test_a_trace_has_a_user_a_session_tags_and_an_address(
    langfuse: Any, api: Any, name: str, *, project_id: str, eventually: Any
) -> None:
    trace_id = langfuse.create_trace_id(seed=name)
    with (
        sdk.propagate_attributes(
            user_id="ada", session_id=f"s-{name}", tags=["b", "a"], trace_name="visit", metadata={"shop": "b"},
            version="v2",
        ),
        langfuse.start_as_current_observation(name=name, trace_context={"trace_id": trace_id}) as root,
    ):  # fmt: skip
        root.set_trace_as_public()
        langfuse.set_current_trace_as_public()
        root.create_event(name="noticed")
    langfuse.flush()

    found = eventually(lambda: observations(api, trace_id, 2))

    for each in found.values():
        assert (each.user_id, each.session_id, each.trace_name) == ("ada", f"s-{name}", "visit")
        assert (sorted(each.tags), each.version) == (["a", "b"], "v2")
    assert found[name].public
    assert langfuse.get_trace_url(trace_id=trace_id).endswith(f"/project/{project_id}/traces/{trace_id}")


@pytest.mark.majors(3)
def test_a_trace_of_the_third_version_is_updated(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    with langfuse.start_as_current_span(name=name, input=1) as root:
        root.update_trace(name="visit", user_id="ada", session_id=f"s-{name}", tags=["a"], public=True)
        langfuse.update_current_trace(input={"q": 1}, output={"a": 2}, metadata={"shop": "b"}, version="v2")
        with langfuse.start_as_current_generation(name="answer", model="gpt-4o"):
            langfuse.update_current_generation(usage_details={"input": 1})
        langfuse.start_span(name="span").end()
        langfuse.start_generation(name="generation").end()
        langfuse.create_event(name="event")
        trace_id = langfuse.get_current_trace_id()
        url = langfuse.get_trace_url(trace_id=trace_id)
    langfuse.flush()

    assert eventually(lambda: observations(api, trace_id, 5))
    trace = api("trace.get", trace_id=trace_id)
    assert (trace.name, trace.user_id, trace.session_id, trace.tags) == ("visit", "ada", f"s-{name}", ["a"])
    assert (trace.input, trace.output, trace.public, trace.version) == ({"q": 1}, {"a": 2}, True, "v2")
    assert trace.metadata["shop"] == "b"
    assert {each.name for each in trace.observations} == {name, "answer", "span", "generation", "event"}
    assert url.endswith(f"/traces/{trace_id}")


@OBSERVATIONS
def test_scores_are_given_to_what_runs(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    with langfuse.start_as_current_observation(name=name) as root:
        langfuse.score_current_span(name="span", value=0.5, comment="half")
        langfuse.score_current_trace(name="trace", value="good", data_type="CATEGORICAL")
        root.score(name="own", value=1, data_type="BOOLEAN")
        root.score_trace(name="whole", value=2)
    langfuse.create_score(
        name="later", value=3, trace_id=root.trace_id, observation_id=root.id, score_id=f"{name}-s", comment="told"
    )
    langfuse.flush()

    found = eventually(lambda: scores(api, root.trace_id, 5))

    assert {each: found[each].value for each in found} == {
        "span": 0.5,
        "trace": "good",
        "own": 1,
        "whole": 2,
        "later": 3,
    }
    assert {each for each in found if found[each].observation_id == root.id} == {"span", "own", "later"}
    assert (found["span"].comment, found["later"].id, found["later"].comment) == ("half", f"{name}-s", "told")


def test_the_keys_are_checked(langfuse: Any) -> None:
    assert langfuse.auth_check()


def read_as(value: Any) -> Any:
    """Payloads are texts to the newest version, as they were sent."""
    if MAJOR < 4:
        return value
    return value if isinstance(value, str) else json.dumps(value)
