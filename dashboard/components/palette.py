"""The colours, once for every page: text and surfaces by theme, series and observation types for both.

The series follow Okabe and Ito, https://jfly.uni-koeln.de/color/, which stay apart for every common kind of colour
blindness; the two darkest were lightened so that they also show on a dark page.
"""

from dataclasses import dataclass

BLUE, ORANGE, GREEN, PINK = "#3b82c4", "#e69f00", "#009e73", "#cc79a7"
SKY, VERMILION, YELLOW, GREY = "#56b4e9", "#d55e00", "#c9b400", "#8b95a5"
SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, GREY)
ERROR = VERMILION

TYPE_COLOURS = {
    "SPAN": GREY,
    "EVENT": YELLOW,
    "GENERATION": BLUE,
    "AGENT": PINK,
    "TOOL": ORANGE,
    "CHAIN": SKY,
    "RETRIEVER": GREEN,
    "EVALUATOR": "#9b7fd1",
    "EMBEDDING": "#4fb3a5",
    "GUARDRAIL": VERMILION,
}

# Names in the Material icon font, which panel-material-ui serves with the page.
TYPE_ICONS = {
    "SPAN": "segment",
    "EVENT": "bolt",
    "GENERATION": "auto_awesome",
    "AGENT": "smart_toy",
    "TOOL": "build",
    "CHAIN": "link",
    "RETRIEVER": "search",
    "EVALUATOR": "fact_check",
    "EMBEDDING": "scatter_plot",
    "GUARDRAIL": "shield",
}
# Icon and colour.
TYPE_LOOKS = {kind: [TYPE_ICONS[kind], TYPE_COLOURS[kind]] for kind in TYPE_ICONS}


@dataclass(frozen=True)
class Surface:
    """The colours of plots that depend on the theme."""

    text: str
    muted: str
    line: str


LIGHT = Surface(text="#1b2330", muted="#5b6676", line="#e3e7ed")
DARK = Surface(text="#e6eaf0", muted="#9aa6b6", line="#2b3441")


def _theme(*, primary: str, page: str, error: str, look: Surface, paper: str) -> dict[str, object]:
    return {
        "palette": {
            "primary": {"main": primary},
            "background": {"default": page, "paper": paper},
            "text": {"primary": look.text, "secondary": look.muted},
            "error": {"main": error},
            "divider": look.line,
        },
        "typography": {"fontFamily": "Roboto, system-ui, sans-serif", "fontSize": 13},
        "shape": {"borderRadius": 8},
        "components": {
            name: {"styleOverrides": {"root": {"textTransform": "none"}}}
            for name in ("MuiTab", "MuiButton", "MuiToggleButton")
        },
    }


# What plots say of themselves, by Bokeh's kinds of models; colours are given to each plot, since the theme changes.
PLOT_TEXT = {
    "Axis": {"major_label_text_font_size": "11px"},
    "Legend": {"label_text_font_size": "11px", "label_text_font": "Roboto, system-ui, sans-serif"},
}

THEME = {
    "light": _theme(primary="#1f5fbf", page="#f6f7f9", paper="#ffffff", error="#b3261e", look=LIGHT),
    "dark": _theme(primary="#7fb2ff", page="#10141b", paper="#181e27", error="#ffb4ab", look=DARK),
}
