"""How a benchmark prints: a table for people, JSON for machines."""

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def show(title: str, figures: Mapping[str, object]) -> None:
    """Print the figures as a table on standard error and as one JSON line on standard output."""
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name, _text(value))
    Console(stderr=True).print(table)
    sys.stdout.write(json.dumps({"benchmark": title, **figures}, default=str) + "\n")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def show_rows(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows of the same figures as one table on standard error and as one JSON line on standard output."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    Console(stderr=True).print(table)
    sys.stdout.write(json.dumps({"benchmark": title, "rows": rows}, default=str) + "\n")
