"""Sums over what raters said of the same targets: all that figures of agreement need."""

from collections.abc import Sequence
from string import Template

import pyarrow as pa

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_analytics import MAX_CATEGORIES, AgreementQuestion, Match, Rater
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.score_analytics.scope import where_of

# One row for each rater, version and target: the latest of several scores.
_RATINGS = """
    SELECT trace_id, part_id, session_id, dataset_run_id, rater, version,
        latest.1 AS value, latest.2 AS label, latest.3 AS is_number
    FROM (
        SELECT trace_id, $observation AS part_id, session_id, dataset_run_id,
            arrayJoin(arrayFilter(
                i -> name = {names:Array(String)}[i]
                    AND {sources:Array(String)}[i] IN ('', source)
                    AND {versions:Array(String)}[i] IN ('', evaluator_version)
                    AND {authors:Array(String)}[i] IN ('', author_user_id),
                arrayEnumerate({names:Array(String)})
            )) AS rater,
            $version AS version,
            argMax(
                (value, if(string_value != '', string_value, toString(value)), data_type IN ('NUMERIC', 'BOOLEAN')),
                (timestamp, id)
            ) AS latest
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND name IN {names:Array(String)}
            AND data_type NOT IN ('TEXT', 'CORRECTION') $where
        GROUP BY trace_id, part_id, session_id, dataset_run_id, rater, version
    )
"""
# Every version of the first with every one of the second; without a rating the version is ''.
_PAIRS = f"""
    SELECT first.1 AS first_version, second.1 AS second_version, first.2 AS x, second.2 AS y,
        first.3 AS first_label, second.3 AS second_label, first.4 AND second.4 AS are_numbers
    FROM (
        SELECT groupArrayIf((version, value, label, is_number), rater = 1) AS firsts,
            groupArrayIf((version, value, label, is_number), rater = 2) AS seconds
        FROM ({_RATINGS}) GROUP BY trace_id, part_id, session_id, dataset_run_id
    ) ARRAY JOIN firsts AS first ARRAY JOIN seconds AS second
"""  # noqa: S608 - constants


class ScoreAgreements:
    """What raters of one project said of the same targets.

    Args:
        clickhouse: where scores are read.
        project_id: whose they are.
        asked: which raters, which scores, and when two are about the same.
    """

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId, asked: AgreementQuestion) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id
        self._asked = asked

    _RATED = f"SELECT rater, version, count() AS n FROM ({_RATINGS}) GROUP BY rater, version ORDER BY rater, version"  # noqa: S608

    async def rated(self, *, by_version: bool) -> pa.Table:
        """How many targets each rater rated: rater (from 1), version, n."""
        return await self._read(self._RATED, by_version=by_version)

    _TARGETS = f"""
        SELECT count() AS n FROM (
            SELECT 1 FROM ({_RATINGS}) GROUP BY trace_id, part_id, session_id, dataset_run_id
        )
    """  # noqa: S608

    async def targets(self) -> int:
        """How many targets any of them rated."""
        return int((await self._read(self._TARGETS, by_version=False))["n"][0].as_py())

    _CELLS = f"""
        SELECT first_version, second_version, first_label, second_label, count() AS n
        FROM ({_PAIRS}) GROUP BY first_version, second_version, first_label, second_label
        ORDER BY first_version, second_version, first_label, second_label LIMIT {MAX_CATEGORIES**2 + 1}
        BY first_version, second_version
    """  # noqa: S608

    async def cells(self, *, by_version: bool) -> pa.Table:
        """How often two labels met: first_version, second_version, first_label, second_label, n."""
        return await self._read(self._CELLS, by_version=by_version)

    # Ties share their mean rank.
    _NUMBERS = f"""
        SELECT first_version, second_version, count() AS n, corrStable(x, y) AS pearson, corrStable(rx, ry) AS spearman,
            avg(abs(y - x)) AS mean_absolute_error, avg(y - x) AS bias, stddevSampStable(y - x) AS deviation,
            varPopStable(x) > 0 AND varPopStable(y) > 0 AS varies
        FROM (
            SELECT *,
                rank() OVER (PARTITION BY first_version, second_version ORDER BY x)
                    + (count() OVER (PARTITION BY first_version, second_version, x) - 1) / 2 AS rx,
                rank() OVER (PARTITION BY first_version, second_version ORDER BY y)
                    + (count() OVER (PARTITION BY first_version, second_version, y) - 1) / 2 AS ry
            FROM ({_PAIRS}) WHERE are_numbers
        ) GROUP BY first_version, second_version ORDER BY first_version, second_version
    """  # noqa: S608

    async def numbers(self, *, by_version: bool) -> pa.Table:
        """Of two raters' numbers: n, pearson, spearman, mean_absolute_error, bias and its deviation, varies."""
        return await self._read(self._NUMBERS, by_version=by_version)

    # With m ratings of one target, the squared differences of all ordered pairs add up to 2 (m Σx² - (Σx)²), and those
    # of equal labels are Σ over labels of their counts' squares: the coincidence matrix is never built.
    _DISAGREEMENT = f"""
        WITH rated AS (
            SELECT *, count() OVER (PARTITION BY trace_id, part_id, session_id, dataset_run_id) AS m
            FROM ({_RATINGS})
        ), ranked AS (
            SELECT *, rank() OVER (ORDER BY value) + (count() OVER (PARTITION BY value) - 1) / 2 AS place,
                count() OVER (PARTITION BY label) AS alike,
                count() OVER (PARTITION BY trace_id, part_id, session_id, dataset_run_id, label) AS alike_here
            FROM rated WHERE m > 1
        ), units AS (
            SELECT any(m) AS m, sum(alike_here) AS same, sum(alike) AS same_anywhere, min(is_number) AS are_numbers,
                sum(value) AS s, sum(value * value) AS q, sum(place) AS ps, sum(place * place) AS pq
            FROM ranked GROUP BY trace_id, part_id, session_id, dataset_run_id
        )
        SELECT count() AS targets, sum(m) AS n, min(are_numbers) AS all_numbers,
            sum((m * m - same) / (m - 1)) / n AS nominal_observed,
            (n * n - sum(same_anywhere)) / (n * (n - 1)) AS nominal_expected,
            sum(2 * (m * q - s * s) / (m - 1)) / n AS interval_observed,
            2 * (n * sum(q) - sum(s) * sum(s)) / (n * (n - 1)) AS interval_expected,
            sum(2 * (m * pq - ps * ps) / (m - 1)) / n AS ordinal_observed,
            2 * (n * sum(pq) - sum(ps) * sum(ps)) / (n * (n - 1)) AS ordinal_expected
        FROM units
    """  # noqa: S608

    async def disagreement(self) -> pa.Table:
        """One row: targets with two ratings, and by level the disagreement that was observed and that chance gives."""
        return await self._read(self._DISAGREEMENT, by_version=False)

    # Of the second rater; those that the first rated too are told apart.
    _VERDICTS = f"""
        SELECT second.1 AS version, firsts > 0 AS is_labelled, count() AS n, avg(second.2) AS mean,
            stddevSampStable(second.2) AS deviation, countIf(second.3 = 'True') AS positives
        FROM (
            SELECT groupArrayIf((version, value, label), rater = 2) AS seconds, countIf(rater = 1) AS firsts
            FROM ({_RATINGS}) GROUP BY trace_id, part_id, session_id, dataset_run_id
        ) ARRAY JOIN seconds AS second GROUP BY version, is_labelled ORDER BY version, is_labelled
    """  # noqa: S608

    async def verdicts(self) -> pa.Table:
        """The second rater's, by whether the first has one: version, is_labelled, n, mean, deviation, positives."""
        return await self._read(self._VERDICTS, by_version=True)

    async def _read(self, sql: str, *, by_version: bool) -> pa.Table:
        where = where_of(self._asked, self._project_id, **_bound(self._asked.raters))
        observation = "observation_id" if self._asked.match is Match.TARGET else "''"
        version = "evaluator_version" if by_version else "''"
        text = Template(sql).substitute(observation=observation, version=version, where=where.sql)
        return await self._clickhouse.read(text, where.parameters)


def _bound(raters: Sequence[Rater]) -> dict[str, list[str]]:
    return {
        "names": [one.name for one in raters],
        "sources": [one.source or "" for one in raters],
        "versions": [one.evaluator_version or "" for one in raters],
        "authors": [one.author_user_id or "" for one in raters],
    }
