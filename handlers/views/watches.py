"""Watches as people see them: the preview before saving, the list. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from handlers.kit import blocks
from handlers.kit.blocks import Confirm, button
from handlers.kit.language import phrase, t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, duration, escape, listed, mention
from handlers.views import health, schedules
from services.model.errors import Invalid, InvalidRule
from services.model.watch import Watch
from services.policy import cron
from services.watching.health import WELL, last_contact
from services.watching.summaries import Report

MOST = 12
"""Watches shown with their buttons; a message has 50 blocks."""
DIGEST = (phrase("Name"), phrase("Health"), phrase("Site"), phrase("Last contact"), phrase("Cloud registry"))
_ALERTS = {
    "on": phrase("Alerts: one message for each problem."),
    "critical": phrase("Alerts: critical ones only."),
    "off": phrase("Alerts: none."),
}


def subject(watch: Watch) -> str:
    """Such as `site berlin`, `cloud registry contosoacr`, `the whole fleet`; plain text."""
    match watch.scope:
        case "site":
            return t("site {subject}", subject=watch.subject)
        case "acr":
            return t("cloud registry {subject}", subject=watch.subject)
    return t("the whole fleet")


def preview(watch: Watch, now: datetime, *, saves: str) -> Message:
    """A watch before it is saved: the schedule in words, the next three times, and a button that runs `saves`."""
    text = t("Not saved yet: watch {watch}, summaries {every}", watch=subject(watch), every=_every(watch))
    sections = (
        blocks.section(t("Watch {watch} in this channel?", watch=bold(subject(watch)))),
        _summary_and_alerts(watch, now),
        blocks.actions(button(t("Save"), runs=saves, style="primary")),
    )
    return Message(escape(text), sections)


def saved(watch: Watch, now: datetime, digest: Report | None = None) -> Message:
    """A watch that has just been saved, with one digest of what is wrong already: none of that gets an alert."""
    text = escape(t("This channel watches {watch}, summaries {every}", watch=subject(watch), every=_every(watch)))
    head = blocks.section(
        t(":eyes:  This channel now watches {watch}, set up by {by}.", watch=bold(subject(watch)), by=mention(watch.by))
    )
    parts = [head, _summary_and_alerts(watch, now), *_already_wrong(digest)]
    return Message(text, (*parts, blocks.actions(_now(watch))))


def _already_wrong(digest: Report | None) -> Iterator[Block]:
    """The worst first; nothing where all is well."""
    if digest is None:
        return
    rows = [row for row in digest.summary.rows if row.health.state not in WELL]
    for acr in digest.unread:
        yield blocks.context(t(":grey_question:  {acr} could not be read.", acr=bold(acr)))
    if not rows:
        return
    number = count(len(rows), "connected registry is", "connected registries are")
    note = t("Alerts follow when one of them changes, and for everything new.")
    yield blocks.section(f":warning:  {bold(t('{number} not well already', number=number))}. {note}")
    cells = [
        (
            row.sighting.target.name,
            health.word(row.health.state),
            row.site,
            t("{at} ago", at=duration(digest.summary.at - contact))
            if (contact := last_contact(row.sighting))
            else t("never"),
            row.sighting.target.acr.rpartition("/")[2],
        )
        for row in rows
    ]
    yield blocks.table(DIGEST, cells)


def removed(watch: Watch) -> Message:
    """The answer to `unwatch`."""
    text = t("This channel no longer watches {watch}.", watch=bold(subject(watch)))
    return Message(text, (blocks.section(f":heavy_minus_sign:  {text}"),))


def listing(watches: Sequence[Watch], now: datetime, *, watch_line: str, hidden: int = 0) -> Message:
    """The channel's watches with their next times and buttons.

    Args:
        watches: The watches that the reader may see.
        now: The current time.
        watch_line: The command line that creates a watch.
        hidden: How many other watches the channel has.
    """
    note = t("This channel has {watches} that you may not see.", watches=count(hidden, "more watch", "more watches"))
    if not watches:
        text = note if hidden else t("This channel watches nothing.")
        return Message(
            text,
            (blocks.section(t("{text} To watch a site, type {watch_line}.", text=text, watch_line=code(watch_line))),),
        )
    sections: list[Block] = []
    for watch in watches[:MOST]:
        question = Confirm(
            t("End this watch?"),
            t("This channel will get no more summaries and alerts about {watch}.", watch=subject(watch)),
            t("End it"),
            t("Keep it"),
        )
        unwatch = button(t("Unwatch"), runs=f"unwatch {watch.id}", confirm=question)
        head = f"{bold(subject(watch))}  ·  {code(watch.id)}\n{_summaries(watch, now)}\n{t(_ALERTS[watch.alerts])}"
        sections += [blocks.section(head), blocks.actions(_now(watch), unwatch, block_id=watch.id)]
    if len(watches) > MOST:
        others = listed(f"{subject(watch)} ({watch.id})" for watch in watches[MOST:])
        sections.append(
            blocks.context(escape(t("and {number} more: {others}", number=len(watches) - MOST, others=others)))
        )
    if hidden:
        sections.append(blocks.context(note))
    return Message(escape(t("This channel watches {watches}", watches=listed(map(subject, watches)))), tuple(sections))


def _now(watch: Watch) -> blocks.Button:
    return button(t("Summary now"), runs=f"watches {watch.id} --now")


def _summary_and_alerts(watch: Watch, now: datetime) -> Block:
    return blocks.section(f"{_summaries(watch, now)}\n{t(_ALERTS[watch.alerts])}")


def _every(watch: Watch) -> str:
    return f"{schedules.words(cron.parse(watch.every, watch.tz))}, {watch.tz}" if watch.every else t("none")


def _summaries(watch: Watch, now: datetime) -> str:
    """The schedule in words, and its next three times in its own time zone."""
    if not watch.every:
        return t("Summaries: not on a schedule.")
    try:
        schedule = cron.parse(watch.every, watch.tz)
    except Invalid:
        return t(
            ":warning:  Summaries: none, because the schedule {every} in the time zone {tz} can no longer be read."
            " Set it again, with `--every` and `--tz`.",
            every=code(watch.every),
            tz=code(watch.tz),
        )
    zone = ZoneInfo(schedule.tz)
    year = now.astimezone(zone).year
    local = [due.astimezone(zone) for due in schedule.next(now, 3)]
    times = [
        t("{at:%a %d %b %H:%M %Z}", at=at) if at.year == year else t("{at:%a %d %b %Y %H:%M %Z}", at=at) for at in local
    ]
    return t(
        "Summaries: {schedule} ({every})\nNext: {times}",
        schedule=escape(f"{schedules.words(schedule)}, {schedule.tz}"),
        every=code(watch.every),
        times=escape(t("; ").join(times)),
    )


# --- invalid schedules ----------------------------------------------------------------------------------------------

_FIELDS = phrase("minute, hour, day of the month, month, day of the week")


def _marked(value: str, facts: Mapping[str, Any]) -> str:
    """The expression with its fault underlined."""
    expression = " ".join(value.split("\n")).replace("`", "'")
    return f"\n```{escape(expression)}\n{' ' * facts['position']}{'^' * facts['length']}```"


def _fields(field: str, value: str, facts: Mapping[str, Any]) -> str:
    number = facts["count"]
    seconds = t(" There are no fields for seconds and years.") if number > 5 else ""  # noqa: PLR2004 - crontab's five fields
    return t(
        "{field} needs five fields ({fields}); this has {number}.{seconds}{near}{marked}",
        field=field,
        fields=t(_FIELDS),
        number=number,
        seconds=seconds,
        near=_near(facts),
        marked=_marked(value, facts),
    )


def _value(_: str, value: str, facts: Mapping[str, Any]) -> str:
    part, field, names = facts["part"], facts["field"], facts.get("names") or ()
    problem = (
        t("{part} is not a valid {field}", part=code(part), field=field)
        if part
        else t("The {field} is missing", field=field)
    )
    also = t(", {names} to {last}", names=names[0], last=names[-1]) if names else ""
    sunday = t(" (0 and 7 are Sunday)") if facts["high"] == 7 else ""  # noqa: PLR2004 - only the day of the week
    allowed = t(
        "{low} to {high}{also}{sunday}, a list, a range, or `*`",
        low=facts["low"],
        high=facts["high"],
        also=also,
        sunday=sunday,
    )
    return t(
        "{problem}. Allowed: {allowed}.{near}{marked}",
        problem=problem,
        allowed=allowed,
        near=_near(facts),
        marked=_marked(value, facts),
    )


def _near(facts: Mapping[str, Any]) -> str:
    near = facts.get("near") or ()
    return t(" Did you mean {near}?", near=listed(map(code, near), t("or"))) if near else ""


RULES: Mapping[InvalidRule, Callable[[str, str, Mapping[str, Any]], str]] = {
    "cron.fields": _fields,
    "cron.value": _value,
    "cron.range": _value,
    "cron.backwards": lambda _, value, facts: t(
        "The range {part} of the {field} ends before it begins.{near}{marked}",
        part=code(facts["part"]),
        field=facts["field"],
        near=_near(facts),
        marked=_marked(value, facts),
    ),
    "cron.step": lambda _, value, facts: t(
        "{part} is not a valid step for the {field}: it takes 1 to {high}, such as `*/5`.{near}{marked}",
        part=code("/" + facts["part"]),
        field=facts["field"],
        high=facts["high"] - facts["low"],
        near=_near(facts),
        marked=_marked(value, facts),
    ),
    "cron.never": lambda _, value, facts: t("These months have no such day.{marked}", marked=_marked(value, facts)),
    "tz.unknown": lambda _, value, facts: t(
        "{value} is not a time zone.{near}",
        value=code(value),
        near=_near(facts) or t(" Examples are `Europe/Berlin` and `UTC`."),
    ),
    "tz.fixed": lambda _, value, facts: t(
        "{value} has no daylight saving time at all.{near}", value=code(value), near=_near(facts)
    ),
    "snooze.until": lambda field, value, facts: t(
        "{value} is not a valid value of {field}. Use a time such as `1h` or `2d` (at most"
        " {longest}), `morning` or `change`.",
        value=code(value),
        field=field,
        longest=duration(facts["longest"]),
    ),
    "watch.nothing": lambda _, __, ___: t("A watch without summaries and alerts would never post anything."),
}
"""Sentences by rule (`services.model.errors.Invalid`), from the option, the value and the facts."""
