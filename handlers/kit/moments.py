"""Moments in the past, as people type them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from handlers.kit.grammar import span
from services.model.errors import Invalid


def past(field_name: str, text: str, now: datetime, tz: str) -> datetime:
    """`7d` before `now`, a day (`2026-11-30`, from midnight in the zone `tz`), or a time in ISO 8601; in UTC.

    A time without an offset is in `tz`. Raises `Invalid` for anything else, and for a moment that has not come yet.
    """
    try:
        moment = now - span(text)
    except (ValueError, OverflowError):
        try:
            written = datetime.fromisoformat(text)
            moment = (written if written.tzinfo else written.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Invalid(field_name, text, "moment.pattern") from None
    if moment > now:
        raise Invalid(field_name, text, "moment.future")
    return moment
