"""Hostile payloads against a whole stack: `python -m tests.benchmarks.hostile` sends ten thousand of them."""

import asyncio

import pytest

from tests.acceptance.stack import Stack
from tests.benchmarks.hostile.delivery import run

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]


def test_hostile_payloads_cause_no_fault_cost_no_neighbour_and_are_read_back(stack: Stack) -> None:
    outcome = asyncio.run(run(400, 1, stack.settings))
    assert outcome.is_sound, outcome.figures
