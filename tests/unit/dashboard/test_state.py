from datetime import UTC, datetime, timedelta

import pytest

from dashboard.filter_text import text_of
from dashboard.queries.traces import trace_conditions
from dashboard.state import Scope, TraceList, query_of
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import equals, leaves
from heliograph.domain.own_traces import JUDGES_ENVIRONMENT, WITHOUT_OWN

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_state_survives_the_address() -> None:
    wanted = TraceList(named="a b&c=d", level="ERROR", page=3, size=100)
    again = TraceList()
    again.read(query_of("?" + wanted.write()))
    assert again.write() == wanted.write()
    assert (again.named, again.page, again.size) == ("a b&c=d", 3, 100)


def test_defaults_are_not_in_the_address() -> None:
    assert TraceList().write() == ""


def test_what_does_not_fit_in_the_address_is_ignored() -> None:
    wanted = TraceList()
    wanted.read({"page": "-4", "size": "7", "sort": "evil", "order": "", "level": "??"})
    assert wanted.write() == ""


def test_an_id_of_digits_stays_text() -> None:
    scope = Scope()
    scope.read({"environment": "007"})
    assert scope.environment == "007"


def test_previous_period_ends_where_this_one_begins() -> None:
    period = Scope(range="24h").period(NOW)
    assert period.previous.before == period.after == NOW - timedelta(days=1)
    assert period.previous.after == NOW - timedelta(days=2)


def _columns(scope: Scope, wanted: TraceList) -> list[str]:
    return [each.column for asked in trace_conditions(scope, wanted) for each in leaves(asked)]


def test_only_given_filters_become_conditions() -> None:
    assert _columns(Scope(own="shown"), TraceList()) == ["timestamp", "timestamp"]
    scope = Scope(environment="production", tag="vip", model="gpt")
    wanted = TraceList(named="chat", level="ERROR", filter=text_of([equals("userId", "ada")]))
    asked = ["timestamp", "timestamp", "environment", "tags", "models", "name", "level", "userId"]
    assert _columns(scope, wanted) == asked


def test_the_platforms_own_traces_are_left_out_unless_they_or_their_environment_are_asked_for() -> None:
    assert WITHOUT_OWN in trace_conditions(Scope(), TraceList())
    assert WITHOUT_OWN not in trace_conditions(Scope(own="shown"), TraceList())
    assert WITHOUT_OWN not in trace_conditions(Scope(environment=JUDGES_ENVIRONMENT), TraceList())


def test_a_filter_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        trace_conditions(Scope(), TraceList(filter="[{]"))
