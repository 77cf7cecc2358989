"""What is shown of one trace and of one of its observations, as escaped HTML."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard.components import formats
from dashboard.components.payload import facts, notice, payload, pretty, section

Record = Mapping[str, Any]


def trace_heading(trace: Record) -> Markup:
    """Name and numbers of the trace."""
    numbers = [
        ("Time", f"{formats.moment(trace['timestamp'])} UTC"),
        ("Latency", formats.duration(trace["latency_ms"])),
        ("Observations", formats.count(trace["observation_count"])),
        ("Tokens", formats.count(trace["total_tokens"])),
        ("Cost", formats.cost(trace["total_cost"])),
        ("Errors", formats.count(trace["error_count"]) if trace["error_count"] else ""),
        ("User", trace["user_id"]),
        ("Session", trace["session_id"]),
        ("Environment", trace["environment"]),
        ("Release", trace["release"]),
        ("Tags", ", ".join(trace["tags"])),
    ]
    pairs = [Markup("<div><span>{}</span> <b>{}</b></div>").format(name, text) for name, text in numbers if text]
    return Markup('<h2>{}</h2><div class="facts-row">{}</div>').format(
        trace["name"] or trace["id"], Markup("").join(pairs)
    )


def observation_content(observation: Record) -> Markup:
    """Input and output, after the error if there was one."""
    return Markup("").join(
        [
            _title(observation),
            notice(observation["status_message"]) if observation["level"] == "ERROR" else Markup(""),
            section("Input", payload(observation["input"])),
            section("Output", payload(observation["output"])),
        ]
    )


def observation_facts(observation: Record) -> Markup:
    """Times, model, usage, cost and metadata."""
    took = ""
    if observation["end_time"]:
        took = formats.duration((observation["end_time"] - observation["start_time"]).total_seconds() * 1000)
    first = ""
    if observation["completion_start_time"]:
        waited = observation["completion_start_time"] - observation["start_time"]
        first = formats.duration(waited.total_seconds() * 1000)
    version = f"{observation['prompt_name']} v{observation['prompt_version']}" if observation["prompt_name"] else ""
    general = [
        ("Start", f"{formats.moment(observation['start_time'])} UTC"),
        ("Duration", took),
        ("Time to first token", first),
        ("Level", observation["level"]),
        ("Status", observation["status_message"]),
        ("Model", observation["provided_model_name"]),
        ("Prompt", version),
        ("Version", observation["version"]),
        ("Environment", observation["environment"]),
        ("Release", observation["release"]),
        ("Id", observation["id"]),
    ]
    usage = [(name, formats.count(value)) for name, value in observation["usage_details"].items()]
    costs = [(name, formats.cost(value)) for name, value in observation["cost_details"].items()]
    return Markup("").join(
        [
            _title(observation),
            section("Details", facts(general)),
            section("Model parameters", _json(observation["model_parameters"])),
            section("Usage", facts(usage)),
            section("Cost", facts(costs)),
            section("Metadata", _metadata(observation["metadata"])),
        ]
    )


def scores_content(scores: Sequence[Record]) -> Markup:
    """Every score with its value, source and comment."""
    if not scores:
        return Markup('<p class="absent">No scores.</p>')
    return Markup("").join(
        section(
            score["name"], facts([("Value", _score(score)), ("Source", score["source"]), ("Comment", score["comment"])])
        )
        for score in scores
    )


def _title(observation: Record) -> Markup:
    return Markup('<h2>{}</h2><p class="quiet">{}</p>').format(
        observation["name"] or observation["id"], observation["type"].lower()
    )


def _score(score: Record) -> str:
    return str(score["string_value"] or score["long_string_value"] or f"{score['value']:g}")


def _json(text: str) -> Markup:
    if not text or text == "{}":
        return Markup("")
    return pretty(_parsed(text))


def _metadata(metadata: Mapping[str, str]) -> Markup:
    return pretty({name: _parsed(value) for name, value in metadata.items()}) if metadata else Markup("")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
