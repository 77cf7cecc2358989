"""Two nodes: what is placed where, and what is left of it when one of them dies under load."""

import asyncio
from contextlib import ExitStack
from dataclasses import astuple

import httpx
import pytest

from heliograph.settings import LOOPBACK, Settings
from tests.benchmarks.chaos.rounds import disturb
from tests.cluster.conftest import heliograph
from tests.cluster.nodes import SECOND_NODE, TwoNodes, two_nodes

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(900)]

SPANS_PER_SECOND = 1_000


def test_the_lane_of_a_killed_node_comes_back_on_the_other_and_nothing_is_lost(cluster: TwoNodes) -> None:
    heliograph(cluster, "deploy")
    for part in (cluster.lanes, cluster.ingestion_replicas):
        assert [len(part(node)) for node in (cluster.head, cluster.worker)] == [1, 1]
    for port in (cluster.settings.port, cluster.settings.port + SECOND_NODE):
        assert httpx.get(f"http://{LOOPBACK}:{port}/api/public/ready").is_success

    killed = disturb("node", cluster.kill_worker, cluster.settings, rate=SPANS_PER_SECOND)
    outcome = asyncio.run(killed)

    print(outcome)
    assert outcome.acknowledged > 10 * SPANS_PER_SECOND
    assert outcome.is_exact, astuple(outcome)
    assert len(cluster.lanes(cluster.head)) == 2


def test_another_deployment_replaces_lanes_and_replicas_under_load_and_loses_nothing(cluster: TwoNodes) -> None:
    heliograph(cluster, "deploy")
    before = cluster.processes()

    outcome = asyncio.run(
        disturb("deploy", lambda: heliograph(cluster, "deploy"), cluster.settings, rate=SPANS_PER_SECOND)
    )

    print(outcome)
    assert outcome.is_exact, astuple(outcome)
    assert before.isdisjoint(cluster.processes())
    for part in (cluster.lanes, cluster.ingestion_replicas):
        assert [len(part(node)) for node in (cluster.head, cluster.worker)] == [1, 1]

    heliograph(cluster, "withdraw")
    assert cluster.processes() == set()


def test_the_loss_of_the_head_costs_the_cluster_and_another_one_continues_from_the_stores(
    cluster_settings: Settings,
) -> None:
    with ExitStack() as first, ExitStack() as second:
        lost = first.enter_context(two_nodes(cluster_settings))
        heliograph(lost, "deploy")

        def lose_the_head() -> None:
            lost.kill_head()
            first.close()
            heliograph(second.enter_context(two_nodes(cluster_settings)), "deploy")

        outcome = asyncio.run(disturb("head", lose_the_head, cluster_settings, rate=SPANS_PER_SECOND))

    print(outcome)
    assert outcome.acknowledged > SPANS_PER_SECOND
    assert outcome.is_exact, astuple(outcome)
