"""What is shown of evaluation rules, as escaped HTML."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from dashboard.components import formats, panes, runs
from dashboard.components.payload import facts
from dashboard.queries.evaluations import WatchedRun
from dashboard.queries.rules import CountedRule
from dashboard.state import OpenRule, OpenRun, OpenSession, OpenTrace
from heliograph.domain.evaluation_jobs import Execution, JobState
from heliograph.domain.evaluation_rules import EvaluationRule, RuleTarget, TimeScope

NONE_YET = Markup(
    '<h2>No evaluation rules yet</h2><p class="quiet">A rule has evaluators of this project judge what arrives: which'
    " of it by conditions, how much of it by a sample. Make an evaluator first, then say here what it judges.</p>"
)
_WAITING = (JobState.PENDING, JobState.RUNNING)


def no_evaluators(link: str) -> Markup:
    """That there is nothing that could judge yet, and what to do."""
    return Markup(
        '<h2>New evaluation rule</h2><p class="quiet">Rules are carried out by evaluators of this project, and it has'
        ' none yet: <a href="/evaluators{}">make one, or take one of the catalogue</a>.</p>'
    ).format(link)


def status(rule: EvaluationRule) -> str:
    """What it does, with the reason where it is paused."""
    return f"paused: {_reason(rule)}" if rule.status == "paused" else rule.status


def row(counted: CountedRule, link: str) -> dict[str, Any]:
    """A rule in the list."""
    rule, tally = counted.rule, counted.tally
    return {
        "href": f"/rule{link}&{OpenRule(rule=rule.id).write()}",
        "name": rule.name,
        "state": [status(rule)],
        "target": str(rule.target),
        "evaluators": [one.name for one in rule.assignments],
        "sample": formats.percent(rule.sampling),
        "matched": formats.count(sum(tally.values())),
        "judged": formats.count(tally.get(JobState.COMPLETED, 0)),
        "failed": formats.count(tally.get(JobState.ERROR, 0)),
    }


def heading(rule: EvaluationRule) -> Markup:
    """Name and status, and why it is paused where it is."""
    head = Markup('<h2>{} <span class="chip strong" role="status">{}</span></h2>').format(rule.name, rule.status)
    if rule.block and rule.status == "paused":
        told = f"{rule.block.message} Remove the cause, and resume."
        return head + panes.refusal(f"Paused since {formats.moment(rule.block.at)} UTC ({_reason(rule)}): {told}")
    return head


def figures(tally: Mapping[JobState, int], backfill: WatchedRun | None, link: str) -> Markup:
    """How much of what was matched is in which state, and how far the run over what was stored before is."""
    counts = [
        ("Matched", sum(tally.values()), "once for each evaluator"),
        ("Waiting", sum(tally.get(state, 0) for state in _WAITING), "to be judged"),
        ("Judged", tally.get(JobState.COMPLETED, 0), "have a score"),
        ("Skipped", tally.get(JobState.SKIPPED, 0), "lack what is needed"),
        ("Failed", tally.get(JobState.ERROR, 0), "can be retried"),
    ]
    shown = [panes.figure_card(name, formats.count(count), said) for name, count, said in counts]
    if backfill is not None:
        share = runs.share_done(backfill)
        href = f"/run{link}&{OpenRun(run=backfill.run.id).write()}"
        told = Markup('<a href="{}">the run is {}</a>').format(href, backfill.run.state.lower())
        shown.append(panes.figure_card("Stored before", formats.percent(share), told, bar=share))
    return Markup('<div class="cards">{}</div>').format(Markup("").join(shown))


def definition(rule: EvaluationRule, link: str) -> Markup:
    """What the rule says."""
    told = facts(
        [
            ("Target", str(rule.target)),
            ("Where", runs.asked_of_filter(rule.filter)),
            ("Sample", formats.percent(rule.sampling)),
            ("After a rest of", formats.duration(rule.delay.total_seconds() * 1000) if rule.delay else ""),
            ("About", ", ".join(_ABOUT[scope] for scope in rule.time_scope)),
            ("Budget of what is stored", formats.cost(rule.budget_usd) if rule.budget_usd is not None else ""),
            *((f"By {one.name}", ", ".join(map(_filled, one.mapping)) or "everything") for one in rule.assignments),
            ("Active since", f"{formats.moment(rule.active_since)} UTC"),
        ]
    )
    if not rule.backfill_run_id:
        return told
    run = Markup('<p><a href="/run{}&{}">The run over what was stored before</a></p>')
    return told + run.format(link, OpenRun(run=rule.backfill_run_id).write())


def execution_row(execution: Execution, names: Mapping[str, str], link: str) -> dict[str, Any]:
    """What came of a rule for one target."""
    target = execution.target
    if target.kind is RuleTarget.SESSION:
        href = f"/session{link}&{OpenSession(session=target.id).write()}"
    else:
        observation = target.id if target.is_whole else ""
        href = f"/trace{link}&{OpenTrace(trace=target.trace_id, observation=observation).write()}"
    return {
        "href": href,
        "target": target.id,
        "evaluator": names.get(execution.evaluator_id, execution.evaluator_id),
        "state": [execution.state.lower()],
        "reason": execution.message,
        "created_at": formats.moment(execution.created_at),
    }


_ABOUT = {TimeScope.NEW: "what arrives", TimeScope.EXISTING: "what was stored before"}


def _filled(mapping: Any) -> str:
    return f"{mapping.variable} by {mapping.source}{' at ' + mapping.json_path if mapping.json_path else ''}"


def _reason(rule: EvaluationRule) -> str:
    return rule.block.reason.lower().replace("_", " ") if rule.block else ""
