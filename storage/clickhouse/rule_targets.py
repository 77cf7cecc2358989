"""What evaluation rules are about: the rows that a lane has stored between two segments, and meet a filter."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from string import Template
from typing import NamedTuple

import pyarrow as pa

from heliograph.domain import rule_filters
from heliograph.domain.evaluation_jobs import KEPT, Target
from heliograph.domain.evaluation_rules import EvaluationRule, RuleTarget
from heliograph.domain.filters import Condition
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lanes import ORDINAL_BITS, SEGMENT_BITS, Share
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.tool_calls import tool_calls_of
from storage.clickhouse.clauses import TIME_TYPE, Where, moment
from storage.clickhouse.columns import OBSERVATION_COLUMNS, TRACE_COLUMNS
from storage.clickhouse.connection import ClickHouse

# What waited for longer to be stored is not looked for: the times in rows let the server skip older parts.
_LATEST = timedelta(days=1)
# Judges would judge judges; see `evaluation_rules.is_internal`.
_GUARD = """
    AND (NOT startsWith(environment, 'langfuse') OR environment = 'langfuse-prompt-experiment')
    AND environment != 'llm-as-a-judge'
"""


class Span(NamedTuple):
    """Segments of a lane after one and through another, and the lane's share of the project."""

    after: int
    through: int
    share: Share


class RuleTargets:
    """The targets of the rules of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _IN_SPAN = f"""
        bitAnd(bitShiftRight(row_version, {ORDINAL_BITS}), {(1 << SEGMENT_BITS) - 1}) > {{after:UInt64}}
        AND bitAnd(bitShiftRight(row_version, {ORDINAL_BITS}), {(1 << SEGMENT_BITS) - 1}) <= {{through:UInt64}}
        AND updated_at >= {{since:{TIME_TYPE}}}
    """
    # One that has not ended may still get its output.
    _OF_OBSERVATIONS = Template(f"""
        SELECT id, trace_id, row_version AS version $more FROM observations FINAL
        WHERE project_id = {{project_id:String}} AND {_IN_SPAN} {_GUARD}
            AND CRC32(trace_id) % {{modulus:UInt32}} = {{remainder:UInt32}}
            AND created_at >= {{active_since:{TIME_TYPE}}} AND (isNotNull(end_time) OR type = 'EVENT') $where
    """)  # noqa: S608 - constants
    _OF_TRACES = Template(f"""
        SELECT id, id AS trace_id, row_version AS version, session_id FROM traces FINAL
        WHERE project_id = {{project_id:String}} AND {_IN_SPAN} {_GUARD}
            AND CRC32(id) % {{modulus:UInt32}} = {{remainder:UInt32}} $where
    """)  # noqa: S608 - constants

    async def seen(self, rule: EvaluationRule, span: Span) -> list[Target]:
        """The targets of a rule that are new or have grown; raises Unavailable, QueryTooExpensive."""
        in_payload = [condition for condition in rule.filter if rule_filters.in_payload(condition)]
        in_row = [condition for condition in rule.filter if not rule_filters.in_payload(condition)]
        if rule.target in {RuleTarget.TRACE, RuleTarget.SESSION}:
            return _grown(await self._read(self._OF_TRACES, rule, span, conditions=in_row), rule.target)
        rows = await self._read(
            self._OF_OBSERVATIONS, rule, span, conditions=in_row, more=", output" if in_payload else ""
        )
        return [
            Target(rule.target, row["id"], row["trace_id"], row["version"])
            for row in plain_rows(rows)
            if all(rule_filters.holds(condition, _called(row["output"])) for condition in in_payload)
        ]

    async def _read(
        self, sql: Template, rule: EvaluationRule, span: Span, *, conditions: Sequence[Condition], more: str = ""
    ) -> pa.Table:
        is_of_traces = sql is self._OF_TRACES
        where = Where.of(
            TRACE_COLUMNS if is_of_traces else OBSERVATION_COLUMNS,
            conditions,
            project_id=self._project_id,
            after=span.after,
            through=span.through,
            modulus=span.share.modulus,
            remainder=span.share.remainder,
            since=moment(max(rule.active_since, datetime.now(UTC) - _LATEST)),
            # What came of older ones is no longer known: they may have been judged.
            active_since=moment(max(rule.active_since, datetime.now(UTC) - KEPT)),
        )
        if rule.target is RuleTarget.EXPERIMENT:
            where = where.also("is_experiment_item")
        return await self._clickhouse.read(sql.substitute(where=where.sql, more=more), where.parameters)


def _grown(rows: pa.Table, kind: RuleTarget) -> list[Target]:
    if kind is RuleTarget.TRACE:
        return [Target(kind, row["id"], row["id"], row["version"]) for row in plain_rows(rows)]
    sessions: dict[str, int] = {}
    for row in plain_rows(rows):
        if row["session_id"]:
            sessions[row["session_id"]] = max(row["version"], sessions.get(row["session_id"], 0))
    return [Target(kind, session_id, "", version) for session_id, version in sessions.items()]


def _called(output: str) -> list[str]:
    return [call.name for call in tool_calls_of(output)]
