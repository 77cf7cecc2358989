"""What is shown of the stack and of the work that a project waits for, as escaped HTML."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from dashboard.components import formats, panes, runs
from dashboard.components.tables import table
from dashboard.queries.evaluations import WatchedRun
from dashboard.queries.operations import Work
from dashboard.queries.rules import CountedRule
from dashboard.state import OpenDashboard, OpenRule, OpenRun
from heliograph.domain.evaluation_jobs import JobState
from heliograph.domain.lane_backlog import Backlog, LaneBacklog
from heliograph.domain.pacing import PacingStatus

NOT_ALLOWED = Markup(
    '<h2>Operations</h2><p class="quiet">Only admins of this project see how the stack is doing: ask one of them.</p>'
)
_QUEUED = (JobState.PENDING, JobState.RUNNING)
_RETRY = "look, and retry"
_HEALTH = OpenDashboard(dashboard="heliograph-ingestion").write()


def way_between(path: str, link: str) -> Markup:
    """Settings and operations as links, the one of `path` marked."""
    return panes.between("Settings", (("/settings", "Project"), ("/operations", "Operations")), path=path, link=link)


def backlog(found: Backlog, link: str) -> Markup:
    """What is behind, in sentences, and the figures of each lane."""
    tone, role = ("notice", "alert") if found.is_behind else ("notice done", "status")
    told = Markup('<p class="{}" role="{}">{}</p>').format(tone, role, " ".join(found.sentences))
    titles = [
        *("Lane", "State", "Acknowledged/s", "Merged/s", "Oldest unflushed", "Lag, segments", "Waiting"),
        *("Rows per insert", "Insert takes", "Failed inserts", "Log objects", "Log"),
    ]
    figures = table(titles, [_lane(lane) for lane in found.lanes], numbers=10) if found.lanes else Markup("")
    over_time = Markup(
        '<p class="quiet">Lanes work for every project. Over time: <a href="/dashboard{}&{}">Ingestion health</a>.</p>'
    )
    return told + figures + over_time.format(link, _HEALTH)


def _lane(lane: LaneBacklog) -> list[str]:
    state = "stalled" if lane.is_stalled else "ready" if lane.is_ready else "reads its log again"
    rows, seconds = lane.rows_per_insert, lane.seconds_per_insert
    return [
        lane.name,
        state,
        formats.compact(lane.acknowledged_per_second),
        formats.compact(lane.merged_per_second),
        formats.duration(lane.oldest_unflushed_seconds * 1000),
        formats.count(lane.lag_segments),
        formats.nbytes(lane.backlog_bytes),
        formats.compact(rows),
        formats.duration(seconds * 1000 if seconds is not None else None),
        formats.count(lane.insert_failures),
        formats.count(lane.log_objects),
        formats.nbytes(lane.log_bytes) if lane.log_objects is not None else formats.ABSENT,
    ]


def judge_queue(rules: Sequence[CountedRule], link: str) -> Markup:
    """How many executions of each rule wait and run, the fullest queue first."""
    queued = sorted(rules, key=lambda one: -sum(one.tally.get(state, 0) for state in _QUEUED))
    rows = [
        [
            _link(f"/rule{link}&{OpenRule(rule=one.rule.id).write()}", one.rule.name),
            one.rule.status,
            *(formats.count(one.tally.get(state, 0)) for state in (*_QUEUED, JobState.COMPLETED, JobState.ERROR)),
        ]
        for one in queued
    ]
    if not rows:
        return Markup('<p class="absent">No rules: nothing is judged as it arrives.</p>')
    return table(["Rule", "State", "Waiting", "Running", "Judged", "Failed"], rows, numbers=4)


def blocked_rule(one: CountedRule, link: str) -> Markup:
    """Why a rule is paused."""
    block, rule = one.rule.block, one.rule
    name = _link(f"/rule{link}&{OpenRule(rule=rule.id).write()}", rule.name)
    since = f"paused since {formats.moment(block.at)} UTC: {block.message}" if block else "paused"
    return _blocked(name, since)


def blocked_run(watched: WatchedRun, link: str) -> Markup:
    """Why a run is blocked."""
    name = _link(f"/run{link}&{OpenRun(run=watched.run.id).write()}", runs.title(watched.run))
    return _blocked(name, f"blocked: {runs.advised(watched.run)}")


def budgets(watched: Sequence[WatchedRun], link: str) -> Markup:
    """How far the runs are that have not ended, and what they may still spend."""
    rows = [
        [
            _link(f"/run{link}&{OpenRun(run=one.run.id).write()}", runs.title(one.run)),
            str(one.run.state),
            _share(runs.share_done(one)),
            formats.cost(one.progress.reserved_usd),
            formats.cost(one.progress.spent_usd),
            formats.cost(one.progress.unknown_usd),
            formats.cost(one.run.asked.budget_usd) if one.run.asked.budget_usd is not None else "none",
        ]
        for one in watched
    ]
    if not rows:
        return Markup('<p class="absent">No evaluation run is open.</p>')
    return table(["Run", "State", "Done", "Reserved", "Spent", "of it unknown", "Limit"], rows, numbers=5)


def works(found: Sequence[Work]) -> Markup:
    """Replays and backfills with how far they are."""
    rows = [
        [
            f"{work.kind}, on trial" if work.is_trial else work.kind,
            _state(work),
            f"{formats.moment(work.begun_at)} UTC",
            f"{formats.count(work.done)} of {formats.count(work.parts)}" if work.parts else "not cut yet",
            _share(work.done / work.parts if work.parts else 0.0),
        ]
        for work in found
    ]
    if not rows:
        return Markup('<p class="absent">Nothing was replayed, repriced or exported yet.</p>')
    return table(["Work", "State", "Asked for", "Parts", "Done"], rows, numbers=2)


def paces(found: Mapping[str, PacingStatus | None]) -> Markup:
    """How fast each connection may be asked."""
    rows = [[provider, *_pace(status)] for provider, status in found.items()]
    if not rows:
        return Markup('<p class="absent">No LLM connections.</p>')
    titles = ["Connection", "State", "Allowed/s", "Answered/s", "In flight", "Waiting", "Refused", "Failed"]
    return table(titles, rows, numbers=6)


def dead_letters(lanes: Backlog, rules: Sequence[CountedRule], watched: Sequence[WatchedRun], *, link: str) -> Markup:
    """What was given up and waits for a person: how much of it, and what to do."""
    rows: list[list[str | Markup]] = [
        [f"Segments of lane {lane.name}", "run `heliograph doctor --log`", formats.count(lane.lost_segments)]
        for lane in lanes.lanes
        if lane.lost_segments
    ]
    for counted in rules:
        if failed := counted.tally.get(JobState.ERROR, 0):
            href = f"/rule{link}&{OpenRule(rule=counted.rule.id, status=JobState.ERROR).write()}"
            rows.append([f"Executions of the rule {counted.rule.name}", _link(href, _RETRY), formats.count(failed)])
    for one in watched:
        if failed := one.progress.report.count("failed"):
            href = f"/run{link}&{OpenRun(run=one.run.id).write()}"
            rows.append([f"Targets of the run {runs.title(one.run)}", _link(href, _RETRY), formats.count(failed)])
    if not rows:
        return Markup('<p class="absent">Nothing was given up.</p>')
    return table(["What", "What to do", "How many"], rows, numbers=1)


def _pace(status: PacingStatus | None) -> list[str]:
    if status is None:
        return ["not asked lately", *[formats.ABSENT] * 6]
    if status.paused_seconds > 0:
        state = f"asked to wait {formats.duration(status.paused_seconds * 1000)}"
    else:
        state = "at the provider's limit" if status.is_steady else "no limit met"
    counted = (status.in_flight, status.waiting, status.refused, status.failed)
    rates = (status.allowed_per_second, status.answered_per_second)
    return [state, *map(formats.number, rates), *map(formats.count, counted)]


def _state(work: Work) -> str:
    if work.error:
        return f"failed: {work.error}"
    return "under way" if work.ended_at is None else "done"


def _share(share: float) -> Markup:
    return Markup('<progress class="progress" aria-label="Done" value="{:.4f}" max="1" title="{}"></progress>').format(
        share, formats.percent(share)
    )


def _blocked(name: Markup, reason: str) -> Markup:
    return Markup('<p class="quiet"><b>{}</b> {}</p>').format(name, reason)


def _link(href: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(href, text)
