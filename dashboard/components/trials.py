"""What came of trying an evaluator, as escaped HTML."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from dashboard.components import formats
from dashboard.components.payload import prose
from dashboard.evaluator_trials import Tried
from evals.project_evaluators import GivenScore
from heliograph.domain.evaluation_jobs import Target
from heliograph.domain.evaluators import OutcomeStatus

Link = Callable[[str, str], str]


def results(tried: Sequence[Tried], asked: int, *, names: Callable[[Target], str], link: Link) -> Markup:
    """Each target with its verdict, and above them what all took.

    Args:
        tried: what has come so far.
        asked: how many were asked for.
        names: of the targets.
        link: the address of a trace and its observation.
    """
    return _totals(tried, asked) + Markup("").join(_result(each, names(each.target), link) for each in tried)


def _totals(tried: Sequence[Tried], asked: int) -> Markup:
    counts = {status: sum(each.status is status for each in tried) for status in OutcomeStatus}
    costs = [each.cost_usd for each in tried if each.trace_id or each.cost_usd]
    known = [cost for cost in costs if cost is not None]
    parts = [
        f"{len(tried)} of {asked} judged" if len(tried) < asked else f"{asked} judged",
        *(f"{count} {status}" for status, count in counts.items() if count),
        f"cost {formats.cost(sum(known))}" if known else "",
        "the cost of some is not known" if len(known) < len(costs) else "",
    ]
    return Markup('<p class="quiet" role="status">{}</p>').format(" · ".join(filter(None, parts)))


def _result(tried: Tried, name: str, link: Link) -> Markup:
    observation = tried.target.id if tried.target.is_whole else ""
    facts = [
        formats.duration(tried.latency_ms) if tried.latency_ms else "",
        formats.cost(tried.cost_usd) if tried.trace_id and tried.cost_usd is not None else "",
    ]
    trace = Markup('<a href="{}">what the judge was asked</a>').format(link(tried.trace_id, ""))
    head = Markup('<div class="turn-head">{}<a href="{}">{}</a><span class="quiet">{}</span>{}</div>').format(
        Markup("").join(map(_chip, tried.scores)) or Markup('<span class="chip">{}</span>').format(tried.status),
        link(tried.target.trace_id, observation),
        name,
        " · ".join(filter(None, facts)),
        Markup('<span class="quiet">{}</span>').format(trace) if tried.trace_id else "",
    )
    said = Markup("").join(prose(score.comment) for score in tried.scores if score.comment)
    why = Markup('<p class="{}">{}</p>').format(
        "notice" if tried.status is OutcomeStatus.FAILED else "quiet", tried.reason
    )
    return Markup('<article class="turn verdict {}">{}{}{}</article>').format(
        tried.status, head, said, why if tried.reason else ""
    )


def _chip(score: GivenScore) -> Markup:
    value = score.value
    text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else formats.number(value)
    return Markup('<span class="chip strong">{}{}</span>').format(f"{score.name}: " if score.name else "", text)
