"""Screenshots of every page of a running stack, in each theme and width, with what is wrong on each.

`python -m tests.browser.screenshots http://127.0.0.1:3000 EMAIL PASSWORD --into screenshots [--axe axe.min.js]`
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS

WIDTHS = (1440, 1024)
THEMES = ("light", "dark")
LISTS = (
    *("", "traces", "observations", "sessions", "users", "scores", "prompts", "playground", "datasets", "annotation"),
    *("dashboards", "evaluators", "evaluator", "rules", "rule", "runs", "run", "settings", "operations"),
    "score-analytics",
)
# What is opened from the first row of a list; folders lead to what they hold, and a queue to its first item.
OPENED = {
    "traces": "trace",
    "sessions": "session",
    "prompts": "prompt",
    "datasets": "dataset",
    "dashboards": "dashboard",
    "annotation": "queue",
    "queue": "labelling",
}
# Only these say that something cannot be used.
SERIOUS = ("serious", "critical")
_AXE = "() => axe.run().then(({violations}) => violations.map(({id, impact, nodes}) => [impact, `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)}`]))"  # noqa: E501 - one expression
# Components live in shadow roots, into which Playwright looks and a selector of the page does not.
_IS_FILLED = """() => {
    const busy = (root) => [...root.querySelectorAll("*")].some(
        (node) => node.matches(".skeleton, .frame.busy") || (node.shadowRoot && busy(node.shadowRoot)))
    return !busy(document)
}"""
_TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"


@dataclass(frozen=True)
class Stack:
    """Where to look, and as whom."""

    url: str
    email: str
    password: str


def main() -> None:
    """Take the screenshots, and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("--into", type=Path, default=Path("screenshots"))
    parser.add_argument("--axe", type=Path, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--only", default="", help="names of pages, separated by commas")
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    axe = asked.axe.read_text("utf-8") if asked.axe else ""
    only = set(filter(None, asked.only.split(",")))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack = Stack(asked.url, asked.email, asked.password)
        for complaint in taken(browser, stack, asked.into, axe=axe, only=only):
            print(complaint)
        browser.close()


def taken(browser: Browser, stack: Stack, into: Path, *, axe: str, only: set[str]) -> Iterator[str]:
    """Take every screenshot; what is wrong comes out one by one."""
    for theme in THEMES:
        context = browser.new_context(base_url=stack.url, bypass_csp=bool(axe))
        context.add_cookies([{"name": "heliograph_theme", "value": theme, "url": stack.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        errors: list[str] = []
        page.on("console", partial(_note, errors))
        _sign_in(page, stack)
        for name, address in _pages(page, only):
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(address)
                _settle(page)
                place = f"{name}-{width}-{theme}"
                page.screenshot(path=into / f"{place}.png", full_page=True)
                yield from (f"{place}: {problem}" for problem in _problems(page, axe if width == WIDTHS[0] else ""))
        yield from (f"{theme}: console: {text}" for text in errors)
        context.close()


def _note(errors: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        errors.append(message.text)


def _sign_in(page: Page, stack: Stack) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(stack.email)
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    _settle(page)


def _pages(page: Page, only: set[str]) -> Iterator[tuple[str, str]]:
    for path in LISTS:
        if (path or "overview") in only or not only:
            yield path or "overview", f"/{path}"
    addresses: dict[str, str] = {}
    for path, opened in OPENED.items():
        if only and not {opened, OPENED.get(opened)} & only:
            continue
        page.goto(addresses.get(path, f"/{path}"))
        _settle(page)
        while link := page.locator("tbody a").first.get_attribute("href") if page.locator("tbody a").count() else None:
            if not link.startswith(f"/{path}?"):
                addresses[opened] = link
                if not only or opened in only:
                    yield opened, link
                break
            page.goto(link)
            _settle(page)


def _settle(page: Page) -> None:
    """Wait until the page is filled: its data come after it, and the plots after these."""
    page.locator("nav").first.wait_for()
    page.wait_for_function(_IS_FILLED)
    time.sleep(2)


def _problems(page: Page, axe: str) -> Iterator[str]:
    if page.evaluate(_TOO_WIDE):
        yield "wider than its window"
    if axe:
        page.evaluate(axe)
        yield from (f"{impact}: {text}" for impact, text in page.evaluate(_AXE) if impact in SERIOUS)


if __name__ == "__main__":
    main()
