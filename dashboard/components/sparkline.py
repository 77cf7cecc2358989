"""A small line for a card."""

from collections.abc import Sequence

from dashboard.components.palette import SERIES


def sparkline(values: Sequence[float], *, colour: str = SERIES[0]) -> str:
    """A small line as SVG text; nothing for fewer than two values."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = 120 / (len(values) - 1)
    points = " ".join(f"{i * step:.1f},{30 - (value - low) / span * 26:.1f}" for i, value in enumerate(values))
    return (
        '<svg viewBox="0 0 120 32" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,32 {points} 120,32" fill="{colour}" opacity="0.12"/>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"'
        ' vector-effect="non-scaling-stroke"/>'
        "</svg>"
    )
