"""What the control row says, in the readers' language."""

from dashboard.state import Period, Scope
from heliograph.domain.filters import Condition, Expression, before, equals, holds_all, since
from heliograph.domain.own_traces import WITHOUT_OWN


def within(column: str, period: Period, environment: str) -> list[Condition]:
    """Conditions that a row's time lies in the period and, unless it is '', that its environment is this one."""
    span: list[Condition] = [since(column, period.after), before(column, period.before)]
    return [*span, equals("environment", environment)] if environment else span


def environments(scope: Scope) -> list[Expression]:
    """Conditions on the environment: the chosen one, or any but those that are the platform's own."""
    if scope.environment:
        return [equals("environment", scope.environment)]
    return [] if scope.own else [WITHOUT_OWN]


def of_traces(scope: Scope) -> list[Expression]:
    """Conditions on traces; what is '' is left out."""
    models = [holds_all("models", [scope.model])] if scope.model else []
    return [*within("timestamp", scope.period(), ""), *environments(scope), *_tagged(scope), *models]


def of_observations(scope: Scope) -> list[Expression]:
    """Conditions on observations; what is '' is left out."""
    models = [equals("providedModelName", scope.model)] if scope.model else []
    return [*within("startTime", scope.period(), ""), *environments(scope), *_tagged(scope), *models]


def of_scores(scope: Scope) -> list[Condition]:
    """Conditions on scores; what is '' is left out."""
    versions = [equals("evaluatorVersion", scope.evaluator)] if scope.evaluator else []
    return [*within("timestamp", scope.period(), scope.environment), *versions]


def _tagged(scope: Scope) -> list[Condition]:
    return [holds_all("tags", [scope.tag])] if scope.tag else []
