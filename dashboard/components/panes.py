"""Pieces of a page that show text of our own making: cards, headings, the empty state, details."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.plotting import figure
from markupsafe import Markup

from dashboard.components import formats
from dashboard.components.sparkline import sparkline
from heliograph.domain.errors import HeliographError

Act = Callable[[], Awaitable[None]]
_STYLE = (Path(__file__).parent / "detail.css").read_text("utf-8")

SNIPPET = """\
pip install langfuse

export LANGFUSE_BASE_URL="{url}"
export LANGFUSE_PUBLIC_KEY="{public_key}"
export LANGFUSE_SECRET_KEY="<the secret key of this project>"

python - <<'PYTHON'
from langfuse import get_client

langfuse = get_client()
with langfuse.start_as_current_observation(name="hello", as_type="span") as span:
    span.update(input="Hello", output="World")
langfuse.flush()
PYTHON
"""


def html(markup: str = "", **params: Any) -> pn.pane.HTML:
    """A pane of escaped HTML in the dashboard's look."""
    return pn.pane.HTML(str(markup), stylesheets=[_STYLE], sizing_mode="stretch_width", **{"margin": 0, **params})


def loading() -> pn.pane.HTML:
    """What stands on a page until its data have come."""
    return html('<div class="skeleton" role="status" aria-label="Loading"><i></i><i></i><i></i></div>')


@dataclass(frozen=True)
class Card:
    """One number of the overview.

    Attributes:
        trend: the values of its sparkline.
        is_growth_bad: colours an increase as a worsening; none where neither direction is good or bad.
    """

    title: str
    text: str
    value: float
    before: float
    trend: list[float]
    is_growth_bad: bool | None = None

    def render(self) -> Markup:
        """The card as HTML."""
        difference = formats.change(self.value, self.before)
        tone = ""
        if self.is_growth_bad is not None and difference:
            tone = "worse" if (self.value > self.before) == self.is_growth_bad else "better"
        against = f"{difference} vs previous period" if difference else "no earlier data"
        line = Markup(sparkline(self.trend))  # noqa: S704 numbers only
        return Markup(
            '<div class="card"><div class="title">{}</div><div class="number">{}</div>'
            '<div class="change {}">{}</div>{}</div>'
        ).format(self.title, self.text, tone, against, line)


def cards(items: list[Card]) -> Markup:
    """The row of cards."""
    return Markup('<div class="cards">{}</div>').format(Markup("").join(card.render() for card in items))


def figure_card(name: str, number: str, said: str, *, bar: float | None = None) -> Markup:
    """A number with its name and what it means, and how far it is where that is known."""
    shown = Markup("")
    if bar is not None:
        shown = Markup('<progress class="progress" aria-label="{}" value="{:.4f}" max="1"></progress>').format(
            name, bar
        )
    return Markup(
        '<div class="card plain"><div class="title">{}</div><div class="number">{}</div>'
        '<div class="change">{}</div>{}</div>'
    ).format(name, number, said, shown)


def subtitle(text: str) -> Markup:
    """The title of a part of a card."""
    return Markup('<p class="quiet">{}</p>').format(text)


GRID = {"gap": "14px"}
# A row is otherwise at least as wide as all that stands in it, and the page with it.
NARROW = {"min-width": "0"}
WRAP = {"flex-wrap": "wrap", **NARROW}
_SURFACE = {"border": "1px solid", "borderColor": "divider", "borderRadius": "12px", "p": "16px 16px 8px"}


def paper(*parts: Any) -> pmui.Paper:
    """A surface of its own."""
    return pmui.Paper(*parts, elevation=0, margin=0, sizing_mode="stretch_width", sx=_SURFACE)


def card(title: str, *parts: Any) -> pmui.Paper:
    """A titled surface."""
    return paper(html(Markup('<h3 class="plot">{}</h3>').format(title)), *parts)


_FOLDED = {
    "& .MuiAccordionSummary-root": {"minHeight": "38px", "px": 0},
    "& .MuiAccordionSummary-content, & .MuiAccordionSummary-content *": {"fontSize": "13px", "fontWeight": 500},
    "& .MuiAccordionDetails-root": {"px": 0, "pt": 0},
}


def folded(*parts: tuple[str, Any]) -> pmui.Accordion:
    """Titled parts that are opened when they are wanted."""
    return pmui.Accordion(
        *parts, sizing_mode="stretch_width", margin=(0, 0, 8, 0), disable_gutters=True, elevation=0, sx=_FOLDED
    )


def chart(title: str, plot: figure) -> pmui.Paper:
    """A titled plot on a surface of its own."""
    return card(title, pn.pane.Bokeh(plot, sizing_mode="stretch_width", margin=0))


def way(steps: Sequence[tuple[str, str]]) -> Markup:
    """Where one is, as links: names and addresses, the last of which is here."""
    links = [
        Markup('<a href="{}"{}>{}</a>').format(
            href, Markup(' aria-current="page"') if at == len(steps) - 1 else "", name
        )
        for at, (name, href) in enumerate(steps)
    ]
    return Markup('<nav class="way" aria-label="Folders">{}</nav>').format(Markup(" / ").join(links))


def between(section: str, pages: Sequence[tuple[str, str]], *, path: str, link: str) -> Markup:
    """The pages of a section, by path and title, as links, the one of `path` marked."""
    links = [
        Markup('<a href="{}{}"{}>{}</a>').format(
            page, link, Markup(' aria-current="page"') if page == path else "", title
        )
        for page, title in pages
    ]
    return Markup('<nav class="between" aria-label="{}">{}</nav>').format(section, Markup("").join(links))


def refusal(text: str) -> Markup:
    """Why something was not done."""
    return Markup('<p class="notice" role="alert">{}</p>').format(text)


def success(text: str) -> Markup:
    """That something was done."""
    return Markup('<p class="notice done" role="status">{}</p>').format(text)


def telling(said: pn.pane.HTML, act: Act) -> Callable[..., Awaitable[None]]:
    """What a button does: `act`, and when it is refused `said` tells why."""

    async def acting(*_: object) -> None:
        said.object = ""
        try:
            await act()
        except HeliographError as error:
            said.object = str(refusal(str(error)))

    return acting


def first_steps(url: str, public_key: str) -> pn.Column:
    """How to send the first trace, to copy."""
    text = SNIPPET.format(url=url, public_key=public_key or "<the public key of this project>")
    words = (
        "This project has not received anything yet. Heliograph speaks the Langfuse API and OpenTelemetry: set three"
        " variables, run your application, and its traces appear here within seconds."
    )
    return snippet("Send the first trace", words, text)


def snippet(title: str, words: str, text: str) -> pn.Column:
    """Instead of what is not there yet: how to make the first of it, to copy."""
    shown = Markup('<h2>{}</h2><p class="quiet">{}</p><pre>{}</pre>').format(title, words, text)
    copy = pmui.Button(label="Copy", icon="content_copy", variant="outlined", size="small", margin=(12, 0, 0, 0))
    copy.js_on_click(args={"text": text}, code="navigator.clipboard.writeText(text)")
    return pn.Column(
        html(shown), copy, max_width=860, sizing_mode="stretch_width", align="center",
        styles={
            "background": "var(--mui-palette-background-paper)", "border": "1px solid var(--mui-palette-divider)",
            "border-radius": "14px", "padding": "28px 32px", "margin": "32px auto",
        },
    )  # fmt: skip
