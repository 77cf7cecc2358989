"""What notebooks show: tables of rows and trees of traces, every text of them escaped."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import pyarrow as pa

from heliograph.domain.evaluation_runs import COUNTED, RunProgress

_MAX_TEXT = 120
_MAX_PAYLOAD = 2_000
_MAX_OBSERVATIONS = 500
_CELL = "padding:2px 8px;text-align:left;white-space:nowrap"


def table(rows: pa.Table, *, caption: str, has_more: bool) -> str:
    """A few rows as a table."""
    head = "".join(f'<th style="{_CELL}">{_text(name)}</th>' for name in rows.column_names)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_text(value)}</td>' for value in row.values()) + "</tr>"
        for row in rows.to_pylist()
    )
    more = f"<p>The first {rows.num_rows} of them.</p>" if has_more else ""
    return f"<div><p><b>{_text(caption)}</b></p><table><tr>{head}</tr>{body}</table>{more}</div>"


def run(found: Mapping[str, Any], progress: RunProgress) -> str:
    """How far an evaluation run is."""
    share = progress.parts_done / progress.parts if progress.parts else 1.0
    bar = (
        '<div style="background:#8884;height:8px;width:320px;border-radius:4px">'
        f'<div style="background:#2a9d8f;height:8px;width:{round(320 * share)}px;border-radius:4px"></div></div>'
    )
    budget = "" if found["budget_usd"] is None else f" of ${found['budget_usd']:.2f}"
    figures = [
        str(found["state"]),
        f"{progress.report.rows:,} of {found['estimate']['rows']:,} rows",
        f"${progress.spent_usd:.4f}{budget}",
    ]
    cell = f'<td style="{_CELL}">'
    rows = "".join(
        f"<tr>{cell}{_text(name)}</td>" + "".join(f"{cell}{counted.get(what, 0):,}</td>" for what in COUNTED) + "</tr>"
        for name, counted in progress.report.counts.items()
    )
    head = "".join(f'<th style="{_CELL}">{name}</th>' for name in ("score", *COUNTED))
    why = f"<p>{_text(found['cause'])}: {_text(found['reason'], _MAX_PAYLOAD)}</p>" if found["cause"] else ""
    title = _text(found["name"] or f"Evaluation {found['id']}")
    return f"<div><p><b>{title}</b> {_joined(figures)}</p>{bar}{why}<table><tr>{head}</tr>{rows}</table></div>"


def trace(found: Mapping[str, Any]) -> str:
    """A trace as a tree of its observations, each to be opened for its input and output."""
    observations = found.get("observations") or []
    children: dict[str, list[Mapping[str, Any]]] = {}
    ids = {each["id"] for each in observations}
    for each in observations[:_MAX_OBSERVATIONS]:
        parent = each.get("parentObservationId")
        children.setdefault(parent if parent in ids else "", []).append(each)
    figures = [
        f"{len(observations):,} observations",
        *([f"{found['latency']:.2f} s"] if found.get("latency") is not None else []),
        *([f"${found['totalCost']:.6f}"] if found.get("totalCost") else []),
        *(f"{score['name']} {_value(score)}" for score in found.get("scores") or []),
    ]
    more = len(observations) - _MAX_OBSERVATIONS
    left = f"<p>and {more:,} more</p>" if more > 0 else ""
    return (
        f"<div><p><b>{_text(found.get('name') or found['id'])}</b> {_joined(figures)}</p>{_tree(children)}{left}</div>"
    )


def _tree(children: Mapping[str, list[Mapping[str, Any]]]) -> str:
    """Nested lists, made without recursion: traces may be deep."""
    parts, stack, shown = ["<ul>"], [iter(children.get("", []))], set()
    while stack:
        each = next(stack[-1], None)
        if each is None:
            stack.pop()
            parts.append("</ul></li>" if stack else "</ul>")
            continue
        if each["id"] in shown:
            continue
        shown.add(each["id"])
        parts.append(f"<li>{_observation(each)}<ul>")
        stack.append(iter(children.get(each["id"], [])))
    return "".join(parts)


def _observation(each: Mapping[str, Any]) -> str:
    figures = [
        str(each.get("type") or ""),
        *([str(each["model"])] if each.get("model") else []),
        *([f"{each['latency']:.2f} s"] if each.get("latency") is not None else []),
        *([f"${each['calculatedTotalCost']:.6f}"] if each.get("calculatedTotalCost") else []),
        *([str(each["level"])] if each.get("level") not in {None, "DEFAULT"} else []),
    ]
    payloads = "".join(
        f"<pre>{side}: {_text(each[side], _MAX_PAYLOAD)}</pre>" for side in ("input", "output") if each.get(side)
    )
    title = f"{_text(each.get('name') or each['id'])} {_joined(figures)}"
    return f"<details><summary>{title}</summary>{payloads}</details>" if payloads else title


def _value(score: Mapping[str, Any]) -> str:
    return str(score.get("stringValue") or score.get("value", ""))


def _joined(figures: Iterable[str]) -> str:
    return "<small>" + " · ".join(_text(figure) for figure in figures if figure) + "</small>"


def _text(value: Any, most: int = _MAX_TEXT) -> str:
    text = "" if value is None else str(value)
    return escape(text if len(text) <= most else text[:most] + "…")
