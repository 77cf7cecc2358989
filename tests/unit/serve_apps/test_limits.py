"""Rate limits, quotas and sampling at the doors, as clients meet them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.limits import ProjectLimits, Usage, route_group
from ingestion.sampling import is_kept
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.limits import Limits
from tests.unit.serve_apps import doors
from tests.unit.serve_apps.doors import KEY, PROTOBUF, SCORES, SECRET, TRACES, KeptInMemory, export, span

_PROJECT = ProjectId("project-1")
_START = datetime(2026, 11, 30, 23, 58, 30, tzinfo=UTC)
_BATCH = "/api/public/ingestion"


@dataclass
class StoreInMemory:
    """What PostgreSQL would hold."""

    limits: dict[ProjectId, ProjectLimits] = field(default_factory=dict)
    events: Counter[tuple[ProjectId, date]] = field(default_factory=Counter)
    is_away: bool = False

    async def version(self) -> str:
        if self.is_away:
            raise Unavailable("PostgreSQL", 5.0)
        return repr(self.limits)

    async def all(self) -> Mapping[ProjectId, ProjectLimits]:
        return dict(self.limits)

    async def add(self, counts: Mapping[tuple[ProjectId, date], int]) -> None:
        self.events.update(counts)

    async def of(self, projects: list[ProjectId], today: date) -> Mapping[ProjectId, Usage]:
        month = {day: count for (_, day), count in self.events.items() if day.replace(day=1) == today.replace(day=1)}
        return {project: Usage(month.get(today, 0), sum(month.values())) for project in projects}


@dataclass
class Replicas:
    """Replicas that share a store and a clock."""

    store: StoreInMemory = field(default_factory=StoreInMemory)
    now: datetime = _START
    kept: KeptInMemory = field(default_factory=KeptInMemory)

    async def limits(self, replicas: int = 1, **limits: object) -> Limits:
        if limits:
            self.store.limits[_PROJECT] = ProjectLimits(**limits)  # type: ignore[arg-type]
        made = Limits(self.store, self.store, replicas=replicas, clock=lambda: self.now)
        await made.look()
        return made

    def client(self, limits: Limits) -> httpx.AsyncClient:
        dependencies = IngestDependencies(doors.KeysInMemory(), self.kept, doors.StoredInMemory(), limits=limits)
        transport = httpx.ASGITransport(ingest_application(dependencies), root_path="/ingest")
        return httpx.AsyncClient(transport=transport, base_url="http://heliograph/ingest", auth=(KEY, SECRET))


async def send(client: httpx.AsyncClient, *numbers: int) -> httpx.Response:
    return await client.post(TRACES, content=export(*map(span, numbers or (1,))), headers=PROTOBUF)


async def test_a_request_beyond_the_rate_gets_the_contracts_refusal_until_the_minute_is_over() -> None:
    replicas = Replicas()
    limits = await replicas.limits(requests_per_minute={"ingestion": 2})
    async with replicas.client(limits) as client:
        assert [(await send(client)).status_code for _ in range(2)] == [200, 200]
        refused = await send(client)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "30"
        reset_at = "2026-11-30T23:59:00+00:00"
        named = {name: value for name, value in refused.headers.items() if name.startswith("x-ratelimit")}
        assert named == {
            "x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset_at,
        }  # fmt: skip
        body = refused.json()
        assert body["code"] == "rate_limited"
        assert body["details"] == {"retryAfterSeconds": 30, "limit": 2, "remaining": 0, "resetAt": reset_at}
        replicas.now += timedelta(seconds=30)
        assert (await send(client)).status_code == 200
    assert limits.measured()["heliograph_rate_limited_requests"] == 1


async def test_groups_of_routes_have_limits_of_their_own() -> None:
    replicas = Replicas()
    async with replicas.client(await replicas.limits(requests_per_minute={"legacy-ingestion": 1})) as client:
        posted = [await client.post("/api/public/traces", json={"name": "t"}) for _ in range(2)]
        assert [answer.status_code for answer in posted] == [200, 429]
        assert (await send(client)).status_code == 200


async def test_replicas_share_a_limit() -> None:
    replicas = Replicas()
    statuses = []
    for _ in range(3):
        limits = await replicas.limits(3, requests_per_minute={"ingestion": 3})
        async with replicas.client(limits) as client:
            statuses += [(await send(client)).status_code for _ in range(2)]
    assert statuses == [200, 429] * 3


async def test_a_quota_counts_what_was_acknowledged_here_and_elsewhere() -> None:
    replicas = Replicas()
    limits = await replicas.limits(events_per_day=5)
    replicas.store.events[_PROJECT, _START.date()] = 2
    await limits.look()
    async with replicas.client(limits) as client:
        assert (await send(client, 1, 2)).status_code == 200
        assert (await send(client, 3)).status_code == 200
        await limits.look()
        refused = await send(client, 4)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "90"
        assert refused.json()["details"]["limit"] == 5
        assert (await client.post(SCORES, json={"name": "q", "value": 1, "traceId": "t"})).status_code == 429
        replicas.now += timedelta(seconds=90)
        assert (await send(client, 4)).status_code == 200
    await limits.look()
    assert replicas.store.events == {(_PROJECT, _START.date()): 5, (_PROJECT, replicas.now.date()): 1}


async def test_a_monthly_quota_ends_with_its_month() -> None:
    replicas = Replicas()
    limits = await replicas.limits(events_per_month=4)
    replicas.store.events[_PROJECT, date(2026, 11, 1)] = 4
    await limits.look()
    async with replicas.client(limits) as client:
        assert (await send(client)).status_code == 429
        replicas.now += timedelta(seconds=90)
        assert (await send(client)).status_code == 200


async def test_refused_events_are_not_counted() -> None:
    replicas = Replicas()
    limits = await replicas.limits(events_per_day=5)
    async with replicas.client(limits) as client:
        await client.post(TRACES, content=export(span(1), Span(name="without ids")), headers=PROTOBUF)
    await limits.look()
    assert replicas.store.events == {(_PROJECT, _START.date()): 1}


async def test_limits_and_counts_outlive_an_hour_without_the_store() -> None:
    replicas = Replicas()
    limits = await replicas.limits(events_per_day=2)
    replicas.store.is_away = True
    async with replicas.client(limits) as client:
        assert (await send(client, 1, 2)).status_code == 200
        await limits.look()
        assert (await send(client, 3)).status_code == 429
    replicas.store.is_away = False
    await limits.look()
    assert replicas.store.events == {(_PROJECT, _START.date()): 2}


async def test_a_changed_limit_is_followed() -> None:
    replicas = Replicas()
    limits = await replicas.limits()
    async with replicas.client(limits) as client:
        assert [(await send(client)).status_code for _ in range(3)] == [200] * 3
        replicas.store.limits[_PROJECT] = ProjectLimits(requests_per_minute={"ingestion": 1})
        await limits.look()
        assert [(await send(client)).status_code for _ in range(2)] == [200, 429]


async def test_a_trace_outside_the_sample_is_acknowledged_and_dropped_by_every_door() -> None:
    replicas = Replicas()
    limits = await replicas.limits(sample_rate=0.5)
    dropped = next(f"trace-{number}" for number in range(100) if not is_kept(f"trace-{number}", 0.5))
    kept = next(f"trace-{number}" for number in range(100) if is_kept(f"trace-{number}", 0.5))
    events = [
        {"id": f"{kind}{trace}", "type": kind, "timestamp": "2026-11-24T09:00:00Z", "body": body}
        for trace in (dropped, kept)
        for kind, body in (
            ("trace-create", {"id": trace}),
            ("span-create", {"id": f"s-{trace}", "traceId": trace}),
            ("score-create", {"id": f"q-{trace}", "traceId": trace, "name": "q", "value": 1}),
        )
    ]
    async with replicas.client(limits) as client:
        answer = await client.post(_BATCH, content=json.dumps({"batch": events}))
        assert len(answer.json()["successes"]) == 6
        score = {"name": "q", "value": 1, "traceId": dropped, "id": "single"}
        assert (await client.post(SCORES, json=score)).json() == {"id": "single"}
        of_session = {"name": "q", "value": 1, "sessionId": dropped, "id": "of a session"}
        assert (await client.post(SCORES, json=of_session)).status_code == 200
    assert sorted(replicas.kept.ids()) == sorted([kept, f"s-{kept}", f"q-{kept}", "of a session"])
    assert limits.measured()["heliograph_sampled_out_events"] == 4


async def test_the_rate_is_the_share_of_traces_that_is_kept() -> None:
    kept = sum(is_kept(f"trace-{number}", 0.2) for number in range(5_000))
    assert 900 < kept < 1_100
    assert is_kept("any", 1.0) or not is_kept("any", 0.0)


@pytest.mark.parametrize(
    ("method", "path", "group"),
    [
        ("POST", "/ingest/api/public/otel/v1/traces", "ingestion"),
        ("POST", "/v1/traces", "ingestion"),
        ("POST", "/api/public/scores", "ingestion"),
        ("POST", "/api/public/ingestion", "ingestion"),
        ("PATCH", "/api/public/spans", "legacy-ingestion"),
        ("GET", "/api/public/traces", "public-api-legacy"),
        ("GET", "/api/public/v2/observations", "public-api"),
        ("GET", "/api/public/observations/o", "public-api-legacy"),
        ("DELETE", "/api/public/traces/t", "trace-delete"),
        ("DELETE", "/api/public/scores/s", "score-delete"),
        ("GET", "/api/public/models", "public-api"),
        ("GET", "/api/public/v3/scores", "public-api"),
        ("PATCH", "/api/public/annotation-queues/q/items/i", "annotation-queues"),
        ("GET", "/api/public/projects", None),
    ],
)
def test_each_route_belongs_to_the_contracts_group(method: str, path: str, group: str | None) -> None:
    assert route_group(method, path) == group
