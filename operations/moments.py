"""Times as commands are given them."""

from datetime import UTC, datetime

import typer


def moment_of(text: str) -> datetime | None:
    """The time of an ISO text, UTC without a zone; None of none."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def check_moments(**options: str) -> None:
    """Refuse what is no time."""
    for option, text in options.items():
        try:
            moment_of(text)
        except ValueError:
            raise typer.BadParameter(
                "write it as 2026-11-20 or 2026-11-20T12:00:00", param_hint=f"--{option}"
            ) from None
