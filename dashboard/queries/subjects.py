"""What people score: a trace, one of its observations or a session, as it is shown beside the scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heliograph.domain.annotations import Annotated, AnnotatedType
from heliograph.domain.datasets import ItemChange
from heliograph.domain.filters import Order, Page, equals, one_of
from heliograph.domain.identifiers import ObservationId, ProjectId, TraceId
from heliograph.domain.not_found import ObservationNotFound, TraceNotFound
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.traces import Trace, traces_from
from ingestion.annotated_scores import Target
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.traces import Traces

MAX_TURNS = 50


@dataclass(frozen=True)
class Subject:
    """What an item stands for; of a session the rows of its traces, the oldest first, and no input or output."""

    type: AnnotatedType
    target: Target
    title: str
    input: str = ""
    output: str = ""
    turns: Sequence[Mapping[str, Any]] = ()

    def as_item(self, expected: str) -> ItemChange:
        """A dataset's item with this input, whose expected output is a text or JSON, linked to where it comes from."""
        return ItemChange(
            input=parsed(self.input),
            expected_output=parsed(expected),
            source_trace_id=self.target.trace_id or None,
            source_observation_id=self.target.observation_id or None,
        )


class Subjects:
    """What can be scored in one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._traces = Traces(clickhouse, project_id)
        self._observations = Observations(clickhouse, project_id)

    async def of(self, kind: AnnotatedType, object_id: str) -> Subject | None:
        """What an item stands for; None where it has not arrived or is gone."""
        try:
            match kind:
                case AnnotatedType.TRACE:
                    return await self._trace(object_id)
                case AnnotatedType.OBSERVATION:
                    return await self._observation(object_id)
                case AnnotatedType.SESSION:
                    return await self._session(object_id)
        except (TraceNotFound, ObservationNotFound):
            return None

    async def as_items(self, objects: Sequence[Annotated]) -> list[ItemChange]:
        """What of these has arrived, as items of a dataset that expect the output that there was."""
        traces = [each.id for each in objects if each.type is AnnotatedType.TRACE]
        rest = [await self.of(each.type, each.id) for each in objects if each.type is not AnnotatedType.TRACE]
        subjects = [*map(_of_trace, await self._whole(traces)), *(subject for subject in rest if subject)]
        return [subject.as_item(subject.output) for subject in subjects]

    async def _whole(self, trace_ids: list[str]) -> list[Trace]:
        if not trace_ids:
            return []
        found = await self._traces.search([one_of("id", trace_ids)], Page(size=len(trace_ids)))
        return list(traces_from(await self._traces.with_payloads(found)))

    async def _trace(self, trace_id: str) -> Subject:
        return _of_trace(await self._traces.get(TraceId(trace_id)))

    async def _observation(self, observation_id: str) -> Subject:
        found = await self._observations.get(ObservationId(observation_id))
        target = Target(trace_id=found.trace_id, observation_id=found.id, environment=found.environment)
        return Subject(AnnotatedType.OBSERVATION, target, found.name or found.id, found.input, found.output)

    async def _session(self, session_id: str) -> Subject | None:
        oldest = Order("timestamp", is_descending=False)
        found = await self._traces.search([equals("sessionId", session_id)], Page(size=MAX_TURNS), oldest)
        turns = list(plain_rows(await self._traces.with_payloads(found)))
        if not turns:
            return None
        target = Target(session_id=session_id, environment=turns[0]["environment"])
        return Subject(AnnotatedType.SESSION, target, session_id, turns=turns)


def _of_trace(trace: Trace) -> Subject:
    target = Target(trace_id=trace.id, environment=trace.environment)
    return Subject(AnnotatedType.TRACE, target, trace.name or trace.id, trace.input, trace.output)


def parsed(text: str) -> Any:
    """The JSON that a text holds, or the text itself; None of nothing."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
