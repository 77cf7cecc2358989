"""What SQL of users may be, before a server is asked."""

import re

import pytest

from heliograph.domain.errors import InvalidRequest
from storage.clickhouse.sql.confinement import confined
from tests.sql_attacks import ATTACKS, HARMLESS, QUERIES

_READ = re.compile(r'(?:FROM|JOIN|IN) "(?:observations|traces|scores)"')
_BOUND = re.compile(r'FROM "(?:observations|traces|scores)" FINAL WHERE "project_id" = \{project_id: String\}\)')


@pytest.mark.parametrize("query", [attack for attack in ATTACKS if attack not in HARMLESS])
def test_what_is_not_allowed_is_refused_with_a_reason(query: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        confined(query)
    assert refused.value.field == "query"
    assert len(refused.value.reason) < 500


@pytest.mark.parametrize("query", [*QUERIES, *sorted(HARMLESS)])
def test_every_table_that_is_read_is_bound_to_the_project(query: str) -> None:
    sql = confined(query)
    assert len(_READ.findall(sql)) == len(_BOUND.findall(sql))
    assert _BOUND.search(sql) or "from" not in query or "'" in query


def test_a_text_is_written_with_escapes_of_ours() -> None:
    assert confined(r"select 'a\'b', 'c''d', 'e\\', 'f\ng'") == "SELECT 'a\\'b', 'c\\'d', 'e\\\\', 'f\ng'"


def test_a_name_of_with_means_nothing_where_it_is_not_in_scope() -> None:
    sql = confined("select * from (with secrets as (select 1) select * from secrets) as a, secrets")
    assert '"secrets"' not in sql.replace('AS "secrets"', "")


def test_comments_do_not_reach_the_server() -> None:
    assert "secret" not in confined("select /* secret */ 1 -- secret")
