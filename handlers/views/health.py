"""Health in words. Pure."""

from datetime import datetime

from services.watch import Health, HealthState, Sighting


def mark(state: HealthState) -> str:
    """An emoji."""
    raise NotImplementedError


def word(state: HealthState) -> str:
    """Such as `offline` or `silent as planned`."""
    raise NotImplementedError


def reason(word: str, facts: dict[str, object]) -> str:
    """The sentence of a reason, in mrkdwn."""
    raise NotImplementedError


def schedule(seen: Sighting) -> str:
    """Schedule and window in words, plain text."""
    raise NotImplementedError


def pairs(found: Health, seen: Sighting, now: datetime) -> tuple[tuple[str, str], ...]:
    """Labelled values for a card of one connected registry (`blocks.fields`)."""
    raise NotImplementedError
