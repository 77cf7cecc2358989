"""Generated traces behind the questions of the pages, to look at the pages without any store."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.queries import OverviewData, Totals, TracePage, WholeTrace
from dashboard.state import Period, TraceList
from heliograph.domain.tables import OBSERVATIONS, SCORES, TRACES

NAMES = ["support-agent", "answer-question", "summarise-document", "extract-invoice", "classify-ticket"]
MODELS = ["gpt-4.1-mini", "claude-sonnet-4", "gemini-2.5-flash", "text-embedding-3-small"]
XSS = "<img src=x onerror=\"window.__xss=1\"><script>window.__xss=1</script>"
CHAT = '[{"role":"system","content":"You answer briefly."},{"role":"user","content":"How do **refunds** work?\\n\\n- card\\n- invoice"}]'
REPLY = '{"role":"assistant","content":"Refunds take *five days*.","tool_calls":[{"name":"lookup","arguments":{"id":7}}]}'
TYPES = ["SPAN", "GENERATION", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL", "EVENT"]


def record(schema: pa.Schema, **values: Any) -> dict[str, Any]:
    """A row of the schema in which everything not given is empty."""
    return {name: values.get(name, None if schema.field(name).nullable else _empty(schema.field(name).type)) for name in schema.names}


def _empty(type_: pa.DataType) -> Any:
    if pa.types.is_string(type_):
        return ""
    if pa.types.is_boolean(type_):
        return False
    if pa.types.is_timestamp(type_):
        return datetime(2026, 1, 1, tzinfo=UTC)
    if pa.types.is_map(type_) or pa.types.is_list(type_):
        return []
    return Decimal(0) if pa.types.is_decimal(type_) else 0


@dataclass
class GeneratedQueries:
    """A project of random traces; the same at every run."""

    count: int = 320
    size: int = 24
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        rows = [self._trace(index, now - timedelta(minutes=index * 29)) for index in range(self.count)]
        self.rows = pa.Table.from_pylist(rows, schema=TRACES)

    def _trace(self, index: int, at: datetime) -> dict[str, Any]:
        tokens = self.dice.randrange(200, 9000)
        return record(
            TRACES, id=f"{index:032x}", timestamp=at, name=XSS if index == 3 else self.dice.choice(NAMES),
            user_id=f"user-{index % 17}@example.com", session_id=f"session-{index % 40:04d}",
            environment=self.dice.choice(["production", "production", "staging"]), tags=["beta", "eu", "vip"][: index % 4],
            latency_ms=self.dice.lognormvariate(7.4, 0.8), level="ERROR" if index % 11 == 4 else "DEFAULT",
            observation_count=self.size, error_count=int(index % 11 == 4), total_tokens=tokens,
            total_cost=Decimal(tokens) / Decimal(250_000), release="2026.11", models=[MODELS[index % 3]],
            score_values=[("helpfulness", 0.82)] if index % 3 == 0 else [], score_labels=[("tone", "calm")] if index % 4 == 0 else [],
        )  # fmt: skip

    async def has_traces(self) -> bool:
        """Whether there is anything."""
        return self.count > 0

    async def environments(self, period: Period) -> Sequence[str]:
        """Two environments."""
        del period
        return ["production", "staging"]

    async def overview(self, period: Period, environment: str) -> OverviewData:
        """Random waves."""
        del environment
        dice = random.Random(1)  # noqa: S311
        steps = int((period.before - period.after) / period.bucket)
        times = [period.after + period.bucket * step for step in range(steps)]
        traces = [dice.randrange(40, 90) + 30 * (step % 8) for step in range(steps)]
        series = pa.table(
            {
                "time": times, "traces": traces, "observations": [count * 9 for count in traces],
                "errors": [dice.randrange(0, 20) for _ in times], "tokens": [count * 2100 for count in traces],
                "cost": [count * 0.0123 for count in traces],
            }
        )  # fmt: skip
        models = [(at, model, dice.random() / (place + 1)) for at in times for place, model in enumerate(MODELS)]
        spread = [dice.uniform(600, 1400) for _ in times]
        latency = pa.table({"time": times, "p50": spread, "p90": [x * 2.2 for x in spread], "p95": [x * 3 for x in spread], "p99": [x * 5.1 for x in spread]})
        totals = Totals(sum(traces), sum(traces) * 9, sum(series["errors"].to_pylist()), 3_480_000, 84.123, 2840.0)
        before = Totals(totals.traces - 900, totals.observations - 7000, totals.errors + 60, 3_300_000, 78.9, 2510.0)
        table = pa.table(dict(zip(("time", "model", "cost"), map(list, zip(*models, strict=True)), strict=True)))
        return OverviewData(totals, before, series, table, latency)

    async def traces(self, period: Period, environment: str, wanted: TraceList) -> TracePage:
        """Filtered, ordered and cut as asked."""
        keep = pc.greater(self.rows["timestamp"], pa.scalar(period.after, TRACES.field("timestamp").type))
        if wanted.named:
            keep = pc.and_(keep, pc.match_substring(self.rows["name"], wanted.named))
        if environment:
            keep = pc.and_(keep, pc.equal(self.rows["environment"], environment))
        if wanted.level:
            keep = pc.and_(keep, pc.equal(self.rows["level"], wanted.level))
        order = "descending" if wanted.order == "desc" else "ascending"
        found = self.rows.filter(keep).sort_by([(wanted.sort, order)])
        return TracePage(found.slice((wanted.page - 1) * wanted.size, wanted.size), found.num_rows)

    async def trace(self, trace_id: str) -> WholeTrace | None:
        """A trace with a random tree."""
        row = self.rows.filter(pc.equal(self.rows["id"], trace_id))
        if row.num_rows == 0:
            return None
        start = row["timestamp"][0].as_py()
        observations = [self._observation(trace_id, place, start) for place in range(self.size)]
        score = record(SCORES, id="s1", trace_id=trace_id, name="helpfulness", value=0.82, source="API", comment=XSS)
        return WholeTrace(row, pa.Table.from_pylist(observations, schema=OBSERVATIONS), pa.Table.from_pylist([score], schema=SCORES))

    async def observation(self, trace_id: str, observation_id: str) -> pa.Table:
        """One observation."""
        whole = await self.trace(trace_id)
        assert whole is not None
        return whole.observations.filter(pc.equal(whole.observations["id"], observation_id))

    @staticmethod
    def _observation(trace_id: str, place: int, start: datetime) -> dict[str, Any]:
        dice = random.Random(place)  # noqa: S311
        parent = "" if place == 0 else f"{(place - 1) // 3:016x}"
        begin = start + timedelta(milliseconds=place * 90)
        took = 2900 if place == 0 else dice.randrange(40, 900)
        type_ = "AGENT" if place == 0 else TYPES[place % len(TYPES)]
        is_generation = type_ == "GENERATION"
        return record(
            OBSERVATIONS, trace_id=trace_id, id=f"{place:016x}", parent_observation_id=parent, type=type_,
            name=XSS if place == 5 else f"{type_.lower()} step {place}", start_time=begin,
            end_time=begin + timedelta(milliseconds=took), level="ERROR" if place == 8 else "DEFAULT",
            status_message="TimeoutError: the tool did not answer" if place == 8 else "",
            input=CHAT if is_generation else (XSS if place % 2 else '{"query": "refund", "top_k": 5}'),
            output=REPLY if is_generation else XSS, metadata=[("customer", '{"tier": "gold"}'), ("note", XSS)],
            provided_model_name=MODELS[0] if is_generation else "", model_parameters='{"temperature": 0.2}' if is_generation else "",
            usage_details=[("input", 812), ("output", 204)] if is_generation else [], total_tokens=1016 if is_generation else 0,
            cost_details=[("input", Decimal("0.0012")), ("output", Decimal("0.0009"))] if is_generation else [],
            total_cost=Decimal("0.0021") if is_generation else Decimal(0),
        )  # fmt: skip
