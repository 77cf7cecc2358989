"""What is shown of evaluation runs, as escaped HTML."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from dashboard.components import details, formats, panes
from dashboard.components.payload import facts
from dashboard.components.tables import table
from dashboard.components.units import words
from dashboard.queries.evaluations import WatchedRun
from dashboard.state import OpenRun, OpenSession, OpenTrace
from heliograph.domain.evaluation_runs import (
    COUNTED,
    Estimate,
    EvaluationRun,
    EvaluatorSpec,
    Failure,
    RunMode,
    RunState,
    asked_where,
)
from heliograph.domain.filters import AllOf, AnyOf, Condition, Expression, NotOf

ENDED = (RunState.FINISHED, RunState.CANCELLED)
NONE_YET = Markup(
    '<h2>No evaluation runs yet</h2><p class="quiet">A run has evaluators judge any part of what is stored, on the'
    " cluster, with an estimate before it and a budget that holds. Choose what is to be judged and by what; it can be"
    " paused, resumed and retried.</p>"
)
# What to do about what blocks a run, as docs/evaluation-runs.md says it.
_ADVICE = {
    "LLM_CONNECTION_AUTH_INVALID": "Give the connection a key that is accepted, under Settings, and resume.",
    "LLM_CONNECTION_BILLING_EXHAUSTED": "Pay the provider, and resume.",
    "LLM_CONNECTION_ENDPOINT_UNREACHABLE": "Look at the connection's address, under Settings, and resume.",
    "EVAL_MODEL_UNAVAILABLE": "The provider has no such model, or not for this key: begin another run.",
}


def title(run: EvaluationRun) -> str:
    """Its name, or what its scores are called."""
    return run.asked.name or ", ".join(spec.score_name for spec in run.asked.evaluators)


def row(watched: WatchedRun, link: str) -> dict[str, Any]:
    """A run in the list."""
    run, progress = watched.run, watched.progress
    return {
        "href": f"/run{link}&{OpenRun(run=run.id).write()}",
        "name": title(run),
        "state": [str(run.state)],
        "done": formats.percent(share_done(watched)),
        "scored": formats.count(progress.report.count("scored")),
        "failed": formats.count(progress.report.count("failed")),
        "spent": formats.cost(progress.spent_usd),
        "budget": formats.cost(run.asked.budget_usd),
        "created_at": formats.moment(run.created_at),
    }


def share_done(watched: WatchedRun) -> float:
    """How much of a run is done, by what was counted of what was estimated."""
    if watched.run.state is RunState.FINISHED:
        return 1.0
    wanted = watched.run.estimate.evaluations
    counted = sum(watched.progress.report.count(what) for what in COUNTED)
    return min(1.0, counted / wanted) if wanted else 0.0


def heading(watched: WatchedRun) -> Markup:
    """Name and state, and what a person has to do where one has."""
    run = watched.run
    head = Markup('<h2>{} <span class="chip strong" role="status">{}</span></h2>').format(title(run), run.state)
    if run.state is RunState.BLOCKED:
        return head + panes.refusal(advised(run))
    return head


def advised(run: EvaluationRun) -> str:
    """Why a run is blocked, and what to do about it."""
    return f"{_plain(run.reason)} {_ADVICE.get(run.cause, '')}".strip()


def figures(watched: WatchedRun, now: datetime | None = None) -> Markup:
    """How far it is and what it has spent, as cards."""
    run, progress = watched.run, watched.progress
    budget, held = run.asked.budget_usd, progress.spent_usd + progress.reserved_usd
    share = share_done(watched)
    cards = [
        panes.figure_card("Done", formats.percent(share), _left(watched, share, now or datetime.now(UTC)), bar=share),
        *(
            panes.figure_card(what.capitalize(), formats.count(progress.report.count(what)), said)
            for what, said in (
                ("scored", "have a verdict"),
                ("skipped", "lack what is needed"),
                ("existing", "had a score before"),
                ("failed", "can be retried"),
            )
        ),
    ]
    if budget is not None:
        of = f"of {formats.cost(budget)}, {formats.cost(progress.reserved_usd)} reserved"
        cards.append(
            panes.figure_card("Spent", formats.cost(progress.spent_usd), of, bar=held / budget if budget else 1.0)
        )
    return Markup('<div class="cards">{}</div>').format(Markup("").join(cards))


def by_score(watched: WatchedRun) -> Markup:
    """What became of the targets, by score."""
    rows = [
        [name, *(formats.count(counts.get(what, 0)) for what in COUNTED)]
        for name, counts in watched.progress.report.counts.items()
    ]
    if not rows:
        return Markup('<p class="absent">Nothing is judged yet.</p>')
    return table(["Score", *(what.capitalize() for what in COUNTED)], rows, numbers=len(COUNTED))


def causes(found: Mapping[str, int]) -> Markup:
    """How often each cause was met."""
    rows = [[words(cause), formats.count(count)] for cause, count in sorted(found.items(), key=lambda one: -one[1])]
    return table(["Cause", "Failures"], rows, numbers=1) if rows else Markup('<p class="absent">Nothing failed.</p>')


def failure_row(failure: Failure, link: str) -> dict[str, Any]:
    """One target that has no verdict."""
    opened = OpenTrace(trace=failure.trace_id, observation=failure.observation_id).write()
    # Of a session there is no trace: its id stands for the observation's.
    href = f"/trace{link}&{opened}"
    if not failure.trace_id:
        href = f"/session{link}&{OpenSession(session=failure.observation_id).write()}"
    return {
        "href": href,
        "target": failure.observation_id or failure.trace_id,
        "evaluator": failure.evaluator,
        "cause": words(failure.cause),
        "reason": _plain(failure.reason),
    }


def asked(run: EvaluationRun) -> Markup:
    """What was asked for."""
    selection, wanted = run.asked.selection, run.asked
    since = formats.moment(selection.since) if selection.since else "the beginning"
    return facts(
        [
            ("What", f"{wanted.table} from {since} to {formats.moment(selection.until)} UTC"),
            ("Where", _where(asked_where(selection))),
            ("Sample", formats.percent(selection.sample or 1.0)),
            ("Evaluators", "; ".join(map(_evaluator, wanted.evaluators))),
            ("Judges are asked", "by batches of their provider" if wanted.mode is RunMode.BATCH else ""),
            ("Targets with a score", "are judged again" if wanted.on_existing == "replace" else "keep it"),
            ("Begun", f"{formats.moment(run.started_at)} UTC" if run.started_at else ""),
            ("Ended", f"{formats.moment(run.finished_at)} UTC" if run.finished_at else ""),
        ]
    )


def estimate(found: Estimate) -> Markup:
    """What a run is expected to take."""
    if not found.rows:
        return Markup('<p class="quiet">Nothing that is stored matches: choose a longer period, or another filter.</p>')
    numbers = [
        ("Targets", formats.count(found.rows)),
        ("Evaluations", formats.count(found.evaluations)),
        ("Judge calls", formats.count(found.judge_calls)),
        ("Tokens", formats.compact(found.input_tokens + found.output_tokens) if found.judge_calls else ""),
        ("Cost", f"{formats.cost(found.usd_low)} to {formats.cost(found.usd_high)}" if found.judge_calls else "$0"),
        ("Time", f"about {formats.duration(found.minutes * 60_000)}"),
    ]
    return details.heading("Estimate", numbers)


def estimate_against(found: Estimate, budget: float | None) -> Markup:
    """The estimate, and whether the budget may end the run early."""
    told = estimate(found)
    if budget is not None and found.usd_high > budget:
        words_ = "may end the run before everything is judged" if found.usd_low <= budget else "ends the run early"
        told += Markup('<p class="quiet">The budget of {} {}.</p>').format(formats.cost(budget), words_)
    return told


def _plain(reason: str) -> str:
    """A reason without the name of the error that it may begin with."""
    name, _, rest = reason.partition(": ")
    return rest if name.isidentifier() and rest else reason


def _left(watched: WatchedRun, share: float, now: datetime) -> str:
    run = watched.run
    if run.state is not RunState.RUNNING or run.started_at is None or not 0 < share < 1:
        return f"of {formats.count(run.estimate.evaluations)} evaluations"
    passed = (now - run.started_at).total_seconds()
    return f"about {formats.duration(passed * (1 - share) / share * 1000)} left"


def asked_of_filter(conditions: Sequence[Condition]) -> str:
    """Conditions that must all hold, in words; '' where there are none."""
    return _where(AllOf(conditions=tuple(conditions))) if conditions else ""


def _where(where: Expression | None) -> str:
    match where:
        case None:
            return ""
        case AllOf() | AnyOf():
            joined = " and " if where.type == "and" else " or "
            return joined.join(_where(each) for each in where.conditions)
        case NotOf():
            return f"not ({_where(where.condition)})"
        case _:
            key = f" {where.key}" if hasattr(where, "key") else ""
            return f"{words(where.column)}{key} {where.operator} {_value(getattr(where, 'value', ''))}".strip()


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _evaluator(spec: EvaluatorSpec) -> str:
    more = [f"{name} = {value}" for name, value in spec.parameters.items()]
    by = [f"by {spec.judge.provider} / {spec.judge.model}"] if spec.judge else []
    return f"{spec.score_name} ({', '.join([*by, *more])})" if by or more else spec.score_name
