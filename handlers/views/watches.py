"""Watches as people see them: the confirmation before saving, the list. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from handlers.kit import blocks
from handlers.kit.blocks import Confirm, button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, duration, escape, listed, mention
from services.model.watch import Watch
from services.watching import cron

MOST = 12
"""Watches shown with their buttons; a message has 50 blocks."""
_ALERTS = {
    "on": "Alerts: one message for each thing that goes wrong.",
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
    """Before it is saved: the schedule in words, the next three times, and a button that says `saves`."""
    text = f"Not saved yet: watch {subject(watch)}, summaries {_every(watch)}"
    shown = (
        blocks.section(f"Watch {bold(subject(watch))} in this channel?"),
        _told(watch, now),
        blocks.actions(button("Save", runs=saves, style="primary")),
    )
    return Message(text, shown)


def saved(watch: Watch, now: datetime) -> Message:
    """After it was saved."""
    text = f"This channel watches {subject(watch)}, summaries {_every(watch)}"
    head = blocks.section(f":eyes:  This channel watches {bold(subject(watch))} now, for {mention(watch.by)}.")
    return Message(text, (head, _told(watch, now), blocks.actions(_now(watch))))


def removed(watches: Sequence[Watch]) -> Message:
    """After `unwatch`."""
    if not watches:
        text = "This channel did not watch that."
        return Message(text, (blocks.section(text),))
    names = [subject(one) for one in watches]
    text = f"This channel no longer watches {listed(names)}."
    told = f"This channel no longer watches {listed(map(bold, names))}."
    return Message(text, (blocks.section(f":heavy_minus_sign:  {told}"),))


def listing(watches: Sequence[Watch], now: datetime) -> Message:
    """The channel's watches with their next time, and buttons for now and unwatch."""
    if not watches:
        text = "This channel watches nothing."
        hint = f"{text} {code('watch SITE')} changes that."
        return Message(text, (blocks.section(hint),))
    shown: list[Block] = []
    for one in watches[:MOST]:
        head = f"{bold(subject(one))}  ·  {code(one.id)}\n{_summaries(one, now)}\n{_ALERTS[one.alerts]}"
        shown += [blocks.section(head), blocks.actions(_now(one), _unwatch(one), block_id=one.id)]
    if len(watches) > MOST:
        rest = listed(f"{subject(one)} ({one.id})" for one in watches[MOST:])
        shown.append(blocks.context(escape(f"and {len(watches) - MOST} more: {rest}")))
    return Message(f"This channel watches {listed(map(subject, watches))}", tuple(shown))


def _now(watch: Watch) -> blocks.Button:
    return button("Summary now", runs=f"watches {watch.id} --now")


def _unwatch(watch: Watch) -> blocks.Button:
    question = Confirm("End this watch?", f"This channel hears no more of {subject(watch)}.", "End it", "Keep it")
    return button("Unwatch", runs=f"unwatch {watch.id}", confirm=question)


def _told(watch: Watch, now: datetime) -> Block:
    return blocks.section(f"{_summaries(watch, now)}\n{_ALERTS[watch.alerts]}")


def _every(watch: Watch) -> str:
    return cron.parse(watch.every, watch.tz).words() if watch.every else "none"


def _summaries(watch: Watch, now: datetime) -> str:
    """The schedule read back, and its next three times as a clock in its zone shows them."""
    if not watch.every:
        return "Summaries: none on a schedule."
    schedule = cron.parse(watch.every, watch.tz)
    zone = ZoneInfo(schedule.tz)
    year = now.astimezone(zone).year
    local = [due.astimezone(zone) for due in schedule.next(now, 3)]
    times = [f"{at:%a %d %b %H:%M %Z}" if at.year == year else f"{at:%a %d %b %Y %H:%M %Z}" for at in local]
    return f"Summaries: {escape(schedule.words())} ({code(watch.every)})\nNext: {escape('; '.join(times))}"


# --- what was not understood ----------------------------------------------------------------------------------------

_ONE = "minute, hour, day of the month, month, day of the week"


def _marked(value: str, facts: Mapping[str, Any]) -> str:
    """The expression with its fault underlined."""
    shown = " ".join(value.split("\n")).replace("`", "'")
    return f"\n```{escape(shown)}\n{' ' * facts['position']}{'^' * facts['length']}```"


def _allowed(facts: Mapping[str, Any]) -> str:
    """What a field takes."""
    names = facts.get("names") or ()
    also = f", {names[0]} to {names[-1]}" if names else ""
    sunday = " (0 and 7 are Sunday)" if facts["high"] == 7 else ""  # noqa: PLR2004 - only the day of the week
    return f"{facts['low']} to {facts['high']}{also}{sunday}"


def _fields(field: str, value: str, facts: Mapping[str, Any]) -> str:
    count = facts["count"]
    told = "none" if not count else "one" if count == 1 else str(count)
    more = " Seconds and years are not among them." if count > 5 else ""  # noqa: PLR2004 - the fields that there are
    are = "is" if count == 1 else "are"
    return f"{field} has five fields ({_ONE}), and there {are} {told}.{more}{_marked(value, facts)}"


def _value(_: str, value: str, facts: Mapping[str, Any]) -> str:
    part, field = facts["part"], facts["field"]
    told = f"{code(part)} is no {field}" if part else f"A {field} is missing here"
    return f"{told}: that is {_allowed(facts)}, a list, a range, or `*`.{_marked(value, facts)}"


def _near(names: Sequence[str]) -> str:
    return f" Did you mean {listed(map(code, names), 'or')}?" if names else " One is `Europe/Berlin`, another `UTC`."


RULES: Mapping[str, Callable[[str, str, Mapping[str, Any]], str]] = {
    "cron.fields": _fields,
    "cron.value": _value,
    "cron.range": _value,
    "cron.backwards": lambda _, value, facts: (
        f"The range {code(facts['part'])} of the {facts['field']} ends before it begins.{_marked(value, facts)}"
    ),
    "cron.step": lambda _, value, facts: (
        f"After the slash stands a step of 1 or more, such as `*/5`.{_marked(value, facts)}"
    ),
    "cron.never": lambda _, value, facts: f"There is no such day in these months.{_marked(value, facts)}",
    "tz.unknown": lambda _, value, facts: f"{code(value)} is no time zone.{_near(facts.get('near', ()))}",
    "snooze.until": lambda field, value, facts: (
        f"{code(value)} does not fit {field}: it takes a time such as `1h` or `2d` (at most"
        f" {duration(facts['longest'])}), `morning` or `change`."
    ),
    "watch.nothing": lambda _, __, ___: "A watch without summaries and without alerts would never say anything.",
}
"""Sentences for broken rules, by rule (`services.model.errors.Invalid`): of the option, the value and the facts."""
