"""What notebooks show."""

import pyarrow as pa

from heliograph.client import html
from heliograph.client.traces import Trace

EVIL = "<script>alert('x')</script>"


def test_every_text_of_a_table_is_escaped_and_long_ones_are_cut() -> None:
    shown = html.table(pa.table({EVIL: [EVIL, "y" * 500]}), caption=EVIL, has_more=True)
    assert "<script" not in shown
    assert "y" * 120 + "…" in shown
    assert "y" * 121 not in shown


def test_a_trace_is_a_tree_with_every_text_escaped() -> None:
    observations = [
        {"id": "root", "name": EVIL, "type": "SPAN", "input": EVIL, "parentObservationId": None, "latency": 1.5},
        {"id": "child", "name": "call", "type": "GENERATION", "model": EVIL, "parentObservationId": "root"},
        {"id": "orphan", "name": "lost", "parentObservationId": "nowhere", "level": "ERROR"},
    ]
    scores = [{"name": EVIL, "value": 1, "stringValue": EVIL}]
    shown = Trace({"id": EVIL, "observations": observations, "scores": scores, "latency": 2.0})._repr_html_()
    assert "<script" not in shown
    assert shown.index("1.50 s") < shown.index("call") < shown.index("lost")
    assert shown.count("<ul>") == shown.count("</ul>") == 4


def test_a_cycle_and_a_deep_trace_end() -> None:
    cycle = [{"id": "a", "parentObservationId": "b"}, {"id": "b", "parentObservationId": "a"}]
    assert "2 observations" in html.trace({"id": "t", "observations": cycle})
    deep = [{"id": str(n), "parentObservationId": str(n - 1)} for n in range(3000)]
    assert "and 2,500 more" in html.trace({"id": "t", "observations": deep})
