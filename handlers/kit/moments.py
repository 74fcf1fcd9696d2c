"""Moments in the past, as people type them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.kit.grammar import span
from services.model.errors import Invalid


def past(field_name: str, text: str, now: datetime, tz: str) -> datetime:
    """`7d` before `now`, a day (`2026-11-30`, from midnight in the zone `tz`), or a time in ISO 8601.

    A time without an offset is in `tz`. Raises `Invalid` for anything else, and for a moment that has not come yet.
    """
    try:
        moment = now - span(text)
    except (ValueError, OverflowError):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Invalid(field_name, text, "moment.pattern") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(tz))
    if moment > now:
        raise Invalid(field_name, text, "moment.future")
    return moment
