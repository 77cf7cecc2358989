"""How numbers and times are written, once for every page."""

import math
from datetime import UTC, datetime
from decimal import Decimal

ABSENT = "–"
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))

# The same choices for the axes of plots, in Bokeh's notation.
AXIS_COUNT = "0.[0]a"
AXIS_COST = "$0,0.[0000]"


def count(value: float | None) -> str:
    """A whole number with separators: 12,345."""
    return ABSENT if value is None else f"{int(value):,}"


def compact(value: float | None) -> str:
    """A number in at most five characters: 950, 1.2k, 3.4M."""
    if value is None:
        return ABSENT
    for step, unit in _STEPS:
        if abs(value) >= step * 0.9995:
            scaled = value / step
            return f"{scaled:.1f}{unit}" if abs(scaled) < 99.95 else f"{scaled:.0f}{unit}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def cost(value: float | Decimal | None) -> str:
    """US dollars with as many decimals as the size of the amount deserves."""
    if value is None:
        return ABSENT
    amount = float(value)
    if amount == 0:
        return "$0"
    if abs(amount) >= 1000:
        return f"${amount:,.0f}"
    if abs(amount) >= 1:
        return f"${amount:.2f}"
    return f"${amount:.4f}" if abs(amount) >= 0.0001 else f"${amount:.2g}"


def duration(milliseconds: float | None) -> str:
    """A length of time in the largest fitting unit: 850 ms, 1.24 s, 2 min 05 s, 1 h 04 min."""
    if milliseconds is None or math.isnan(milliseconds):
        return ABSENT
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms" if milliseconds >= 1 or milliseconds == 0 else f"{milliseconds:.2f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def percent(share: float | None) -> str:
    """A share of one as a percentage: 0.034 is 3.4%."""
    if share is None:
        return ABSENT
    return f"{share * 100:.1f}%" if 0 < share < 0.9995 else f"{share * 100:.0f}%"


def moment(at: datetime | None) -> str:
    """A point in time, UTC, to the second."""
    return ABSENT if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def change(value: float, before: float) -> str:
    """The difference to an earlier value in percent, with its sign; empty when there is nothing to compare with."""
    if before == 0:
        return ""
    ratio = (value - before) / before
    if abs(ratio) >= 9.995:
        return f"×{value / before:.0f}"
    return f"{ratio * 100:+.1f}%" if abs(ratio) < 0.0995 else f"{ratio * 100:+.0f}%"
