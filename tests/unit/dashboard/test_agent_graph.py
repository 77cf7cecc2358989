from datetime import timedelta

import pyarrow as pa

from dashboard.components.agent_graph import MAX_NODES, Edge, Graph, drawn, graph_of
from tests import factories

XSS = '"><script>alert(1)</script>'


def _observations(*rows: tuple[str, str, str, str]) -> pa.Table:
    records = [
        factories.observation(
            "p", "t", id_, parent_observation_id=parent, type=kind, name=name,
            start_time=factories.NOON + timedelta(milliseconds=place),
        )
        for place, (id_, parent, kind, name) in enumerate(rows)
    ]  # fmt: skip
    return factories.table("observations", records)


def test_nodes_gather_observations_of_a_type_and_name() -> None:
    graph = graph_of(_observations(("a", "", "AGENT", "run"), ("b", "a", "TOOL", "find"), ("c", "a", "TOOL", "find")))
    assert [(node.name, node.layer, node.count, node.first) for node in graph.nodes] == [
        ("run", 0, 1, "a"),
        ("find", 1, 2, "b"),
    ]
    assert graph.edges == [Edge(0, 1, 2, calls=True)]


def test_what_followed_what_within_one_parent_is_an_edge() -> None:
    graph = graph_of(
        _observations(
            ("a", "", "AGENT", "run"), ("b", "a", "GENERATION", "plan"), ("b2", "b", "SPAN", "parse"),
            ("c", "a", "TOOL", "find"), ("c2", "c", "SPAN", "fetch"), ("d", "a", "GENERATION", "plan"),
        )
    )  # fmt: skip
    names = [node.name for node in graph.nodes]
    follows = {(names[edge.start], names[edge.end], edge.count) for edge in graph.edges if not edge.calls}
    assert follows == {("plan", "find", 1), ("find", "plan", 1)}


def test_the_rarest_nodes_are_left_out() -> None:
    rows = [(f"{place}", "", "SPAN", f"step {place}") for place in range(MAX_NODES + 7)]
    graph = graph_of(_observations(*rows))
    assert (len(graph.nodes), graph.omitted) == (MAX_NODES, 7)
    assert "7 rarer kinds" in drawn(graph, str)


def test_names_are_escaped() -> None:
    svg = drawn(graph_of(_observations(("a", "", "AGENT", XSS))), lambda each: f"/trace?observation={each}")
    assert "<script" not in svg
    assert 'href="/trace?observation=a"' in svg


def test_an_empty_trace_has_no_graph() -> None:
    assert graph_of(factories.table("observations", [])) == Graph([], [])
