"""The traces of judges' calls: one for each evaluation, in an environment of their own."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from actors.intake import Appends
from evals.judging.recorded import RecordedCall
from heliograph.domain.evaluation_runs import RUN_KEY
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT
from ingestion.attributes.environment import OWN_SCOPE
from ingestion.own_spans import own_export, own_span
from ingestion.project_mapping import ProjectMapping

_WRITTEN_AT_ONCE = 100


def spans_of(
    trace_id: str, calls: Sequence[RecordedCall], *, score: str, model: str, about: Mapping[str, str]
) -> list[Span]:
    """The trace of what was asked for one verdict; `about` says in its metadata who asked, and about what."""
    root = secrets.token_hex(8)
    common = {"langfuse.environment": JUDGES_ENVIRONMENT, "langfuse.trace.name": f"Evaluation: {score}"}
    metadata = {f"langfuse.observation.metadata.{name}": value for name, value in {**about, "score": score}.items()}
    whole = {**common, **metadata, "langfuse.observation.type": "evaluator"}
    spans = [own_span((trace_id, root), score, times=(calls[0].started_at, calls[-1].ended_at), attributes=whole)]
    for call in calls:
        times, told = (call.started_at, call.ended_at), common | _told(call, model)
        ids, error = (trace_id, secrets.token_hex(8)), (call.error or "")[:1_000]
        span = own_span(ids, model, times=times, attributes=told, error=error)
        span.parent_span_id = bytes.fromhex(root)
        spans.append(span)
    return spans


class JudgeTraces:
    """Gathers traces, and writes them in batches.

    Args:
        lanes: where they go.
        mapping: of the project that they belong to.
        asked_by: which run, or rule, asked.
        key: of the metadata that says so.
    """

    def __init__(self, lanes: Appends, mapping: ProjectMapping, asked_by: str, *, key: str = RUN_KEY) -> None:
        self._lanes, self._mapping, self._asked_by, self._key = lanes, mapping, asked_by, key
        self._spans: list[Span] = []

    def add(
        self, trace_id: str, calls: Sequence[RecordedCall], *, score: str, model: str, target: Mapping[str, Any]
    ) -> None:  # fmt: skip
        """Note what was asked for one verdict."""
        asked_by = {self._key: self._asked_by}
        self._spans += spans_of(trace_id, calls, score=score, model=model, about={**asked_by, **_places(target)})

    async def flush(self, *, at_least: int = _WRITTEN_AT_ONCE) -> None:
        """Write what is gathered once it is so many spans; raises Overloaded, Unavailable."""
        if len(self._spans) < max(1, at_least):
            return
        spans, self._spans = self._spans, []
        await self._lanes.append(await self._mapping.spans(own_export(spans, OWN_SCOPE)))


def _places(target: Mapping[str, Any]) -> dict[str, str]:
    return {"target_trace_id": target["trace_id"], "target_observation_id": target["observation_id"]}


def _told(call: RecordedCall, model: str) -> dict[str, str]:
    messages = [{"role": message.role, "content": message.content} for message in call.prompt]
    told = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": model,
        "langfuse.observation.input": json.dumps(messages, ensure_ascii=False),
    }
    if call.answer is not None:
        used = call.answer.spending
        told["langfuse.observation.output"] = call.answer.refusal or call.answer.text
        told["langfuse.observation.usage_details"] = json.dumps(
            {"input": used.input_tokens, "output": used.output_tokens}
        )  # fmt: skip
    if call.cost_usd is not None:
        told["langfuse.observation.cost_details"] = json.dumps({"total": call.cost_usd})
    return told
