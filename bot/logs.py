"""Logs: events with fields, one line per event, JSON or text, on standard error. Never a secret."""

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.model.redaction import scrub
from services.traces import current_ids, operation_ids

_QUIET = ("slack_sdk", "alembic", "azure", "aiohttp.access", "urllib3", "kubernetes", "apscheduler", "sqlalchemy")
"""Libraries that log bodies, signatures, addresses with signatures or headers at INFO and below."""


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last line of defence: remove whatever looks like a secret."""
    return {key: _scrubbed(value) for key, value in event.items()}


def with_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the trace that a line belongs to: of the operation that it names, or of what is going on."""
    operation = event.get("operation")
    ids = operation_ids(operation) if isinstance(operation, str) and operation else current_ids()
    if ids is not None:
        event["trace_id"] = ids.trace
    return event


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrubbed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(inner) for inner in value]
    return value if isinstance(value, int | float | bool | None) else scrub(str(value))


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    # Plain tracebacks: richer ones print local variables, and those hold secrets.
    structlog.processors.format_exc_info,
)


def set_up(
    form: Literal["json", "text"], level: Literal["debug", "info", "warning", "error"], *, traced: bool = False
) -> None:
    """Send the bot's logs and the libraries' through the same processors; `traced` adds traces' ids."""
    shared = (*_SHARED, with_trace) if traced else _SHARED
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "text":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_secrets, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
