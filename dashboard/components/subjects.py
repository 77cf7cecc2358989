"""What an annotator sees of an item, as escaped HTML."""

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from dashboard.components import details
from dashboard.components.payload import payload, section
from dashboard.queries.subjects import Subject

MISSING = Markup(
    '<h2>Nothing to show</h2><p class="quiet">What this item stands for has not arrived, or was deleted: skip it.</p>'
)


def content(subject: Subject | None, link: Callable[[Mapping[str, Any]], str], project_id: str) -> Markup:
    """Input and output with the project's files, or the turns of a session; `link` leads from a trace to its page."""
    if subject is None:
        return MISSING
    kind = str(subject.type).lower()
    if subject.turns:
        head = Markup('<h2>{}</h2><p class="quiet">{}</p>').format(subject.title, kind)
        return head + Markup("").join(details.turn(turn, link(turn)) for turn in subject.turns)
    href = link({"id": subject.target.trace_id, "observation": subject.target.observation_id})
    head = Markup('<h2>{}</h2><p class="quiet">{} · <a href="{}" target="_blank" rel="noopener">open its page</a></p>')
    return Markup("").join(
        [
            head.format(subject.title, kind, href),
            section("Input", payload(subject.input, project_id=project_id)),
            section("Output", payload(subject.output, project_id=project_id)),
        ]
    )
