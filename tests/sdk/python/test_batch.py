"""Events sent as batches by the generated client of older versions."""

import uuid
from datetime import UTC, datetime
from typing import Any

import langfuse.api as api_types
import pytest
from generated import parsed


@pytest.mark.needs("ingestion.batch")
def test_a_batch_of_events_is_taken(api: Any, name: str, eventually: Any) -> None:
    now = datetime.now(UTC).isoformat()
    events = [
        {"type": "trace-create", "body": {"id": f"t-{name}", "name": name, "userId": "ada"}},
        {"type": "span-create", "body": {"id": f"o-{name}", "traceId": f"t-{name}", "name": "s", "input": {"q": 1}}},
    ]
    batch = [parsed(api_types.IngestionEvent, {**each, "id": str(uuid.uuid4()), "timestamp": now}) for each in events]

    answer = api("ingestion.batch", batch=batch)

    assert ([each.status for each in answer.successes], answer.errors) == ([201, 201], [])
    trace = eventually(lambda: api("trace.get", trace_id=f"t-{name}"))
    assert (trace.name, trace.user_id, [each.input for each in trace.observations]) == (name, "ada", [{"q": 1}])
