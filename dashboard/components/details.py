"""What is shown of one trace and of one of its observations, as escaped HTML."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard.components import formats
from dashboard.components.payload import Style, facts, notice, payload, pretty, prose, section
from dashboard.queries.traces import Remark

Record = Mapping[str, Any]


def heading(title: str, numbers: Sequence[tuple[str, str]]) -> Markup:
    """A title, and below it names and values in a row; absent values are left out."""
    pairs = [Markup("<div><span>{}</span> <b>{}</b></div>").format(name, text) for name, text in numbers if text]
    return Markup('<h2>{}</h2><div class="facts-row">{}</div>').format(title, Markup("").join(pairs))


def session_heading(session_id: str, traces: Sequence[Record], total: int) -> Markup:
    """The session and the numbers of the traces that are shown, of `total`."""
    tokens, cost = sum(trace["total_tokens"] for trace in traces), sum(trace["total_cost"] for trace in traces)
    shown = formats.count(total) if total == len(traces) else f"first {len(traces)} of {formats.count(total)}"
    numbers = [
        ("Traces", shown),
        ("Began", f"{formats.moment(traces[0]['timestamp'])} UTC"),
        ("Tokens", formats.count(tokens)),
        ("Cost", formats.cost(cost)),
        ("Errors", formats.count(errors) if (errors := sum(trace["error_count"] for trace in traces)) else ""),
        ("User", ", ".join(sorted({trace["user_id"] for trace in traces} - {""}))),
        ("Environment", ", ".join(sorted({trace["environment"] for trace in traces}))),
    ]
    return heading(session_id, numbers)


def turn(trace: Record, href: str) -> Markup:
    """One trace of a session: what went in and what came out, and a link to the whole."""
    numbers = [
        f"{formats.moment(trace['timestamp'])} UTC",
        formats.duration(trace["latency_ms"]),
        f"{formats.count(trace['total_tokens'])} tokens",
        formats.cost(trace["total_cost"]),
    ]
    scores = [f"{name} {formats.number(value)}" for name, value in trace["score_values"].items()]
    scores += [f"{name} {label}" for name, label in trace["score_labels"].items()]
    chips = Markup("").join(Markup('<span class="chip">{}</span>').format(text) for text in scores)
    level = notice("This trace holds errors.") if trace["error_count"] else Markup("")
    return Markup(
        '<div class="turn"><div class="turn-head"><a href="{}">{}</a><span class="quiet">{}</span>{}</div>{}{}{}</div>'
    ).format(
        href, trace["name"] or trace["id"], " · ".join(numbers), chips, level,
        section("Input", payload(trace["input"], project_id=trace["project_id"])),
        section("Output", payload(trace["output"], project_id=trace["project_id"])),
    )  # fmt: skip


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
    return heading(trace["name"] or trace["id"], numbers)


def observation_content(observation: Record, style: Style = Style.FORMATTED) -> Markup:
    """Input and output, after the error if there was one."""
    return Markup("").join(
        [
            _title(observation),
            notice(observation["status_message"]) if observation["level"] == "ERROR" else Markup(""),
            section("Input", payload(observation["input"], style, observation["project_id"])),
            section("Output", payload(observation["output"], style, observation["project_id"])),
        ]
    )


def observation_facts(observation: Record, prompt_href: str = "") -> Markup:
    """Times, model, usage, cost and metadata; the prompt's version as a link, if it is told where."""
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
            _link("Open this version of the prompt", prompt_href) if version else Markup(""),
            section("Model parameters", _json(observation["model_parameters"])),
            section("Usage", facts(usage)),
            section("Cost", facts(costs)),
            section("Metadata", _metadata(observation)),
        ]
    )


def scores_content(scores: Sequence[Record]) -> Markup:
    """Every score with its value, source and comment."""
    if not scores:
        return Markup('<p class="absent">No scores.</p>')
    return Markup("").join(section(score["name"], facts(_facts_of(score))) for score in scores)


def remarks_content(remarks: Sequence[Remark]) -> Markup:
    """Every comment with its author and time."""
    if not remarks:
        return Markup('<p class="absent">No comments yet.</p>')
    return Markup("").join(
        Markup('<article class="remark"><h4>{} <span class="quiet">{} UTC</span></h4>{}</article>').format(
            remark.author or "API", formats.moment(remark.comment.created_at), prose(remark.comment.content)
        )
        for remark in remarks
    )


def score_value(score: Record) -> str:
    """The value as people gave it: its words, else its number."""
    return str(score["string_value"] or score["long_string_value"] or formats.number(score["value"]))


def _facts_of(score: Record) -> list[tuple[str, str]]:
    return [
        ("Value", score_value(score)),
        ("Source", score["source"].lower()),
        ("Comment", score["comment"]),
        ("Evaluator version", score["evaluator_version"][:12]),
        ("About", "the observation" if score["observation_id"] else "the trace"),
    ]


def _link(text: str, href: str) -> Markup:
    return Markup('<p><a href="{}">{}</a></p>').format(href, text) if href else Markup("")


def _title(observation: Record) -> Markup:
    return Markup('<h2>{}</h2><p class="quiet">{}</p>').format(
        observation["name"] or observation["id"], observation["type"].lower()
    )


def _json(text: str) -> Markup:
    if not text or text == "{}":
        return Markup("")
    return pretty(_parsed(text))


def _metadata(record: Record) -> Markup:
    metadata = {name: _parsed(value) for name, value in record["metadata"].items()}
    return pretty(metadata, record["project_id"]) if metadata else Markup("")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
