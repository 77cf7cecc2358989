"""Contract 4.4: input and output, from every convention."""

import json
from typing import Any

import pytest

from tests.unit.ingestion.attributes.precedence import first_of
from tests.unit.ingestion.spans import event, row

SYSTEM = "gen_ai.system_instructions"
MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
PARTS = '[{"type":"text","content":"be"},{"type":"text","content":"kind"}]'
WHOLE = '[{"role":"system","parts":[{"type":"text","content":"be kind"}]}]'


def io(attributes: dict[str, Any], scope: str = "my.tracer", **fields: Any) -> tuple[str, str]:
    found = row(attributes, around={"scope": (scope, "1")}, **fields)
    return found["input"], found["output"]


# The steps of the contract: scope, keys of input, keys of output, each in its order.
STEPS = {
    "1 langfuse": ("", ("langfuse.observation.input",), ("langfuse.observation.output",)),
    "2 genkit": ("genkit-tracer", ("genkit:input",), ("genkit:output",)),
    "3 vercel": (
        "ai",
        ("ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "gen_ai.input.messages", "gen_ai.tool.call.arguments"),
        (
            "ai.result.text", "ai.toolCall.result", "ai.response.object", "ai.result.object",
            "ai.response.toolCalls", "ai.result.toolCalls", "gen_ai.output.messages", "gen_ai.tool.call.result",
        ),
    ),
    "4 flue": (
        "@flue/opentelemetry",
        ("flue.turn.input", "flue.tool.arguments", "flue.task.prompt", "flue.workflow.payload"),
        (
            "flue.turn.output", "flue.tool.result", "flue.task.result", "flue.operation.result",
            "flue.workflow.result",
        ),
    ),
    "8 google adk": (
        "",
        ("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args"),
        ("gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response"),
    ),
    "9 logfire": ("", ("prompt",), ("all_messages_events",)),
    "10 livekit": (
        "",
        ("lk.input_text", "lk.user_transcript", "lk.chat_ctx", "lk.user_input"),
        ("lk.function_tool.output", "lk.response.text"),
    ),
    "12 mlflow": ("", ("mlflow.spanInputs",), ("mlflow.spanOutputs",)),
    "13 traceloop": ("", ("traceloop.entity.input",), ("traceloop.entity.output",)),
    "14 openinference": ("", ("input.value",), ("output.value",)),
    "15 plain": ("", ("input",), ("output",)),
    "16 pydantic-ai": ("pydantic-ai", ("pydantic_ai.all_messages",), ("final_result",)),
    "17 tool": ("", ("tool_arguments",), ("tool_response",)),
    "18 gen_ai flat": ("", ("gen_ai.prompt",), ("gen_ai.completion",)),
    "18 llm flat": ("", ("llm.input_messages",), ("llm.output_messages",)),
    "19 messages": ("", ("gen_ai.input.messages",), ("gen_ai.output.messages",)),
    "19 tool call": ("", ("gen_ai.tool.call.arguments",), ("gen_ai.tool.call.result",)),
}  # fmt: skip


def cases(side: int) -> list[Any]:
    return [
        pytest.param(step[0], *case.values, id=f"{name}: {case.id}")
        for name, step in STEPS.items()
        for case in first_of(*step[side])
    ]


@pytest.mark.parametrize(("scope", "attributes", "expected"), cases(1))
def test_the_first_key_of_a_step_is_its_input(scope: str, attributes: dict[str, Any], expected: str) -> None:
    assert io(attributes, scope) == (expected, "")


@pytest.mark.parametrize(("scope", "attributes", "expected"), cases(2))
def test_the_first_key_of_a_step_is_its_output(scope: str, attributes: dict[str, Any], expected: str) -> None:
    assert io(attributes, scope) == ("", expected)


ANY_SCOPE = [step for step in STEPS.values() if not step[0]]


@pytest.mark.parametrize("place", range(len(ANY_SCOPE) - 1))
def test_a_step_that_has_either_side_wins_over_all_later_ones(place: int) -> None:
    later = {key: "later" for _, inputs, outputs in ANY_SCOPE[place + 1 :] for key in inputs + outputs}
    _, inputs, outputs = ANY_SCOPE[place]
    assert io(later | {inputs[0]: "first"}) == ("first", "")
    assert io(later | {outputs[0]: "first"}) == ("", "first")
    assert io(later | {inputs[0]: "", outputs[0]: ""}) == ("later", "later")


@pytest.mark.parametrize("name", ["3 vercel", "4 flue", "16 pydantic-ai"])
def test_a_step_of_one_scope_says_nothing_about_another(name: str) -> None:
    _, inputs, _ = STEPS[name]
    own = [key for key in inputs if not key.startswith("gen_ai.")]
    assert io(dict.fromkeys(own, "x")) == ("", "")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"genkit:input": '{"messages":[1]}', "genkit:output": '{"message":2}'}, ("[1]", "2")),
        ({"genkit:input": '{"other":[1]}', "genkit:output": '{"candidates":2}'}, ('{"other":[1]}', '{"candidates":2}')),
        ({"genkit:input": "text"}, ("text", "")),
    ],
)
def test_genkits_messages_are_taken_out(attributes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert io(attributes, "genkit-tracer") == expected


def test_vercels_text_wins_and_becomes_one_message_with_the_tool_calls_of_the_same_response() -> None:
    others = {key: "later" for key in STEPS["3 vercel"][2] if key != "ai.response.toolCalls"}
    assert io(others | {"ai.response.text": "t"}, "ai") == ("", "t")
    odd = {"role": "assistant", "content": "t", "tool_calls": "no json"}
    assert json.loads(io({"ai.response.text": "t", "ai.response.toolCalls": "no json"}, "ai")[1]) == odd
    found = row({"ai.response.text": "t", "ai.response.toolCalls": "[1]"}, around={"scope": ("ai", "")})
    assert json.loads(found["output"]) == {"role": "assistant", "content": "t", "tool_calls": [1]}


def test_vercels_missing_side_comes_from_the_conventions() -> None:
    attributes = {"ai.prompt": "a", "gen_ai.input.messages": "x", "gen_ai.output.messages": "b"}
    assert io(attributes, "ai") == ("a", "b")
    found = io({"ai.response.text": "b", "gen_ai.input.messages": MESSAGES, SYSTEM: PARTS}, "ai")
    assert json.loads(found[0])[0] == {"role": "system", "content": "be\nkind"}
    assert found[1] == "b"


@pytest.mark.parametrize("key", ["gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args"])
def test_google_adks_empty_object_is_nothing(key: str) -> None:
    assert io({"gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.tool_call_args": "a"}) == ("a", "")


OPERATION = "gen_ai.client.inference.operation.details"
USER, CHOICE = event("gen_ai.user.message", {"content": "hi"}), event("gen_ai.choice", {"index": 0, "text": "yes"})


def test_step_5_the_operations_event_has_the_keys_of_step_19() -> None:
    details = event(OPERATION, {"gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": "b", SYSTEM: WHOLE})
    input_, output = io({}, events=[USER, details])
    assert json.loads(input_) == [*json.loads(WHOLE), *json.loads(MESSAGES)]
    assert output == "b"
    called = event(OPERATION, {"gen_ai.tool.call.arguments": "a", "gen_ai.tool.call.result": "b"})
    assert io({"input.value": "later"}, events=[called]) == ("a", "b")


def test_step_6_message_events_are_a_list_and_a_single_choice_is_unwrapped() -> None:
    roles = ("system", "user", "assistant", "tool")
    input_, output = io({}, events=[*(event(f"gen_ai.{role}.message", {"content": "x"}) for role in roles), CHOICE])
    assert json.loads(input_) == [{"role": role, "content": "x"} for role in roles]
    assert json.loads(output) == {"index": 0, "text": "yes"}
    assert json.loads(io({}, events=[CHOICE, CHOICE])[1]) == [json.loads(output)] * 2
    assert io({"input.value": "later"}, events=[event(OPERATION, {}), USER])[0] == '[{"role":"user","content":"hi"}]'


def test_step_7_content_events_are_read_like_spans() -> None:
    prompt = event("gen_ai.content.prompt", {"gen_ai.prompt": MESSAGES})
    completion = event("gen_ai.content.completion", {"gen_ai.completion.0.content": "yes"})
    assert io({"input.value": "later"}, events=[prompt, completion]) == (MESSAGES, '[{"content":"yes"}]')
    unknown = event("gen_ai.content.prompt", {"of.our.own": "x"})
    assert io({}, events=[unknown]) == ('{"of.our.own":"x"}', "")


def test_other_events_are_no_messages() -> None:
    assert io({"input.value": "a"}, events=[event("exception", {"input.value": "b"})]) == ("a", "")


@pytest.mark.parametrize("is_text", [True, False])
def test_step_11_logfires_events_are_split_by_name(is_text: object) -> None:
    events: list[dict[str, Any]] = [{"event.name": "gen_ai.user.message", "content": "hi"}, {"content": "bare"}]
    choice = {"event.name": "gen_ai.choice", "message": "yes"}
    given = [*events, choice]
    input_, output = io({"events": json.dumps(given) if is_text else given})
    assert (json.loads(input_), json.loads(output)) == (events, choice)
    assert io({"events": "broken", "input.value": "a"}) == ("a", "")


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        (PARTS, [{"role": "system", "content": "be\nkind"}]),
        (WHOLE, json.loads(WHOLE)),
        (
            '[{"parts":[{"type":"text","content":"a"}]}]',
            [{"role": "system", "parts": [{"type": "text", "content": "a"}]}],
        ),
        ('[{"content":"a"},{"role":"system","parts":[{"content":"b"}]}]', [{"role": "system", "content": "a\nb"}]),
        ('"quoted"', [{"role": "system", "content": "quoted"}]),
        ("plain", [{"role": "system", "content": "plain"}]),
        ("[]", []),
        ("[42, true, null]", []),
        ("", []),
    ],
)
@pytest.mark.parametrize(
    ("scope", "key"), [("pydantic-ai", "pydantic_ai.all_messages"), ("my.tracer", "gen_ai.input.messages")]
)
def test_system_instructions_come_first(scope: str, key: str, instructions: str, expected: list[Any]) -> None:
    input_, _ = io({key: MESSAGES, SYSTEM: instructions}, scope)
    assert json.loads(input_) == [*expected, *json.loads(MESSAGES)]


def test_system_instructions_do_not_repeat_a_system_message() -> None:
    messages = '[{"role":"system","content":"be brief"}]'
    assert io({"gen_ai.input.messages": messages, SYSTEM: PARTS})[0] == messages


@pytest.mark.parametrize(
    ("input_prefix", "output_prefix"),
    [("gen_ai.prompt", "gen_ai.completion"), ("llm.input_messages", "llm.output_messages")],
)
def test_step_18_flat_keys_are_put_together_again(input_prefix: str, output_prefix: str) -> None:
    input_, output = io(
        {
            f"{input_prefix}.1.role": "assistant",
            f"{input_prefix}.0.role": "user",
            f"{input_prefix}.0.tools.10.name": "b",
            f"{input_prefix}.0.tools.9.name": "a",
            f"{output_prefix}.0.content": "hello",
            f"{output_prefix}.0.__proto__.x": "evil",
            f"{output_prefix}.constructor": "evil",
            f"{output_prefix}.0.prototype": "evil",
        }
    )
    assert json.loads(input_) == [{"role": "user", "tools": [{"name": "a"}, {"name": "b"}]}, {"role": "assistant"}]
    assert json.loads(output) == [{"content": "hello"}]


def test_step_18_has_bounds() -> None:
    many = {f"gen_ai.prompt.{number}.role": "user" for number in range(10_003)}
    assert len(json.loads(io(many)[0])) == 10_001
    digits = "9" * 5000
    assert json.loads(io({f"gen_ai.prompt.{digits}": "x"})[0]) == {digits: "x"}
    deep = "gen_ai.prompt." + ".".join("a" * 5000)
    assert io({deep: "x", "input": "kept"}) == ("kept", "")
    assert io({deep: "x", "gen_ai.prompt.0.role": "user"})[0] == '[{"role":"user"}]'


def test_values_that_are_no_text_are_json() -> None:
    assert io({"input": {"deep": [1, True]}, "output": b"\x00\xff"}) == ('{"deep":[1,true]}', "AP8=")
