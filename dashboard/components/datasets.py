"""What is shown of one dataset, of an item and of runs, as escaped HTML."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from dashboard.components import details, formats
from dashboard.components.diffs import difference
from dashboard.components.payload import facts, payload, pretty, section
from dashboard.components.tables import table
from dashboard.queries.datasets import RunResult
from dashboard.state import OpenTrace
from heliograph.domain.datasets import Dataset, DatasetItem

MAX_PREVIEW = 160


def heading(dataset: Dataset) -> Markup:
    """The dataset and its facts."""
    numbers = [
        ("Description", dataset.description or ""),
        ("Created", f"{formats.moment(dataset.created_at)} UTC"),
        ("Metadata", preview(dataset.metadata)),
    ]
    return details.heading(dataset.name, numbers)


def preview(value: Any) -> str:
    """The start of a value on one line; '' for none."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text[: MAX_PREVIEW * 2].split())
    return text if len(text) <= MAX_PREVIEW else f"{text[: MAX_PREVIEW - 1]}…"


def item_content(versions: Sequence[DatasetItem], link: str, project_id: str) -> Markup:
    """The newest version of an item as it is, with the project's files, and below it what each version changed."""
    newest = versions[0]
    source = Markup("")
    if newest.source_trace_id:
        opened = OpenTrace(trace=newest.source_trace_id, observation=newest.source_observation_id or "")
        href = f"/trace{link}&{opened.write()}"
        source = Markup('<p><a href="{}">Open the trace that it comes from</a></p>').format(href)
    parts = [
        section("Item", facts([("Status", newest.status.lower()), ("Versions", formats.count(len(versions)))])),
        source,
        section("Input", _value(newest.input, project_id)),
        section("Expected output", _value(newest.expected_output, project_id)),
        section("Metadata", pretty(newest.metadata, project_id) if newest.metadata else Markup("")),
    ]
    changes = [
        section(f"Changed at {formats.moment(after.valid_from)} UTC", difference(_text(before), _text(after)))
        for after, before in pairwise(versions)
    ]
    return Markup("").join([*parts, *changes])


def runs_content(runs: Sequence[RunResult]) -> Markup:
    """The runs with the means of their scores and 95% intervals, the newest first."""
    names = sorted({name for result in runs for name in result.scores})
    titles = ["Run", "Description", "Began (UTC)", "Items", "Errors", "Latency", "Cost per item", *names]
    if not runs:
        return Markup('<p class="absent">No experiment has run on this dataset yet.</p>')
    return table(titles, [_run(result, names) for result in runs], numbers=4 + len(names))


def schemas_content(dataset: Dataset) -> Markup:
    """What the items are held to."""
    schemas = [("Input", dataset.input_schema), ("Expected output", dataset.expected_output_schema)]
    shown = [section(title, pretty(schema)) for title, schema in schemas if schema is not None]
    return Markup("").join(shown) or Markup('<p class="absent">The items are held to no schema.</p>')


def _run(result: RunResult, names: Sequence[str]) -> list[str]:
    scores = [
        formats.interval(scored["mean"], scored["deviation"], scored["n"]) if scored else formats.ABSENT
        for scored in (result.scores.get(name) for name in names)
    ]
    return [
        result.run.name,
        result.run.description or "",
        formats.moment(result.run.created_at),
        formats.count(result.items),
        formats.count(result.figures.get("errors")),
        formats.duration(result.figures.get("latency_ms")),
        formats.cost(result.figures.get("cost")),
        *scores,
    ]


def _value(value: Any, project_id: str) -> Markup:
    return payload("" if value is None else json.dumps(value, ensure_ascii=False), project_id=project_id)


def _text(item: DatasetItem) -> str:
    whole = {
        "status": item.status,
        "input": item.input,
        "expectedOutput": item.expected_output,
        "metadata": item.metadata,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)
