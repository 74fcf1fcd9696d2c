"""Rules on the settings by which a connected registry syncs: what the service takes. Pure."""

from datetime import timedelta
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from services.model.errors import Invalid, InvalidRule
from services.policy import cron
from services.policy.sites import CONNECTED_REGISTRY_NAME, CONTINUOUS, MESSAGE_TTL, SYNC_WINDOW, Repository

Mode = Literal["ReadOnly", "ReadWrite"]
MODES: tuple[Mode, ...] = ("ReadOnly", "ReadWrite")
_REPOSITORY: TypeAdapter[str] = TypeAdapter(Repository)


def valid_name(name: str) -> str:
    """The name of a connected registry; raises `Invalid`."""
    if not CONNECTED_REGISTRY_NAME.fullmatch(name):
        raise Invalid("name", name, "name.pattern", {"least": 5, "most": 40})
    return name


def valid_mode(text: str) -> Mode:
    """The mode, in whatever case it was typed; raises `Invalid`."""
    for mode in MODES:
        if text.casefold() == mode.casefold():
            return mode
    raise Invalid("mode", text, "mode.unknown", {"modes": MODES})


def valid_timing(schedule: str, window: timedelta | None, message_ttl: timedelta) -> None:
    """Raises `Invalid` for what is beyond the service's bounds, and for a schedule that needs a window and has none."""
    valid_message_ttl(message_ttl)
    if window is not None:
        valid_window(window)
    elif schedule != CONTINUOUS:
        raise Invalid("window", "", "window.missing", {"schedule": schedule})


def valid_repository(name: str) -> str:
    """The repository, such as `team/app`; raises `Invalid`."""
    if "*" in name:
        raise Invalid("repository", name, "repository.wildcard")
    try:
        return _REPOSITORY.validate_python(name)
    except ValidationError as error:
        raise Invalid("repository", name, "repository.pattern") from error


def valid_schedule(expression: str, option: str = "schedule") -> str:
    """The cron expression, which was given by this option; raises `Invalid`, with lines that were meant as `near`.

    It is stored in Azure, whose crontab knows neither the nicknames nor the last days that summaries may have.
    """
    read = cron.parse(expression, field_name=option)
    if read.expression != " ".join(expression.split()) or read.last_day or read.nth_weekday:
        near = (read.expression,) if expression.startswith("@") else ()
        raise Invalid(option, expression, "schedule.pattern", {"near": near})
    return expression


def valid_window(window: timedelta) -> timedelta:
    """How long a sync stays open; raises `Invalid` beyond the service's bounds."""
    return _within("window", window, SYNC_WINDOW, "window.bounds")


def valid_message_ttl(message_ttl: timedelta) -> timedelta:
    """How long undelivered messages are kept; raises `Invalid` beyond the service's bounds."""
    return _within("message_ttl", message_ttl, MESSAGE_TTL, "message_ttl.bounds")


def _within(field_name: str, value: timedelta, bounds: tuple[timedelta, timedelta], rule: InvalidRule) -> timedelta:
    low, high = bounds
    if not low <= value <= high:
        raise Invalid(field_name, str(value), rule, {"value": value, "low": low, "high": high})
    return value
