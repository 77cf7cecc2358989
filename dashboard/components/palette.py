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


@dataclass(frozen=True)
class Surface:
    """The colours of plots that depend on the theme."""

    text: str
    muted: str
    line: str


LIGHT = Surface(text="#1b2330", muted="#5b6676", line="#e3e7ed")
DARK = Surface(text="#e6eaf0", muted="#9aa6b6", line="#2b3441")

THEME = {
    "light": {
        "palette": {
            "primary": {"main": "#1f5fbf"},
            "background": {"default": "#f6f7f9", "paper": "#ffffff"},
            "text": {"primary": "#1b2330", "secondary": "#5b6676"},
            "error": {"main": "#b3261e"},
            "divider": "#e3e7ed",
        },
    },
    "dark": {
        "palette": {
            "primary": {"main": "#7fb2ff"},
            "background": {"default": "#10141b", "paper": "#181e27"},
            "text": {"primary": "#e6eaf0", "secondary": "#9aa6b6"},
            "error": {"main": "#ffb4ab"},
            "divider": "#2b3441",
        },
    },
}
for _theme in THEME.values():
    _theme["typography"] = {"fontFamily": "Roboto, system-ui, sans-serif", "fontSize": 13}  # type: ignore[assignment]
    _theme["shape"] = {"borderRadius": 8}  # type: ignore[assignment]
