"""How a benchmark prints: a table for people, JSON for machines."""

import json
import sys
from collections.abc import Mapping

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
