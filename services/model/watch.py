"""A channel's subscription."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.model.people import Place

Scope = Literal["site", "acr", "all"]


@dataclass(frozen=True)
class Watch:
    """A channel's subscription to a site, a cloud registry or the whole fleet."""

    id: str
    place: Place
    scope: Scope
    subject: str
    """The site's or the cloud registry's name; empty for all."""
    every: str
    """Cron expression as people type it; days of the week as crontab counts them (0 and 7 are Sunday)."""
    tz: str
    alerts: Literal["on", "off", "critical"]
    by: str
    created: datetime
