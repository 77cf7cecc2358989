"""Structured logs: one JSON line per fact, on standard error."""

import io
import logging
import sys
from collections.abc import Collection
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

_SECRET_CHARACTERS = 8


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written: a logger outlives what stood there when it was made."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logs(level: str = "INFO", part: str = "", secrets: Collection[str] = ()) -> None:
    """Set up structlog for this process. Call it once, in a composition root.

    Args:
        level: what is less than this is not written.
        part: of the stack; every line names it.
        secrets: values that no line shows, whatever an error quotes.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_part(part),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
            _without(secrets),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )


def _with_part(part: str) -> Processor:
    def name(_logger: object, _method: str, fact: EventDict) -> EventDict:
        return {"part": part, **fact} if part else fact

    return name


def _without(secrets: Collection[str]) -> Processor:
    # Shorter ones are words that occur in any case.
    hidden = sorted((secret for secret in secrets if len(secret) >= _SECRET_CHARACTERS), key=len, reverse=True)

    def hide(_logger: object, _method: str, line: str) -> str:
        for secret in hidden:
            line = line.replace(secret, "***")
        return line

    # Behind the renderer, a processor is given text.
    return cast("Processor", hide)


def logger(component: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose every line names its component."""
    # Not `bind`, which would fix the configuration of this moment: most loggers are made while modules are imported.
    lazy: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=component)
    return lazy
