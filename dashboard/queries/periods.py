"""The period and the environment of a page in the readers' language."""

from dashboard.state import Period
from heliograph.domain.filters import Condition, before, equals, since


def within(column: str, period: Period, environment: str) -> list[Condition]:
    """Conditions that a row's time lies in the period and, unless it is '', that its environment is this one."""
    span: list[Condition] = [since(column, period.after), before(column, period.before)]
    return [*span, equals("environment", environment)] if environment else span
