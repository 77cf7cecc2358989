"""Turns SQL of users into SQL that reads the rows of one project and nothing else, or refuses it.

The text is parsed, held against a list of what may occur, and written anew: ClickHouse never sees what a user sent.
"""

import logging
import re
from collections.abc import Callable, Iterator
from string import Template
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError
from sqlglot.generators.clickhouse import ClickHouseGenerator
from sqlglot.parsers.clickhouse import ClickHouseParser

from heliograph.domain.errors import InvalidRequest
from storage.clickhouse.exposed import EXPOSED
from storage.clickhouse.sql.allowed import BEFORE_PARENTHESIS, FUNCTIONS, TYPES, WORDS

_TABLES = {table.value: exposed for table, exposed in EXPOSED.items()}
_BOUND = Template("SELECT $columns FROM $table FINAL WHERE project_id = {project_id:String}")
_MAX_DEPTH = 100
_MAX_NODES = 5_000
# No table of the database begins so: a name of a subquery that is not in scope where it stands means nothing there.
_CTE_PREFIX = "query of the user: "

_NODES: tuple[type[exp.Expr], ...] = (
    *(exp.Select, exp.Subquery, exp.Union, exp.Intersect, exp.Except, exp.With, exp.CTE, exp.Table, exp.TableAlias),
    *(exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Qualify),
    *(exp.Distinct, exp.Star, exp.Column, exp.Identifier, exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.Paren),
    *(exp.Tuple, exp.Array, exp.Bracket, exp.Dot, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Case, exp.If),
    *(exp.Interval, exp.Var, exp.Extract, exp.Lambda, exp.Window, exp.WindowSpec, exp.Exists, exp.In, exp.Between),
    *(exp.And, exp.Or, exp.Not, exp.Neg, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Like),
    *(exp.ILike, exp.Escape, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.Cube, exp.Rollup),
    *(exp.GroupingSets, exp.Anonymous, exp.AnonymousAggFunc, exp.CombinedAggFunc, exp.ParameterizedAgg),
    *(exp.CombinedParameterizedAgg, exp.Final, exp.Xor),
)
_SELECT_PARTS = frozenset(
    [
        "with_",
        "expressions",
        "distinct",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "qualify",
        "kind",
        "operation_modifiers",
    ]
)
_NAME = re.compile(r"[^\W\d][\w .:/-]{0,127}")
_TOKEN = re.compile(
    r"""
    (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<name>"[^"\\]*")
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign>->|<>|<=|>=|!=|\|\||[-+*/%=<>()\[\],.:])
    | (?P<space>\s+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Dialect(ClickHouse):
    """ClickHouse's own, in which functions stay what they are called."""

    class Parser(ClickHouseParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parser for name, parser in ClickHouseParser.FUNCTION_PARSERS.items() if name in {"CAST", "EXTRACT"}
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS = {"CASE": ClickHouseParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}  # noqa: RUF012

    class Generator(ClickHouseGenerator):
        def literal_sql(self, expression: exp.Literal) -> str:
            """A text with ClickHouse's escapes, all of them ours."""
            if not expression.is_string:
                return str(expression.this)
            return "'" + str(expression.this).replace("\\", "\\\\").replace("'", "\\'") + "'"


_DIALECT = _Dialect()
# It warns of each statement that it does not know, with the text: that is answered, not logged.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def confined(text: str) -> str:
    """The same query over the rows of the project that `{project_id:String}` names.

    Raises:
        InvalidRequest: the query is not one SELECT, or holds something that is not allowed; it says what.
    """
    try:
        tree = _parsed(text)
        _check(tree)
        # Every read is FINAL already.
        for final in list(tree.find_all(exp.Final)):
            final.replace(final.this)
        _rename_queries(tree)
        _check_words(_rendered(tree))
        return _rendered(_bound(tree))
    except (SqlglotError, RecursionError, ValueError) as error:
        told = (
            "is nested too deeply" if isinstance(error, RecursionError) else f"cannot be parsed: {_first_line(error)}"
        )
        raise InvalidRequest("query", told) from None


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest("query", reason)


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0][:300]


def _parsed(text: str) -> exp.Expr:
    if "\0" in text:
        raise _refused("holds a NUL character")
    statements = [statement for statement in _DIALECT.parse(text) if statement is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise _refused("must be one SELECT; everything else is written through the API")
    return statements[0]


def _rendered(tree: exp.Expr) -> str:
    return str(_DIALECT.generate(tree, identify=True, comments=False, copy=True))


def _check(tree: exp.Expr) -> None:
    for number, node in enumerate(tree.walk()):
        if number > _MAX_NODES or node.depth > _MAX_DEPTH:
            raise _refused("is too long or nested too deeply")
        if type(node) not in _NODES:
            raise _refused(f"{type(node).__name__} is not allowed here")
        if (check := _CHECKS.get(type(node))) is not None:
            check(node)


def _check_select(node: Any) -> None:
    if not node.expressions:
        raise _refused("SELECT names nothing")
    if unknown := {name for name, value in node.args.items() if value} - _SELECT_PARTS:
        raise _refused(f"{min(unknown).upper()} is not allowed here")


def _check_table(node: Any) -> None:
    if not isinstance(node.this, exp.Identifier):
        raise _refused("table functions are not allowed: read observations, traces or scores")
    if node.args.get("db") or node.args.get("catalog"):
        raise _refused(f"there are no databases here: write {node.name}")
    if unknown := {name for name, value in node.args.items() if value} - {"this", "alias"}:
        raise _refused(f"{min(unknown).upper()} is not allowed on a table")


def _check_alias(node: Any) -> None:
    if node.args.get("columns"):
        raise _refused("a list of columns after an alias is not allowed")


def _check_name(node: Any) -> None:
    if not _NAME.fullmatch(node.name) or node.name.startswith(_CTE_PREFIX):
        raise _refused(f"{node.name[:40]!r} is not allowed as a name")
    node.set("quoted", True)


def _check_in(node: Any) -> None:
    """A name on the right of IN is a table to ClickHouse, in parentheses too."""
    if node.args.get("field") or node.args.get("unnest"):
        raise _refused("IN takes values or a subquery in parentheses; for lists write has(list, value)")
    if any(each.find(exp.Column) for each in node.expressions if not each.find(exp.Query)):
        raise _refused("IN takes values, not columns: compare with = and or")
    if any(each.find(exp.Query) for each in node.expressions):
        raise _refused("IN takes values or one subquery")


def _check_with(node: Any) -> None:
    if node.args.get("recursive"):
        raise _refused("WITH RECURSIVE is not allowed")


def _check_join(node: Any) -> None:
    if "ARRAY" in str(node.args.get("kind") or "").upper() or not isinstance(node.this, exp.Table | exp.Subquery):
        raise _refused("ARRAY JOIN is not allowed: write arrayJoin(list)")


def _check_var(node: Any) -> None:
    if node.name.lower() not in WORDS:
        raise _refused(f"{node.name[:40]!r} is not allowed here")


def _check_final(node: Any) -> None:
    if not isinstance(node.this, exp.Table):
        raise _refused("FINAL stands after a table alone")


_CHECKS: dict[type[exp.Expr], Callable[[Any], None]] = {
    exp.Select: _check_select,
    exp.Table: _check_table,
    exp.TableAlias: _check_alias,
    exp.Identifier: _check_name,
    exp.In: _check_in,
    exp.With: _check_with,
    exp.Join: _check_join,
    exp.Var: _check_var,
    exp.Final: _check_final,
}


def _rename_queries(tree: exp.Expr) -> None:
    """Give subqueries of WITH names that no table has, so that where one is out of scope it is nothing."""
    queries = [cte for cte in tree.find_all(exp.CTE) if not cte.args.get("scalar")]
    names = {cte.alias for cte in queries}
    if taken := names & set(_TABLES):
        raise _refused(f"WITH cannot give the name {min(taken)!r}, which a table has")
    for cte in queries:
        cte.set("alias", exp.TableAlias(this=exp.to_identifier(_CTE_PREFIX + cte.alias, quoted=True)))
    for table in list(tree.find_all(exp.Table)):
        if table.name in names:
            alias = table.alias or table.name
            table.set("this", exp.to_identifier(_CTE_PREFIX + table.name, quoted=True))
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        elif table.name not in _TABLES:
            raise _refused(f"there is no table {table.name!r}; there are {', '.join(sorted(_TABLES))}")


def _check_words(sql: str) -> None:
    """Hold what ClickHouse will read against the lists, word by word, whatever the parser took it for."""
    tokens = [token for token in _tokens(sql) if token[0] != "space"]
    for (kind, text), (_, following) in zip(tokens, [*tokens[1:], ("", "")], strict=True):
        is_call = following == "("
        word = text.lower()
        if kind == "name" and is_call:
            raise _refused(f"{text} is not allowed as the name of a function")
        if kind != "word":
            continue
        if is_call and word not in FUNCTIONS | BEFORE_PARENTHESIS | TYPES:
            raise _refused(f"the function {text} is not allowed")
        if not is_call and word not in WORDS | TYPES:
            raise _refused(f"{text} is not allowed here")


def _tokens(sql: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(sql):
        found = _TOKEN.match(sql, position)
        if found is None or found.lastgroup is None:
            raise _refused(f"{sql[position]!r} is not allowed here")
        yield found.lastgroup, found.group()
        position = found.end()


def _bound(tree: exp.Expr) -> exp.Expr:
    for table in list(tree.find_all(exp.Table)):
        if table.name in _TABLES:
            table.replace(_rows_of(table.name, table.alias or table.name))
    return tree


def _rows_of(name: str, alias: str) -> exp.Expr:
    """The rows of the project as a subquery."""
    exposed = _TABLES[name]
    sql = _BOUND.substitute(columns=exposed.projection(exposed.columns), table=name)
    bound = ClickHouse().parse(sql)[0]
    assert bound is not None
    return exp.Subquery(this=bound, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
