"""What is shown of an annotation queue, as escaped HTML."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard.components import details, formats
from dashboard.components.tables import table
from dashboard.queries.agreement import Agreement
from dashboard.queries.annotation import WholeQueue
from dashboard.state import OpenQueue
from heliograph.domain.annotations import ItemStatus, QueueItem
from heliograph.domain.statistics import Estimate

NO_AGREEMENT = Markup(
    '<p class="absent">Agreement is told once two people have scored the same items: "Give a second opinion" leads to'
    " those that others have completed.</p>"
)
_READING = Markup(
    '<p class="quiet">1 is perfect agreement, 0 what chance would give. Items is how many have two opinions. Kappa is'
    " Cohen's, with its 95% interval, where two people scored by categories; alpha is Krippendorff's.</p>"
)


def heading(whole: WholeQueue) -> Markup:
    """Name and progress."""
    progress = whole.progress
    numbers = [
        ("Done", f"{formats.count(progress.completed)} of {formats.count(progress.total)}"),
        ("Scores", ", ".join(config.name for config in whole.configs)),
        ("Assigned", formats.count(len(whole.assigned)) if whole.assigned else ""),
    ]
    told = Markup('<p class="quiet">{}</p>').format(whole.queue.description) if whole.queue.description else Markup("")
    bar = Markup('<progress class="progress" aria-label="Completed" value="{}" max="{}"></progress>')
    return details.heading(whole.queue.name, numbers) + bar.format(progress.completed, max(progress.total, 1)) + told


def new_heading(*, may_change: bool) -> Markup:
    """Above the form of a new queue, or why there is none."""
    if may_change:
        return Markup('<h2>New annotation queue</h2><p class="quiet">Items are scored by the configs chosen here.</p>')
    return Markup(
        '<h2>New annotation queue</h2><p class="quiet">Your role may read queues: ask an admin of this project for one'
        " that may make them.</p>"
    )


def item_row(item: QueueItem, people: Mapping[str, str], link: str) -> dict[str, Any]:
    """The row of one item."""
    is_done = item.status is ItemStatus.COMPLETED
    by = item.annotator_user_id if is_done else item.locked_by_user_id
    return {
        "href": f"/labelling{link}&{OpenQueue(queue=item.queue_id, item=item.id).write()}",
        "object": item.object_id,
        "type": str(item.object_type).lower(),
        "status": ["completed" if is_done else "opened" if by else "waiting"],
        "by": people.get(by or "", ""),
        "completed_at": formats.moment(item.completed_at) if item.completed_at else "",
        "created_at": formats.moment(item.created_at),
    }


def agreement(agreed: Sequence[Agreement]) -> Markup:
    """How far the annotators agree, by config."""
    if not any(each.alpha.counts.n for each in agreed):
        return NO_AGREEMENT
    titles = ["Score", "Type", "People", "Items", "Alone", "Kappa", "Alpha"]
    return _READING + table(titles, [_agreement_row(each) for each in agreed], numbers=5)


def _agreement_row(each: Agreement) -> list[str]:
    return [
        each.config.name,
        each.config.data_type.lower(),
        formats.count(each.raters),
        formats.count(each.alpha.counts.n),
        formats.count(each.alpha.counts.skipped),
        _estimate(each.kappa) if each.kappa else formats.ABSENT,
        _estimate(each.alpha),
    ]


def _estimate(found: Estimate) -> str:
    if math.isnan(found.value):
        return formats.ABSENT
    interval = "" if math.isnan(found.low) else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{interval}"
