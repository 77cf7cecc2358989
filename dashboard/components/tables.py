"""Small tables that are read as a whole, as escaped HTML."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from dashboard.components import formats
from heliograph.domain.prompts import Prompt


def table(titles: Sequence[str], rows: Sequence[Sequence[str | Markup]], *, numbers: int) -> Markup:
    """Rows of texts, of which the last `numbers` columns stand at the right."""
    if not rows:
        return Markup('<p class="absent">None in this period.</p>')
    first = len(titles) - numbers
    head = Markup("").join(_cell(title, is_right=at >= first, is_head=True) for at, title in enumerate(titles))
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell(text, is_right=at >= first) for at, text in enumerate(row)))
        for row in rows
    )
    return Markup(
        '<div class="scroll"><table class="small"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, body)


def score_names(names: pa.Table) -> Markup:
    """The names of scores with their number and mean."""
    rows = [
        (
            row["name"],
            row["data_type"].lower(),
            ", ".join(source.lower() for source in row["sources"]),
            formats.count(row["n"]),
            formats.number(row["mean"]) if row["data_type"] in {"NUMERIC", "BOOLEAN"} else formats.ABSENT,
        )
        for row in names.to_pylist()
    ]
    return table(["Name", "Type", "Source", "n", "Mean"], rows, numbers=2)


def prompt_usage(versions: Sequence[Prompt], usage: Mapping[int, Mapping[str, Any]]) -> Markup:
    """What each version of a prompt cost and how fast it was."""
    rows = [_usage_row(prompt, usage[prompt.version]) for prompt in versions if prompt.version in usage]
    titles = ["Version", "Labels", "Last used (UTC)", "Observations", "Errors", "Input", "Output", "Cost", "p50", "p95"]
    return table(titles, rows, numbers=7)


def _usage_row(prompt: Prompt, used: Mapping[str, Any]) -> list[str]:
    return [
        f"v{prompt.version}",
        ", ".join(prompt.labels),
        formats.moment(used["last_at"]),
        formats.count(used["observations"]),
        formats.percent(used["errors"] / used["observations"]),
        formats.compact(used["input_tokens"]),
        formats.compact(used["output_tokens"]),
        formats.cost(used["cost"]),
        formats.duration(used["latency_p50_ms"]),
        formats.duration(used["latency_p95_ms"]),
    ]


def _cell(text: str | Markup, *, is_right: bool, is_head: bool = False) -> Markup:
    side = "right" if is_right else "left"
    form = '<th scope="col" class="{}">{}</th>' if is_head else '<td class="{}">{}</td>'
    return Markup(form).format(side, text)  # noqa: S704 - one of the two above
