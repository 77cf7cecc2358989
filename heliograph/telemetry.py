"""Structured logs: one JSON line per fact, on standard error."""

import logging
import sys

import structlog


def configure_logs(level: str = "INFO") -> None:
    """Set up structlog for this process. Call it once, in a composition root."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(component: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose every line names its component."""
    # Not `bind`, which would fix the configuration of this moment: most loggers are made while modules are imported.
    lazy: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=component)
    return lazy
