from datetime import UTC, datetime, timedelta

from dashboard.queries.traces import trace_conditions
from dashboard.state import Scope, TraceList, query_of

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


def test_only_given_filters_become_conditions() -> None:
    assert len(trace_conditions(Scope(), TraceList())) == 2
    scope = Scope(environment="production", tag="vip", model="gpt")
    columns = [condition.column for condition in trace_conditions(scope, TraceList(named="chat", level="ERROR"))]
    assert columns == ["timestamp", "timestamp", "environment", "tags", "models", "name", "level"]
