"""Health in words. Pure."""

import math
from collections.abc import Mapping

from handlers.kit.language import phrase, t
from handlers.kit.text import count, duration, escape
from handlers.views import schedules
from handlers.views.facts import sentence
from services.model.errors import Invalid
from services.model.health import Health, HealthReason, HealthState, Sighting
from services.model.incident import Severity
from services.policy import cron
from services.watching.health import is_continuous

_STATES: Mapping[HealthState, tuple[str, str]] = {
    "healthy": (":large_green_circle:", phrase("healthy")),
    "syncing": (":arrows_counterclockwise:", phrase("syncing")),
    "silent": (":white_circle:", phrase("silent as planned")),
    "late": (":hourglass_flowing_sand:", phrase("late")),
    "offline": (":red_circle:", phrase("offline")),
    "unhealthy": (":large_orange_circle:", phrase("unhealthy")),
    "inactive": (":heavy_minus_sign:", phrase("inactive")),
    "unknown": (":grey_question:", phrase("unknown")),
}
SEVERITY_MARKS: Mapping[Severity, str] = {
    "critical": ":red_circle:",
    "warning": ":large_orange_circle:",
    "info": ":large_blue_circle:",
}

SENTENCES: Mapping[HealthReason, str] = {
    HealthReason.CONNECTED: phrase("It is connected."),
    HealthReason.SYNCING: phrase("It is syncing."),
    HealthReason.CONTACT_FRESH: phrase("Its last contact was a moment ago."),
    HealthReason.CONTACT_DUE: phrase("A contact was due {due} and has not come yet."),
    HealthReason.CONTACT_MISSED: phrase("A contact was due {due}. The last one was {last_contact}."),
    HealthReason.CONTACT_NONE: phrase("It is active, but Azure has no record of any contact."),
    HealthReason.WINDOW_OPENING: phrase("Its sync window has just opened."),
    HealthReason.WINDOW_OPEN: phrase("Its sync window is open until {until}, and it has made contact."),
    HealthReason.WINDOW_DROPPED: phrase(
        "Its sync window is open until {until}, but its last contact was {last_contact}."
    ),
    HealthReason.WINDOW_CLOSED: (
        phrase("Its sync window is closed, so no contact is expected. Its last contact was {last_contact}.")
    ),
    HealthReason.CLUSTER_OFFLINE: phrase("The cluster's Arc agent is offline."),
    HealthReason.CLUSTER_EXPIRED: (
        phrase(
            "The identity certificate of the cluster's Arc agent has expired: the cluster has to be connected to Arc"
            " again."
        )
    ),
    HealthReason.CLUSTER_SILENT: phrase("None of its connected registries is reporting."),
    HealthReason.EXTENSION_FAILED: phrase("A contact was due {due} and has not come; its Arc extension has failed."),
    HealthReason.STATUS_DISK: phrase("It can't write to its disk ({codes})."),
    HealthReason.DISK_FILLING: phrase("It is connected, and its disk is filling up."),
    HealthReason.STATUS_DETAILS: phrase("It reports a problem: {codes}."),
    HealthReason.STATUS_UNEXPLAINED: phrase("Azure reports it as unhealthy and gives no reason."),
    HealthReason.SYNC_FAILED: (
        phrase(
            "It is connected, but its last full sync ended as {sync}. The last one that succeeded ended {succeeded}."
        )
    ),
    HealthReason.SYNC_NEVER: phrase(
        "It is connected, but no full sync of it has succeeded: the last one ended as {sync}."
    ),
    HealthReason.NEVER_ACTIVATED: phrase("It was never activated: no edge has used its connection string yet."),
    HealthReason.DEACTIVATED: phrase("It is deactivated, so no edge can sync with it."),
    HealthReason.UNREADABLE: phrase("It could not be read, which says nothing about its state: {why}."),
    HealthReason.SCHEDULE_UNREADABLE: phrase(
        "Its schedule {schedule} can't be read, so no one knows when a contact is due."
    ),
    HealthReason.REMOVED: phrase("It no longer exists."),
    HealthReason.UNWATCHED: phrase("Its cloud registry is no longer watched, or no site names it."),
}
"""By reason; facts fill in the gaps."""

_WHY: Mapping[str, str] = {
    "Unreachable": phrase("Azure could not be reached, or could not answer"),
    "Throttled": phrase("Azure is throttling the bot's requests"),
    "NotAllowed": phrase("the bot's identity may not read it"),
    "NotAuthenticated": phrase("Azure rejects the bot's identity"),
    "Absent": phrase("Azure says that the cloud registry does not exist"),
    "SubscriptionUnknown": phrase("the bot's identity can't see its subscription in this cloud"),
    "ResourceGroupUnknown": phrase("its resource group does not exist"),
    "VersionNotOffered": phrase("this cloud offers no API version that the bot supports"),
    "ProviderNotRegistered": phrase("its subscription has not registered the resource provider"),
    "Unreadable": phrase("Azure's answer could not be understood"),
}
"""By the class of the error that a poll ended with."""
_REFUSED = phrase("Azure refused to answer")


def mark(state: HealthState) -> str:
    """An emoji."""
    return _STATES[state][0]


def word(state: HealthState) -> str:
    """Such as `offline` or `silent as planned`."""
    return t(_STATES[state][1])


def reason(name: HealthReason, facts: Mapping[str, object]) -> str:
    """The sentence for a reason, in mrkdwn."""
    template = t(SENTENCES[name])
    text = template.replace("{why}", why(facts)) if "{why}" in template else sentence(template, facts)
    if isinstance(days := facts.get("days"), int):
        text += f" {t('At this pace: {disk}.', disk=_disk(days))}"
    descriptions = facts.get("descriptions")
    if isinstance(descriptions, tuple | list) and descriptions:
        text += "\n" + "\n".join(f"> {escape(str(description))}" for description in descriptions)
    return text


def disk(current: Health) -> str:
    """Such as `disk full in about 5 days`; plain text, empty where nobody can say."""
    return _disk(math.ceil(current.disk_full_in)) if current.disk_full_in is not None else ""


def _disk(days: int) -> str:
    if days == 0:
        return t("disk is full")
    return t("disk full in about {days}", days=count(days, "day"))


def why(facts: Mapping[str, object]) -> str:
    """Why something could not be read, in mrkdwn, without a full stop."""
    return escape(t(_WHY.get(str(facts.get("error") or "Unreachable"), _REFUSED)))


def connection(sighting: Sighting) -> str:
    """The connection state in Azure, or the last one that could be read; plain text."""
    state = sighting.connection_state
    return t("was {state}", state=state) if sighting.failed and state else state


def schedule(sighting: Sighting) -> str:
    """Schedule and window in words, plain text: `at 03:00 every day, open for 3 h` (UTC)."""
    if is_continuous(sighting):
        return t("continuous")
    try:
        text = schedules.words(cron.parse(sighting.schedule))
    except Invalid:
        text = sighting.schedule
    return text + (t(", open for {window}", window=duration(sighting.window)) if sighting.window else "")


def counts(totals: Mapping[HealthState, int]) -> str:
    """Such as `2 offline, 48 healthy`; plain text."""
    return t(", ").join(f"{number} {word(state)}" for state, number in totals.items())
