"""Heuristics on traces and sessions."""

from datetime import UTC, datetime, timedelta

import pytest

from evals import sessions, trajectory
from heliograph.domain.observations import Observation
from heliograph.domain.traces import Trace
from heliograph.evaluator import EvaluationSkipped

START = datetime(2026, 11, 1, tzinfo=UTC)


def trace(*steps: str) -> list[Observation]:
    """Steps as `type:name:input`, with `!` before those that fail, in an order that is not theirs."""
    made = []
    for place, step in enumerate(steps):
        type_, name, given = (*step.lstrip("!").split(":"), "", "")[:3]
        level = "ERROR" if step.startswith("!") else "DEFAULT"
        when = START + timedelta(seconds=place)
        made.append(Observation(str(place), type=type_, name=name, input=given, level=level, start_time=when))
    return made[::-1]


def session(*turns: tuple[str, str], latency_ms: float | None = 1_000.0) -> list[Trace]:
    return [
        Trace(
            str(place), input=said, output=answered, timestamp=START + timedelta(minutes=place), latency_ms=latency_ms
        )
        for place, (said, answered) in enumerate(turns)
    ][::-1]


@pytest.mark.parametrize(
    ("mode", "expected", "fits"),
    [
        ("exact", ["find", "book"], True), ("exact", ["book", "find"], False), ("unordered", ["book", "find"], True),
        ("unordered", ["find"], False), ("subset", ["find", "book", "pay"], True), ("subset", ["find"], False),
        ("superset", ["find"], True), ("superset", ["find", "find"], False),
    ],
)  # fmt: skip
def test_tools_are_compared_by_mode(mode: str, expected: list[str], *, fits: bool) -> None:
    evaluator = trajectory.tool_sequence(mode)  # type: ignore[arg-type]
    assert evaluator(trace("GENERATION:plan", "TOOL:find", "SPAN:x", "TOOL:book"), expected).value is fits


def test_efficiency_is_the_share_of_needed_steps() -> None:
    ran = trace("TOOL:find", "TOOL:find", "TOOL:book", "GENERATION:answer")
    assert trajectory.step_efficiency()(ran, ["find", "book"]).value == pytest.approx(2 / 3)
    assert trajectory.step_efficiency(needed=2)(ran).value == 0.5
    with pytest.raises(EvaluationSkipped):
        trajectory.step_efficiency()(ran)


@pytest.mark.parametrize(
    ("steps", "is_free"),
    [
        (["TOOL:find:a"] * 3, False),
        (["TOOL:find:a", "TOOL:find:b", "TOOL:find:c"], True),
        (["GENERATION:think:a", "TOOL:find:a"] * 3, False),
        (["GENERATION:think:a", "TOOL:find:a"] * 2, True),
        ([], True),
    ],
)
def test_loops_are_repeated_cycles(steps: list[str], *, is_free: bool) -> None:
    assert trajectory.loop_free()(trace(*steps)).value is is_free


def test_repeated_runs_and_recovery_are_shares() -> None:
    ran = trace("!TOOL:find:a", "TOOL:find:a", "!TOOL:pay:b", "TOOL:book:c")
    assert trajectory.call_novelty()(ran).value == 0.75
    assert trajectory.error_recovery()(ran).value == 0.5
    assert trajectory.steps_within(3)(ran).value is False
    for evaluator in (trajectory.error_recovery(), trajectory.call_novelty()):
        with pytest.raises(EvaluationSkipped):
            evaluator(trace("GENERATION:answer"))


@pytest.mark.parametrize(
    ("last", "is_resolved"),
    [
        (("Thanks, that works!", ""), True),
        (("It still does not work", "Try this"), False),
        (("And on Sunday?", "From ten to six."), True),
        (("And on Sunday?", "I'm sorry, I can't help with that."), False),
        (("And on Sunday?", ""), False),
    ],
)
def test_the_last_turn_says_whether_a_session_is_resolved(last: tuple[str, str], *, is_resolved: bool) -> None:
    assert sessions.session_resolved()(session(("When is it open?", "From ten."), last)).value is is_resolved


def test_turns_are_counted_timed_and_compared() -> None:
    talk = session(("where is my parcel", "?"), ("my parcel, where is it", "?"), ("cancel the order", "Done"))
    assert sessions.turns_within(2)(talk).value is False
    assert sessions.turn_latency_within(0.5)(talk).value == 0
    assert sessions.rephrasing()(talk).value == 0.5
    with pytest.raises(EvaluationSkipped):
        sessions.turn_latency_within()(session(("a", "b"), latency_ms=None))
