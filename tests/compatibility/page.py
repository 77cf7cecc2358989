"""The page: each route of the contract with its generation, and whether the applications have it."""

from collections.abc import Iterator
from pathlib import Path

from tests.compatibility.contract import GENERATIONS
from tests.integration.api.access.routes import ingest_routes, query_routes

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
_HEAD = """# Compatibility

Each route of the contract below `/api/public`, the generation of the API that it belongs to, and whether it is there.
Both generations are answered at once, from the same rows. `python -m tests.compatibility` writes this page from the
routes of the applications, and a test fails while it says anything else. Each route that is there is asked with every
kind of key and with another tenant's, once rightly, and with whatever breaks its description
(`tests/integration/api/access`); those of the query API also by requests made from their description
(`test_described.py`), and those that are read in parts to their end while things arrive (`walks`, [what is
promised](reading.md)). What a route answers in each case is in its own tests.

| route | generation | state | whose key |
|---|---|---|---|
"""


def text() -> str:
    """The whole page."""
    rows = list(_rows())
    answered = sum("| there |" in row for row in rows)
    return f"{_HEAD}{''.join(rows)}\n{answered} of {len(rows)} routes are there.\n"


def _rows() -> Iterator[str]:
    had = {route.line: route for route in [*query_routes(), *ingest_routes()]}
    for generation, listed in GENERATIONS.items():
        for line in listed.split("\n"):
            if line:
                route = had.get(line)
                state, access = ("there", str(route.access)) if route else ("missing", "")
                yield f"| `{line.replace('{}', '{…}')}` | {generation} | {state} | {access} |\n"
