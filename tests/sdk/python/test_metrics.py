"""Figures over what was stored, and the health of the server."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reading import observations

RANGE = {
    "fromTimestamp": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
    "toTimestamp": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
}


@pytest.mark.majors(3, 5)
def test_costs_are_counted_by_model(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    for number in range(3):
        langfuse.start_observation(
            name=name, as_type="generation", model=f"m{number % 2}", cost_details={"total": number + 1}
        ).end()
    langfuse.flush()
    query = {
        "view": "observations", "dimensions": [{"field": "providedModelName"}],
        "metrics": [{"measure": "totalCost", "aggregation": "sum"}, {"measure": "count", "aggregation": "count"}],
        "filters": [{"column": "name", "operator": "=", "value": name, "type": "string"}], **RANGE,
    }  # fmt: skip

    def costs(method: str) -> dict[str, Any]:
        rows = api(method, query=json.dumps(query)).data
        found = {row["providedModelName"]: (float(row["sum_totalCost"]), int(row["count_count"])) for row in rows}
        return found if sum(count for _, count in found.values()) == 3 else {}

    for method in filter(api.has, ("metrics.metrics", "metrics_v_2.metrics")):
        assert eventually(lambda method=method: costs(method)) == {"m0": (4.0, 2), "m1": (2.0, 1)}


@pytest.mark.needs("metrics.daily")
def test_days_are_counted(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    langfuse.trace(name=name).generation(
        name="g", model="m0", usage={"input": 3, "output": 4}, cost_details={"total": 2}
    )
    langfuse.flush()

    def today() -> list[Any]:
        found = api("metrics.daily", trace_name=name).data
        return found if found and found[0].count_observations else []

    (day,) = eventually(today)

    assert (day.count_traces, day.count_observations, day.total_cost) == (1, 1, 2.0)
    assert [(each.model, each.input_usage, each.output_usage, each.total_usage) for each in day.usage] == [
        ("m0", 3, 4, 7)
    ]


def test_the_server_is_healthy(api: Any) -> None:
    found = api("health.health")

    assert (found.status, bool(found.version)) == ("OK", True)


@pytest.mark.needs("opentelemetry.export_traces")
def test_spans_are_exported_as_json(api: Any, name: str, eventually: Any) -> None:
    trace_id, now = f"{abs(hash(name)):032x}", datetime.now(UTC).timestamp()
    span = {
        "traceId": trace_id, "spanId": f"{abs(hash(name)) % 2**60:016x}", "name": name, "kind": 1,
        "startTimeUnixNano": str(int(now * 1e9)), "endTimeUnixNano": str(int(now * 1e9) + 1_000_000),
        "attributes": [{"key": "langfuse.observation.type", "value": {"stringValue": "tool"}}],
    }  # fmt: skip

    api("opentelemetry.export_traces", resource_spans=[{"resource": {}, "scopeSpans": [{"spans": [span]}]}])

    found = eventually(lambda: observations(api, trace_id, 1))
    assert found[name].type == "TOOL"
