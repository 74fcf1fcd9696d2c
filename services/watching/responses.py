"""What people do about an incident: acknowledge it, snooze it. Pure."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.model.errors import Invalid
from services.model.incident import UNTIL_CHANGE, Incident

MORNING = time(8)
LONGEST_SNOOZE = timedelta(days=7)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def acknowledge(incident: Incident, by: str, at: datetime) -> Incident:
    """`by` (a Slack id) takes care of it, until it gets worse. The first one stays named."""
    if incident.acknowledged_by:
        return incident
    return replace(incident, acknowledged_by=by, acknowledged_at=at)


def snooze(incident: Incident, choice: str, at: datetime, tz: str) -> Incident:
    """`choice` is `1h` (or such as `45m`, `2d`), `morning` (the next 08:00 in `tz`) or `change`. Raises `Invalid`."""
    word = choice.strip().lower()
    if word == "change":
        return replace(incident, snoozed_until=UNTIL_CHANGE)
    if word == "morning":
        local = at.astimezone(ZoneInfo(tz))
        day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
        # Combined with the zone, not added in hours: the night may have a daylight-saving change.
        return replace(incident, snoozed_until=datetime.combine(day, MORNING, tzinfo=local.tzinfo).astimezone(UTC))
    match = re.fullmatch(r"([1-9][0-9]{0,3})(m|h|d)", word)
    span = int(match[1]) * _UNITS[match[2]] if match else None
    if span is None or span > LONGEST_SNOOZE:
        raise Invalid("until", word, "snooze.until", {"longest": LONGEST_SNOOZE})
    return replace(incident, snoozed_until=at + span)
