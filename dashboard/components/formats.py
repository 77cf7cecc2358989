"""How numbers and times are written, once for every page."""

import math
from datetime import UTC, datetime
from decimal import Decimal

ABSENT = "–"
_MAX_DECIMALS = 10
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))

# The same choices for the axes of plots, in Bokeh's notation.
AXIS_COUNT = "0.[0]a"
# The same rules in JavaScript, of a variable `tick`, where Bokeh's notation has none.
AXIS_COST = """
if (tick === 0) { return "$0" }
const digits = Math.abs(tick) >= 1 ? 2 : Math.min(12, 1 - Math.floor(Math.log10(Math.abs(tick))))
return "$" + tick.toLocaleString("en", {maximumFractionDigits: digits})
"""
AXIS_DURATION = """
if (tick < 1000) { return tick + " ms" }
const [size, unit] = tick < 120000 ? [1000, " s"] : [60000, " min"]
return (tick / size).toLocaleString("en", {maximumFractionDigits: 1}) + unit
"""


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


def nbytes(value: float | None) -> str:
    """A number of bytes in the largest fitting unit: 512 B, 1.2 MB."""
    if value is None or math.isnan(value):
        return ABSENT
    steps = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    return next((f"{value / step:.1f} {unit}" for step, unit in steps if value >= step), f"{value:.0f} B")


def cost(value: float | Decimal | None) -> str:
    """US dollars with as many decimals as the amount deserves: $1,234, $3.46, $0.0123, $0.0000058."""
    if value is None:
        return ABSENT
    amount = float(value)
    if amount == 0:
        return "$0"
    if abs(amount) >= 1000:
        return f"${amount:,.0f}"
    if abs(amount) >= 1:
        return f"${amount:.2f}"
    # Two digits that mean something, however many zeros stand before them.
    decimals = max(4, 1 - math.floor(math.log10(abs(amount))))
    return f"${amount:.{decimals}f}" if decimals <= _MAX_DECIMALS else f"${amount:.1e}"


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


def number(value: float | None) -> str:
    """A measured value, such as a score, with at most four significant digits: 0.8333, 12.5."""
    return ABSENT if value is None or math.isnan(value) else f"{value:.4g}"


def interval(mean: float, deviation: float, n: int) -> str:
    """A mean with half the width of its 95% interval: 0.83 ±0.04; without the latter for a single value."""
    half = 1.96 * deviation / math.sqrt(n) if n > 1 else 0.0
    return f"{mean:.3g} ±{half:.2g}" if half else f"{mean:.3g}"
