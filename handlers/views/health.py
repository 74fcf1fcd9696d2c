"""Health in words. Pure."""

from collections.abc import Mapping
from datetime import datetime

from handlers.kit.text import code, date, duration, escape
from handlers.views.facts import sentence
from services.model.errors import Invalid
from services.model.health import Health, HealthState, Sighting
from services.model.incident import Severity
from services.watching import cron
from services.watching.health import is_continuous

_STATES: Mapping[HealthState, tuple[str, str]] = {
    "healthy": (":large_green_circle:", "healthy"),
    "syncing": (":arrows_counterclockwise:", "syncing"),
    "silent": (":white_circle:", "silent as planned"),
    "late": (":hourglass_flowing_sand:", "late"),
    "offline": (":red_circle:", "offline"),
    "unhealthy": (":large_orange_circle:", "unhealthy"),
    "inactive": (":heavy_minus_sign:", "not activated"),
    "unknown": (":grey_question:", "not asked"),
}
SEVERITY_MARKS: Mapping[Severity, str] = {
    "critical": ":red_circle:",
    "warning": ":large_orange_circle:",
    "info": ":large_blue_circle:",
}

SENTENCES: Mapping[str, str] = {
    "connected": "It is connected.",
    "syncing": "It is syncing.",
    "contact.fresh": "It was heard of a moment ago.",
    "contact.due": "It was expected {due} and has not been heard of yet.",
    "contact.missed": "It was expected {due} and has not been heard of since {last_contact}.",
    "contact.none": "It is active, but the service remembers no contact at all.",
    "window.opening": "Its sync window has just opened.",
    "window.open": "Its sync window is open until {until}, and it has been in contact.",
    "window.dropped": "Its sync window is open until {until}, but it was last heard of {last_contact}.",
    "window.closed": "Its sync window is closed, so it is not expected. It was last heard of {last_contact}.",
    "cluster.offline": "The cluster's Arc agent is offline.",
    "cluster.expired": (
        "The identity certificate of the cluster's Arc agent has expired: the cluster has to be connected anew."
    ),
    "cluster.silent": "None of its connected registries is heard of.",
    "extension.failed": "It was expected {due} and has not been heard of; its Arc extension has failed.",
    "status.disk": "It can't write to its disk ({codes}).",
    "status.details": "It complains: {codes}.",
    "status.silent": "Azure calls it unhealthy and does not say why.",
    "inactive.never": "It was never activated: no edge has taken it yet.",
    "inactive.deactivated": "It is deactivated: no edge can sync by it.",
    "unasked": "It could not be asked about, which says nothing about its state: {why}.",
    "schedule.unreadable": "Nobody knows when it is due, for its schedule {schedule} can't be read.",
    "gone": "It no longer exists.",
    "unwatched": "Its cloud registry is watched no more, or no site names it any more.",
}
"""By reason; facts fill in the gaps."""

_WHY: Mapping[str, str] = {
    "Unreachable": "Azure can't be reached, or can't answer",
    "Throttled": "Azure was asked too often",
    "NotAllowed": "the bot's identity lacks the right to read it",
    "NotAuthenticated": "Azure does not accept the bot's identity",
    "Absent": "Azure says that the cloud registry does not exist",
    "SubscriptionUnknown": "the bot's identity sees no such subscription in this cloud",
    "ResourceGroupUnknown": "the subscription has no such resource group",
    "VersionNotOffered": "this cloud offers no api-version that the bot knows",
    "Unreadable": "Azure's answer could not be understood",
}
"""By error, as polls note it."""


def mark(state: HealthState) -> str:
    """An emoji."""
    return _STATES[state][0]


def word(state: HealthState) -> str:
    """Such as `offline` or `silent as planned`."""
    return _STATES[state][1]


def reason(name: str, facts: Mapping[str, object]) -> str:
    """The sentence of a reason, in mrkdwn."""
    told = SENTENCES[name].replace("{why}", why(facts)) if name == "unasked" else sentence(SENTENCES[name], facts)
    texts = facts.get("descriptions")
    if isinstance(texts, tuple | list) and texts:
        told += "\n" + "\n".join(f"> {escape(str(text))}" for text in texts)
    return told


def why(facts: Mapping[str, object]) -> str:
    """Why something could not be asked, in mrkdwn, without a full stop."""
    error = str(facts.get("error") or "Unreachable")
    return escape(_WHY.get(error, error)).rstrip(".")


def connection(seen: Sighting) -> str:
    """What Azure calls it, or called it when it could be asked last; plain text."""
    return f"was {seen.connection_state}" if seen.failed and seen.connection_state else seen.connection_state


def schedule(seen: Sighting) -> str:
    """Schedule and window in words, plain text: `at 03:00 every day, open for 3 h` (UTC)."""
    if is_continuous(seen):
        return "continuous"
    try:
        told = cron.parse(seen.schedule).words().removesuffix(", UTC")
    except Invalid:
        told = seen.schedule
    return told + (f", open for {duration(seen.window)}" if seen.window else "")


def pairs(found: Health, seen: Sighting, now: datetime) -> tuple[tuple[str, str], ...]:
    """Labelled values for a card of one connected registry (`blocks.fields`)."""
    expected = found.next_contact and not is_continuous(seen)
    behind = found.lag is not None and found.lag.total_seconds() > 0
    losing = found.state == "offline" and found.lost_from
    return (
        ("Health", f"{mark(found.state)} {word(found.state)}"),
        ("Why", reason(found.reason, found.facts)),
        ("Next contact", date(found.next_contact) if found.next_contact and expected else ""),
        ("Last sync", f"{date(seen.last_sync)} ({duration(now - seen.last_sync)} ago)" if seen.last_sync else "never"),
        ("Lag of the last sync", duration(found.lag) if found.lag and behind else "none" if seen.last_sync else ""),
        ("Messages are lost from", f"{found.lost_from:%Y-%m-%d}" if found.lost_from and losing else ""),
        ("Schedule (UTC)", escape(schedule(seen))),
        ("Cluster", code(seen.cluster.rpartition("/")[2])),
    )


def counts(totals: Mapping[HealthState, int]) -> str:
    """Such as `2 offline, 48 healthy`; plain text."""
    return ", ".join(f"{number} {word(state)}" for state, number in totals.items())
