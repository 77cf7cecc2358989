"""Pages in a browser: `python -m tests.benchmarks.pages --traces 100000` fills a dashboard of its own and times it.

Engines, dashboard and Chromium run on this machine; each figure stands beside its floor, the p95 in milliseconds.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from playwright.sync_api import Browser, Page, sync_playwright

from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import Writer
from tests import factories
from tests.benchmarks import read_rows, report
from tests.browser.conftest import CHROMIUM, FLAGS, PASSWORD, Site, served, sign_in
from tests.integration.engines import embedded, fresh_settings, running

_TYPES = ("AGENT", "CHAIN", "TOOL", "GENERATION", "RETRIEVER", "SPAN")
_SIZES = {"small": 100, "large": 30_000}
_SESSIONS = 20
_PATIENCE_MILLISECONDS = 120_000
_FIRST_ROW = "tbody tr"
_FIRST_SPAN = "[role=treeitem]"


@dataclass(frozen=True)
class Visit:
    """A page, what it shows first, and within how many milliseconds it should."""

    name: str
    path: str
    shown: str
    floor: float


def visits(site: Site) -> list[Visit]:
    """What people open most."""
    project = f"project={site.full.id}&range=90d"
    return [
        Visit("overview", f"/?{project}", ".card .number", 1500),
        Visit("traces", f"/traces?{project}", _FIRST_ROW, 1500),
        Visit("sessions", f"/sessions?{project}", _FIRST_ROW, 1500),
        Visit("trace of 100 spans", f"/trace?{project}&trace=small", _FIRST_SPAN, 1000),
        Visit("trace of 30,000 spans", f"/trace?{project}&trace=large", _FIRST_SPAN, 3000),
    ]


def run(site: Site, browser: Browser, times: int) -> list[dict[str, object]]:
    """Time every page `times` times, once it was opened; one row for each."""
    page = _signed_in(browser, site)
    rows = [
        _row(visit.name, [_opened(page, visit) for _ in range(times + 1)][1:], visit.floor) for visit in visits(site)
    ]
    rows.append(_row("filter of traces", [_filtered(page, site, turn) for turn in range(times)], 1000))
    page.context.close()
    return rows


def crowd(site: Site, browser: Browser) -> dict[str, object]:
    """Many open the traces at once, each in a session of their own: how long it takes, and what a session weighs."""
    first = _signed_in(browser, site)
    pages = [first.context.new_page() for _ in range(_SESSIONS)]
    before, started, errors = _resident_bytes(), time.monotonic(), 0
    for page in pages:
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        page.goto(f"/traces?project={site.full.id}&range=90d", wait_until="commit")
    for page in pages:
        page.locator(_FIRST_ROW).first.wait_for()
        errors += page.get_by_role("alert").count()
    taken = time.monotonic() - started
    weight = (_resident_bytes() - before) / _SESSIONS
    first.context.close()
    return {
        "sessions": _SESSIONS,
        "seconds until all are filled": taken,
        "errors": errors,
        "MB a session": weight / 1e6,
    }


def _signed_in(browser: Browser, site: Site) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=site.url).new_page()
    page.set_default_timeout(_PATIENCE_MILLISECONDS)
    sign_in(page, PASSWORD)
    page.wait_for_url("**/?*")
    return page


def _opened(page: Page, visit: Visit) -> float:
    def open_it() -> None:
        page.goto(visit.path, wait_until="commit")
        page.locator(visit.shown).first.wait_for()

    return _timed(open_it)


def _filtered(page: Page, site: Site, turn: int) -> float:
    page.goto(f"/traces?project={site.full.id}&range=90d")
    page.locator(_FIRST_ROW).first.wait_for()
    wanted = f"request {turn % 10}"
    page.get_by_label("Name contains").fill(wanted)

    def change() -> None:
        page.get_by_label("Name contains").press("Enter")
        page.wait_for_url("**named=*")
        page.locator(f"{_FIRST_ROW}:first-child", has_text=wanted).wait_for()
        page.locator(".frame:not(.busy)").first.wait_for()

    return _timed(change)


def _timed(act: Callable[[], Any]) -> float:
    started = time.monotonic()
    act()
    return (time.monotonic() - started) * 1000


def _row(name: str, milliseconds: Sequence[float], floor: float) -> dict[str, object]:
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"page": name, "p50 ms": float(p50), "p95 ms": float(p95), "floor": floor}


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


def fill(settings: Settings, project_id: str, traces: int) -> None:
    """Store that many traces of ten observations, and two of their own kind: a small one and a large one."""
    client = connect_blocking(settings.clickhouse, settings.clickhouse_url)
    writer = Writer(DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url)))
    for table, rows in [*_deep(project_id), *read_rows.tables(project_id, traces)]:
        writer.insert(table, rows)
    for table in ("traces", "observations"):
        client.command(f"OPTIMIZE TABLE {table}", settings={"optimize_throw_if_noop": 0})
    client.close()


def _deep(project_id: str) -> Iterator[tuple[str, pa.Table]]:
    for trace_id, spans in _SIZES.items():
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        trace = factories.trace(project_id, trace_id, name=trace_id, timestamp=at, observation_count=spans)
        yield "traces", factories.table("traces", [trace])
        chance = random.Random(7)
        rows = [_span(project_id, trace_id, place, at=at, chance=chance) for place in range(spans)]
        yield "observations", factories.table("observations", rows)


def _span(project_id: str, trace_id: str, place: int, *, at: datetime, chance: random.Random) -> dict[str, Any]:
    start = at + timedelta(milliseconds=3 * place)
    return factories.observation(
        project_id, trace_id, f"{place:016x}",
        parent_observation_id="" if place == 0 else f"{(place - 1) // 4:016x}",
        name=f"step {place % 40}", type=_TYPES[place % len(_TYPES)], start_time=start,
        end_time=start + timedelta(milliseconds=chance.randrange(1, 5000)), total_tokens=chance.randrange(2000),
    )  # fmt: skip


@contextmanager
def _site(traces: int) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        settings = fresh_settings(Path(folder) / "data")
        with running(settings, embedded(settings)), served(settings) as site:
            fill(site.stores, site.full.id, traces)
            yield site


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    with _site(asked.traces) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        report.show_rows("pages", run(site, browser, asked.times))
        report.show("pages of many at once", crowd(site, browser))
        browser.close()


if __name__ == "__main__":
    main()
