"""The targets of jobs as evaluators read them: one row of named columns each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.domain.evaluation_jobs import Target
from heliograph.domain.evaluation_rules import RuleTarget, is_internal
from heliograph.domain.experiments import ITEM_METADATA, PREFIX
from heliograph.domain.filters import Page, equals
from heliograph.domain.identifiers import ProjectId, SessionId, TraceId
from heliograph.domain.not_found import NotFound
from heliograph.domain.observations import Observation, observations_from
from heliograph.domain.tool_calls import tool_calls_of
from heliograph.domain.traces import Trace, traces_from
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.sessions import Sessions
from storage.clickhouse.traces import Traces

_EXPECTED_OUTPUT = f"{PREFIX}item.expected_output"


@dataclass(frozen=True)
class TargetRow:
    """What is known of a target: its columns, and where it ran."""

    columns: Mapping[str, Any]
    environment: str

    @property
    def code_context(self) -> dict[str, Any]:
        """The contract's argument of code."""
        columns = {name: _plain(value) for name, value in self.columns.items()}
        observation = {name: columns.get(name) for name in ("input", "output", "metadata")}
        context: dict[str, Any] = {"observation": {**observation, "toolCalls": columns.get("tool_calls", [])}}
        if "expected_output" in columns:
            item = {
                "itemExpectedOutput": columns["expected_output"],
                "itemMetadata": columns["experiment_item_metadata"],
            }
            context["experiment"] = item
        return context | {name: columns[name] for name in ("trace", "session") if name in columns}


class TargetRows:
    """Reads the targets of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._observations = Observations(clickhouse, project_id)
        self._traces, self._sessions = Traces(clickhouse, project_id), Sessions(clickhouse, project_id)

    async def read(self, target: Target) -> TargetRow | None:
        """The target as it is now; None when it is gone, or Heliograph's own. Raises Unavailable."""
        try:
            row = await self._read(target)
        except NotFound:
            return None
        return None if is_internal(row.environment) else row

    async def _read(self, target: Target) -> TargetRow:
        match target.kind:
            case RuleTarget.TRACE:
                trace = await self._traces.get(TraceId(target.id))
                steps = observations_from(await self._observations.of_trace(TraceId(target.id)))
                return TargetRow(_of(trace) | {"trace": [step_of(step) for step in steps]}, trace.environment)
            case RuleTarget.SESSION:
                turns = list(traces_from(await self._sessions.traces_of(SessionId(target.id))))
                return TargetRow({"session": [_turn(turn) for turn in turns]}, turns[0].environment)
            case _:
                return await self._observation(target)

    async def _observation(self, target: Target) -> TargetRow:
        of_both = [equals("traceId", target.trace_id), equals("id", target.id)]
        found = list(observations_from(await self._observations.search(of_both, Page(1, 1))))
        if not found:
            raise NotFound
        columns = _of(found[0])
        if target.kind is RuleTarget.EXPERIMENT:
            columns |= item_columns(found[0].metadata)
        return TargetRow(columns, found[0].environment)


def _of(row: Observation | Trace) -> dict[str, Any]:
    return columns_of(row.input, row.output, row.metadata)


def columns_of(input_: str, output: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The columns that every target but a session has."""
    calls = tool_calls_of(output)
    return {
        "input": input_,
        "output": output,
        "metadata": {key: _plain(value) for key, value in metadata.items()},
        "tool_calls": [
            {"id": "", "name": call.name, "arguments": dict(call.arguments), "type": "function", "index": index}
            for index, call in enumerate(calls)
        ],
    }


def item_columns(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The columns of an item of an experiment."""
    return {
        "expected_output": metadata.get(_EXPECTED_OUTPUT, ""),
        "experiment_item_metadata": metadata.get(ITEM_METADATA, ""),
    }


def step_of(step: Observation) -> dict[str, Any]:
    """An observation of a trace, as code and prompts see it."""
    return {
        "id": step.id,
        "parentId": step.parent_observation_id,
        "type": step.type,
        "name": step.name,
        "level": step.level,
        "statusMessage": step.status_message,
        "startTime": step.start_time.isoformat(),
        "input": _plain(step.input),
        "output": _plain(step.output),
    }


def _turn(turn: Trace) -> dict[str, Any]:
    return {
        "id": turn.id,
        "name": turn.name,
        "timestamp": turn.timestamp.isoformat(),
        "input": _plain(turn.input),
        "output": _plain(turn.output),
    }


def _plain(value: Any) -> Any:
    """What a text says as JSON; any other text, and any other value, is what it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value or None
