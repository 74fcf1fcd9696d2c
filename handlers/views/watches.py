"""Watches as people see them: the preview before saving, the list. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from handlers.kit import blocks
from handlers.kit.blocks import Confirm, button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, duration, escape, listed, mention
from handlers.views import health
from services.model.errors import InvalidRule
from services.model.watch import Watch
from services.policy import cron
from services.watching.health import WELL, last_contact
from services.watching.summaries import Report

MOST = 12
"""Watches shown with their buttons; a message has 50 blocks."""
DIGEST = ("Name", "Health", "Site", "Last contact", "Cloud registry")
_ALERTS = {
    "on": "Alerts: one message for each problem.",
    "critical": "Alerts: critical ones only.",
    "off": "Alerts: none.",
}


def subject(watch: Watch) -> str:
    """Such as `site berlin`, `cloud registry contosoacr`, `the whole fleet`; plain text."""
    match watch.scope:
        case "site":
            return f"site {watch.subject}"
        case "acr":
            return f"cloud registry {watch.subject}"
    return "the whole fleet"


def preview(watch: Watch, now: datetime, *, saves: str) -> Message:
    """A watch before it is saved: the schedule in words, the next three times, and a button that runs `saves`."""
    text = f"Not saved yet: watch {subject(watch)}, summaries {_every(watch)}"
    sections = (
        blocks.section(f"Watch {bold(subject(watch))} in this channel?"),
        _summary_and_alerts(watch, now),
        blocks.actions(button("Save", runs=saves, style="primary")),
    )
    return Message(escape(text), sections)


def saved(watch: Watch, now: datetime, digest: Report | None = None) -> Message:
    """A watch that has just been saved, with one digest of what is wrong already: none of that gets an alert."""
    text = escape(f"This channel watches {subject(watch)}, summaries {_every(watch)}")
    head = blocks.section(f":eyes:  This channel now watches {bold(subject(watch))}, set up by {mention(watch.by)}.")
    parts = [head, _summary_and_alerts(watch, now), *_already_wrong(digest)]
    return Message(text, (*parts, blocks.actions(_now(watch))))


def _already_wrong(digest: Report | None) -> Iterator[Block]:
    """The worst first; nothing where all is well."""
    if digest is None:
        return
    rows = [row for row in digest.summary.rows if row.health.state not in WELL]
    for acr in digest.unread:
        yield blocks.context(f":grey_question:  {bold(acr)} could not be read.")
    if not rows:
        return
    number = count(len(rows), "connected registry is", "connected registries are")
    note = "Alerts follow when one of them changes, and for everything new."
    yield blocks.section(f":warning:  {bold(f'{number} not well already')}. {note}")
    cells = [
        (
            row.sighting.target.name,
            health.word(row.health.state),
            row.site,
            f"{duration(digest.summary.at - contact)} ago" if (contact := last_contact(row.sighting)) else "never",
            row.sighting.target.acr.rpartition("/")[2],
        )
        for row in rows
    ]
    yield blocks.table(DIGEST, cells)


def removed(watch: Watch) -> Message:
    """The answer to `unwatch`."""
    text = f"This channel no longer watches {bold(subject(watch))}."
    return Message(text, (blocks.section(f":heavy_minus_sign:  {text}"),))


def listing(watches: Sequence[Watch], now: datetime, *, watch_line: str, hidden: int = 0) -> Message:
    """The channel's watches with their next times and buttons.

    Args:
        watches: The watches that the reader may see.
        now: The current time.
        watch_line: The command line that creates a watch.
        hidden: How many other watches the channel has.
    """
    note = f"This channel has {count(hidden, 'more watch', 'more watches')} that you may not see."
    if not watches:
        text = note if hidden else "This channel watches nothing."
        return Message(text, (blocks.section(f"{text} To watch a site, type {code(watch_line)}."),))
    sections: list[Block] = []
    for watch in watches[:MOST]:
        question = Confirm(
            "End this watch?",
            f"This channel will get no more summaries and alerts about {subject(watch)}.",
            "End it",
            "Keep it",
        )
        unwatch = button("Unwatch", runs=f"unwatch {watch.id}", confirm=question)
        head = f"{bold(subject(watch))}  ·  {code(watch.id)}\n{_summaries(watch, now)}\n{_ALERTS[watch.alerts]}"
        sections += [blocks.section(head), blocks.actions(_now(watch), unwatch, block_id=watch.id)]
    if len(watches) > MOST:
        others = listed(f"{subject(watch)} ({watch.id})" for watch in watches[MOST:])
        sections.append(blocks.context(escape(f"and {len(watches) - MOST} more: {others}")))
    if hidden:
        sections.append(blocks.context(note))
    return Message(escape(f"This channel watches {listed(map(subject, watches))}"), tuple(sections))


def _now(watch: Watch) -> blocks.Button:
    return button("Summary now", runs=f"watches {watch.id} --now")


def _summary_and_alerts(watch: Watch, now: datetime) -> Block:
    return blocks.section(f"{_summaries(watch, now)}\n{_ALERTS[watch.alerts]}")


def _every(watch: Watch) -> str:
    return cron.parse(watch.every, watch.tz).words() if watch.every else "none"


def _summaries(watch: Watch, now: datetime) -> str:
    """The schedule in words, and its next three times in its own time zone."""
    if not watch.every:
        return "Summaries: not on a schedule."
    schedule = cron.parse(watch.every, watch.tz)
    zone = ZoneInfo(schedule.tz)
    year = now.astimezone(zone).year
    local = [due.astimezone(zone) for due in schedule.next(now, 3)]
    times = [f"{at:%a %d %b %H:%M %Z}" if at.year == year else f"{at:%a %d %b %Y %H:%M %Z}" for at in local]
    return f"Summaries: {escape(schedule.words())} ({code(watch.every)})\nNext: {escape('; '.join(times))}"


# --- invalid schedules ----------------------------------------------------------------------------------------------

_FIELDS = "minute, hour, day of the month, month, day of the week"


def _marked(value: str, facts: Mapping[str, Any]) -> str:
    """The expression with its fault underlined."""
    expression = " ".join(value.split("\n")).replace("`", "'")
    return f"\n```{escape(expression)}\n{' ' * facts['position']}{'^' * facts['length']}```"


def _fields(field: str, value: str, facts: Mapping[str, Any]) -> str:
    number = facts["count"]
    seconds = " There are no fields for seconds and years." if number > 5 else ""  # noqa: PLR2004 - crontab's five fields
    return f"{field} needs five fields ({_FIELDS}); this has {number}.{seconds}{_near(facts)}{_marked(value, facts)}"


def _value(_: str, value: str, facts: Mapping[str, Any]) -> str:
    part, field, names = facts["part"], facts["field"], facts.get("names") or ()
    problem = f"{code(part)} is not a valid {field}" if part else f"The {field} is missing"
    also = f", {names[0]} to {names[-1]}" if names else ""
    sunday = " (0 and 7 are Sunday)" if facts["high"] == 7 else ""  # noqa: PLR2004 - only the day of the week
    allowed = f"{facts['low']} to {facts['high']}{also}{sunday}, a list, a range, or `*`"
    return f"{problem}. Allowed: {allowed}.{_near(facts)}{_marked(value, facts)}"


def _near(facts: Mapping[str, Any]) -> str:
    near = facts.get("near") or ()
    return f" Did you mean {listed(map(code, near), 'or')}?" if near else ""


RULES: Mapping[InvalidRule, Callable[[str, str, Mapping[str, Any]], str]] = {
    "cron.fields": _fields,
    "cron.value": _value,
    "cron.range": _value,
    "cron.backwards": lambda _, value, facts: (
        f"The range {code(facts['part'])} of the {facts['field']} ends before it begins."
        f"{_near(facts)}{_marked(value, facts)}"
    ),
    "cron.step": lambda _, value, facts: (
        f"{code('/' + facts['part'])} is not a valid step for the {facts['field']}: it takes 1 to"
        f" {facts['high'] - facts['low']}, such as `*/5`.{_near(facts)}{_marked(value, facts)}"
    ),
    "cron.never": lambda _, value, facts: f"These months have no such day.{_marked(value, facts)}",
    "tz.unknown": lambda _, value, facts: (
        f"{code(value)} is not a time zone.{_near(facts) or ' Examples are `Europe/Berlin` and `UTC`.'}"
    ),
    "tz.fixed": lambda _, value, facts: f"{code(value)} has no daylight saving time at all.{_near(facts)}",
    "snooze.until": lambda field, value, facts: (
        f"{code(value)} is not a valid value of {field}. Use a time such as `1h` or `2d` (at most"
        f" {duration(facts['longest'])}), `morning` or `change`."
    ),
    "watch.nothing": lambda _, __, ___: "A watch without summaries and alerts would never post anything.",
}
"""Sentences by rule (`services.model.errors.Invalid`), from the option, the value and the facts."""
