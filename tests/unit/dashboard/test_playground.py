"""What the playground begins with, and what fills its variables."""

import json

from dashboard.components.playground import of_observation
from dashboard.components.playground_trial import values_of
from heliograph.domain.prompts import compiled

MESSAGES = [{"role": "user", "content": "Hi"}]


def test_variables_and_placeholders_are_filled_and_unknown_ones_stay() -> None:
    body = [
        {"role": "system", "content": "Be {{ tone }}, {{other}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{facts}}"},
    ]
    values = {"tone": "kind", "history": MESSAGES, "facts": {"a": 1}}
    assert compiled(body, values) == [
        {"role": "system", "content": "Be kind, {{other}}."},
        *MESSAGES,
        {"role": "user", "content": '{"a": 1}'},
    ]


def test_a_text_is_what_the_user_says() -> None:
    assert compiled("Hello {{name}}", {"name": "Ada"}) == [{"role": "user", "content": "Hello Ada"}]


def test_a_value_is_put_in_as_it_is() -> None:
    assert compiled("{{a}} {{b}}", {"a": "{{b}}", "b": r"\1"}) == [{"role": "user", "content": r"{{b}} \1"}]


def test_a_generation_opens_with_its_messages_model_and_parameters() -> None:
    asked = {"messages": MESSAGES, "tools": [{"type": "function"}]}
    observation = {
        "input": json.dumps(asked), "model_parameters": '{"temperature": 0.2}', "provided_model_name": "gpt-4o",
    }  # fmt: skip
    messages, config = of_observation(observation)
    assert messages == MESSAGES
    assert config == {"temperature": 0.2, "model": "gpt-4o", "tools": asked["tools"]}


def test_an_input_that_is_no_conversation_is_what_the_user_says() -> None:
    observation = {"input": '{"question": 1}', "model_parameters": "", "provided_model_name": "m"}
    assert of_observation(observation)[0] == [{"role": "user", "content": '{"question": 1}'}]


def test_an_item_fills_the_variables_of_its_names_or_the_only_one() -> None:
    assert values_of({"a": 1, "b": 2}, ["a"]) == {"a": 1, "b": 2}
    assert values_of("text", ["question"]) == {"question": "text"}
    assert values_of("text", ["a", "b"]) == {}
