"""What the playground begins with and what it says."""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from dashboard.components import panes
from dashboard.components.playground_messages import Message
from heliograph.domain.prompts import Body, Prompt

NOT_ALLOWED = Markup(
    '<h2>Playground</h2><p class="quiet">Your role may not call models: ask an admin of this project for one that'
    " may.</p>"
)


def no_connection(link: str) -> Markup:
    """That no model can be asked yet, and what to do."""
    return Markup(
        '<h2>No model can be asked yet</h2><p class="quiet">The playground calls models with the keys of the'
        " project's LLM connections, on the server. Make one under"
        ' <a href="/settings{}">Settings</a>.</p>'
    ).format(link)


def saved(made: Prompt, href: str) -> Markup:
    """That a version was kept, and where it is."""
    text = Markup('Saved as version {} of <a href="{}">{}</a>.').format(made.version, href, made.name)
    return panes.success(text)


def messages_of(body: Body) -> list[Message]:
    """The messages of a prompt."""
    return [{"role": "user", "content": body}] if isinstance(body, str) else [dict(part) for part in body]


def of_observation(observation: Mapping[str, Any]) -> tuple[list[Message], dict[str, Any]]:
    """The messages and settings of a generation that was traced."""
    asked = _parsed(observation["input"])
    parameters = _parsed(observation["model_parameters"])
    config = dict(parameters) if isinstance(parameters, Mapping) else {}
    config["model"] = observation["provided_model_name"]
    if isinstance(asked, Mapping):
        config["tools"] = asked.get("tools") or config.get("tools")
        asked = asked.get("messages", [asked] if "role" in asked else asked)
    if isinstance(asked, list) and asked and all(isinstance(part, Mapping) and "role" in part for part in asked):
        return [dict(part) for part in asked], config
    text = asked if isinstance(asked, str) else json.dumps(asked, ensure_ascii=False)
    return [{"role": "user", "content": text}], config


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
