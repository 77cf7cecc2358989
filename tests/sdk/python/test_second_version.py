"""What the client of the second version writes and reads, which no later one has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from generated import MAJOR
from langfuse.media import LangfuseMedia

if MAJOR == 2:
    from langfuse import decorators

pytestmark = pytest.mark.majors(2)


def written(langfuse: Any, name: str) -> Any:
    """A trace of every kind of observation."""
    trace = langfuse.trace(
        name=name, user_id="ada", session_id=f"s-{name}", tags=["a"], input={"q": 1}, metadata={"shop": "b"},
        version="v2", release="r1", public=True,
    )  # fmt: skip
    span = trace.span(name="span", input=1)
    generation = span.generation(name="generation", model="gpt-4o", usage={"input": 3, "output": 4}, input="why?")
    generation.update(model_parameters={"temperature": 0.5}, completion_start_time=datetime.now(UTC))
    generation.end(output="so", cost_details={"input": 1.0, "output": 2.0})
    span.event(name="event", level="WARNING", status_message="slow")
    span.update(metadata={"k": 1})
    span.end(output=2)
    trace.update(output={"a": 2})
    langfuse.span(trace_id=trace.id, name="beside", parent_observation_id=span.id)
    langfuse.generation(trace_id=trace.id, name="also")
    langfuse.event(trace_id=trace.id, name="alone")
    trace.score(name="whole", value=0.5, comment="half")
    generation.score(name="part", value="good")
    langfuse.score(trace_id=trace.id, observation_id=span.id, name="flag", value=1, data_type="BOOLEAN")
    langfuse.flush()
    return trace


@pytest.fixture
def trace(langfuse: Any, api: Any, name: str, eventually: Any) -> Any:
    made = written(langfuse, name)

    def whole() -> Any:
        found = api("trace.get", trace_id=made.id)
        return found if (len(found.observations), len(found.scores)) == (6, 3) else None

    assert eventually(whole)
    return made


def test_a_trace_is_read_as_it_was_written(langfuse: Any, trace: Any, name: str) -> None:
    found = langfuse.fetch_trace(trace.id).data

    assert (found.name, found.user_id, found.session_id, found.tags) == (name, "ada", f"s-{name}", ["a"])
    assert (found.input, found.output, found.metadata) == ({"q": 1}, {"a": 2}, {"shop": "b"})
    assert (found.version, found.release, found.public) == ("v2", "r1", True)
    by_name = {each.name: each for each in found.observations}
    span, generation, event = by_name["span"], by_name["generation"], by_name["event"]
    assert (span.type, span.input, span.output, span.metadata) == ("SPAN", 1, 2, {"k": 1})
    assert (generation.type, generation.model, generation.parent_observation_id) == ("GENERATION", "gpt-4o", span.id)
    # The SDK itself makes texts of parameters.
    assert (generation.input, generation.output, generation.model_parameters) == ("why?", "so", {"temperature": "0.5"})
    assert (generation.usage.input, generation.usage.output, generation.usage.total) == (3, 4, 7)
    assert generation.calculated_total_cost == 3.0
    assert (event.type, event.level, event.status_message) == ("EVENT", "WARNING", "slow")
    assert by_name["beside"].parent_observation_id == span.id
    scores = {each.name: each for each in found.scores}
    assert (scores["whole"].value, scores["whole"].comment) == (0.5, "half")
    assert (scores["part"].string_value, scores["part"].observation_id) == ("good", generation.id)
    assert (scores["flag"].data_type, scores["flag"].observation_id) == ("BOOLEAN", span.id)
    assert langfuse.get_trace(trace.id).name == name


def test_traces_are_listed_by_what_they_have(langfuse: Any, trace: Any, name: str) -> None:
    an_hour = datetime.now(UTC) - timedelta(hours=1)
    asked = {"name": name, "user_id": "ada", "session_id": f"s-{name}", "tags": ["a"], "from_timestamp": an_hour}

    for method in (langfuse.fetch_traces, langfuse.get_traces):
        found = method(**asked)
        assert ([each.id for each in found.data], found.meta.total_items) == ([trace.id], 1)
        assert method(**{**asked, "user_id": "bob"}).data == []


def test_observations_are_listed_and_read(langfuse: Any, trace: Any) -> None:
    for method in (langfuse.fetch_observations, langfuse.get_observations):
        (found,) = method(trace_id=trace.id, type="EVENT", name="event").data
        assert found.level == "WARNING"
    (generation,) = langfuse.get_generations(trace_id=trace.id, name="generation").data
    assert langfuse.fetch_observation(generation.id).data.output == "so"
    assert langfuse.get_observation(generation.id).model == "gpt-4o"


def test_sessions_are_listed(langfuse: Any, trace: Any, name: str) -> None:
    found = langfuse.fetch_sessions(from_timestamp=datetime.now(UTC) - timedelta(hours=1), limit=100).data

    assert f"s-{name}" in [each.id for each in found]


def test_a_file_in_a_trace_is_uploaded_and_resolved(langfuse: Any, name: str, eventually: Any) -> None:
    media = LangfuseMedia(content_bytes=name.encode(), content_type="text/plain")
    langfuse.trace(name=name, input={"file": media})
    langfuse.flush()

    found = eventually(lambda: langfuse.fetch_media(media._media_id).data)

    assert (found.content_type, found.content_length) == ("text/plain", len(name))
    token = f"@@@langfuseMedia:type=text/plain|id={media._media_id}|source=bytes@@@"
    resolved = langfuse.resolve_media_references(obj=[token], resolve_with="base64_data_uri")
    assert resolved[0].startswith("data:text/plain;base64,")


def test_a_traces_address_names_it(langfuse: Any, trace: Any) -> None:
    assert trace.get_trace_url().endswith(f"/trace/{trace.id}")
    langfuse.trace(id=trace.id)
    assert langfuse.get_trace_id() == trace.id
    assert langfuse.get_trace_url().endswith(f"/traces/{trace.id}")


def test_decorated_functions_nest(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    langfuse_context, observe = decorators.langfuse_context, decorators.observe

    @observe(as_type="generation")
    def asked(question: str) -> str:
        langfuse_context.update_current_observation(model="gpt-4o", usage={"input": 1, "output": 2})
        return question.upper()

    @observe(name=name)
    def outer(question: str) -> str:
        langfuse_context.update_current_trace(user_id="ada", tags=["a"])
        langfuse_context.score_current_trace(name=name, value=1)
        return asked(question)

    assert outer("why?") == "WHY?"
    langfuse_context.flush()

    def whole() -> Any:
        found = api("trace.list", name=name).data
        return found[0] if found and len(found[0].observations) >= 1 and found[0].scores else None

    found = api("trace.get", trace_id=eventually(whole).id)
    assert (found.user_id, found.tags, found.output) == ("ada", ["a"], "WHY?")
    (generation,) = [each for each in found.observations if each.name == "asked"]
    assert (generation.type, generation.model, generation.usage.total) == ("GENERATION", "gpt-4o", 3)
    # What an item observed before leaves its trace to the functions after it, by the SDK's doing.
    assert [each.value for each in found.scores if each.name == name] == [1.0]
