"""Every line that the product logs in a test, whether it is shown or not."""

import structlog
from structlog.typing import EventDict, WrappedLogger

_LINES: list[str] = []
_SHOWN = {"warning", "error", "critical", "exception"}


def collect(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: keeps the line as it came, with all its fields."""
    _LINES.append(str(event))
    return event


def only_trouble(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A processor: only what is wrong is worth reading beside a failed test."""
    if method not in _SHOWN:
        raise structlog.DropEvent
    return event


def start_logging() -> None:
    """Forget what was logged so far."""
    _LINES.clear()


def logged() -> bytes:
    """All lines since then."""
    return "\n".join(_LINES).encode()
