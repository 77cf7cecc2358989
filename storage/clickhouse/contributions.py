"""What the lanes read back: the contributions to subjects that are no longer cached. Never a payload."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from heliograph.domain.errors import QueryTooExpensive, Unavailable
from heliograph.domain.tables import OBSERVATIONS
from storage.clickhouse.deferred import DeferredClient

_RETRY_AFTER_SECONDS = 1.0
# ClickHouse takes no longer parameter than 128 kB.
_PROJECTS_AT_ONCE = 1_000
# A server that fails half-way leaves half an Arrow stream.
_AWAY = (ClickHouseError, HTTPError, OSError, pa.ArrowException, QueryTooExpensive)


class Contributions:
    """Reads, across projects, the rows that a lane needs to go on with a subject. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient) -> None:
        self._client = client

    _OBSERVATIONS = """
        SELECT project_id, trace_id, id, parent_observation_id, type, name, start_time, end_time, level, environment,
            release, version, is_app_root, trace_name, user_id, session_id, tags, public, trace_metadata,
            if(parent_observation_id = '' OR is_app_root, input_preview, '') AS input_preview,
            if(parent_observation_id = '' OR is_app_root, output_preview, '') AS output_preview,
            provided_model_name, input_tokens, output_tokens, total_tokens, total_cost, placed_at, created_at,
            updated_at, row_version, CAST(merge_state != '' AS Bool) AS in_parts
        FROM observations FINAL
        WHERE project_id IN {projects:Array(String)} AND trace_id IN {subjects:Array(String)}
    """

    def observations(self, projects: Sequence[str], trace_ids: Sequence[str]) -> pa.Table:
        """Every observation of the traces, without payloads."""
        return self._read(self._OBSERVATIONS, projects, trace_ids)

    _WHOLE_OBSERVATIONS = f"""
        SELECT {", ".join(OBSERVATIONS.names)} FROM observations FINAL
        WHERE project_id IN {{projects:Array(String)}} AND trace_id IN {{subjects:Array(String)}}
            AND id IN {{ids:Array(String)}}
    """  # noqa: S608 - a constant

    def whole_observations(self, projects: Sequence[str], trace_ids: Sequence[str], ids: Sequence[str]) -> pa.Table:
        """Rows with their payloads, for events that change a part of them: all columns of `observations`."""
        return self._read(self._WHOLE_OBSERVATIONS, projects, trace_ids, ids=list(ids)).cast(OBSERVATIONS)

    _SCORES = """
        SELECT project_id, id, trace_id, session_id, dataset_run_id, name, data_type, value, string_value, placed_at,
            created_at, updated_at, row_version
        FROM scores FINAL
        WHERE project_id IN {projects:Array(String)}
            AND (trace_id IN {subjects:Array(String)}
                OR (trace_id = '' AND session_id != ''
                    AND concat('session:', session_id) IN {subjects:Array(String)})
                OR (trace_id = '' AND dataset_run_id != ''
                    AND concat('run:', dataset_run_id) IN {subjects:Array(String)}))
    """

    def scores(self, projects: Sequence[str], subjects: Sequence[str]) -> pa.Table:
        """Every score on the subjects, without comments and long texts."""
        return self._read(self._SCORES, projects, subjects)

    # Superseded rows count too: a score that was sent again for another trace is deleted from both.
    _SCORES_BY_ID = """
        SELECT DISTINCT project_id, id, trace_id, session_id, dataset_run_id FROM scores
        WHERE project_id IN {projects:Array(String)} AND id IN {subjects:Array(String)}
    """

    def scores_by_id(self, projects: Sequence[str], ids: Sequence[str]) -> pa.Table:
        """What the scores of these ids are about."""
        return self._read(self._SCORES_BY_ID, projects, ids)

    _TRACES = """
        SELECT project_id, id, merge_state, if(merge_state = '', '', input) AS input,
            if(merge_state = '', '', output) AS output, bookmarked, placed_at, created_at, updated_at,
            row_version
        FROM traces FINAL
        WHERE project_id IN {projects:Array(String)} AND id IN {subjects:Array(String)}
    """

    def traces(self, projects: Sequence[str], trace_ids: Sequence[str]) -> pa.Table:
        """The traces' own parts: what events set on the trace itself, and where its row lies."""
        return self._read(self._TRACES, projects, trace_ids)

    # The same hash as the lane's filter computes: xxHash64 of project, NUL, subject.
    _SUBJECTS = """
        SELECT xxHash64(concat(project_id, '\\0', id)) AS subject FROM traces
        UNION ALL
        SELECT xxHash64(concat(project_id, '\\0', multiIf(trace_id != '', trace_id, session_id != '',
            concat('session:', session_id), concat('run:', dataset_run_id)))) AS subject FROM scores
    """

    def known_subjects(self) -> Iterator[np.ndarray]:
        """The hash of every stored subject, in blocks of UInt64; repeated ones are possible."""
        return self._subjects(self._SUBJECTS, {})

    _SUBJECTS_OF = """
        SELECT xxHash64(concat(project_id, '\\0', id)) AS subject FROM traces
        WHERE project_id IN {projects:Array(String)}
        UNION ALL
        SELECT xxHash64(concat(project_id, '\\0', multiIf(trace_id != '', trace_id, session_id != '',
            concat('session:', session_id), concat('run:', dataset_run_id)))) AS subject FROM scores
        WHERE project_id IN {projects:Array(String)}
    """

    def subjects_of(self, projects: Sequence[str]) -> Iterator[np.ndarray]:
        """The same of some projects."""
        for start in range(0, len(projects), _PROJECTS_AT_ONCE):
            chunk = list(projects[start : start + _PROJECTS_AT_ONCE])
            yield from self._subjects(self._SUBJECTS_OF, {"projects": chunk})

    def _subjects(self, sql: str, parameters: dict[str, Any]) -> Iterator[np.ndarray]:
        try:
            with self._client.get().query_arrow_stream(sql, parameters=parameters) as blocks:
                for block in blocks:
                    yield block.column("subject").to_numpy()
        except _AWAY as error:
            raise Unavailable("ClickHouse", _RETRY_AFTER_SECONDS) from error

    def _read(self, sql: str, projects: Sequence[str], subjects: Sequence[str], **more: list[str]) -> pa.Table:
        parameters: dict[str, Any] = {"projects": list(projects), "subjects": list(subjects), **more}
        try:
            return self._client.get().query_arrow(sql, parameters=parameters)
        except _AWAY as error:
            raise Unavailable("ClickHouse", _RETRY_AFTER_SECONDS) from error
