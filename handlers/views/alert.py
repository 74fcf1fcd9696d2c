"""An incident as people see it: its one message, its thread's lines, its details. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date as day
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, date, duration, escape, mention
from handlers.views import health as words
from services.model.health import Health, Sighting
from services.model.incident import SEVERITIES, UNTIL_CHANGE, Incident, Severity
from services.watching.health import WELL, is_continuous
from services.watching.incident_rules import worse

COLOURS: Mapping[Severity, str] = {"critical": "#d72b3f", "warning": "#e8912d", "info": "#1d9bd1"}
WELL_AGAIN, ELSEWHERE = "#2eb67d", "#8d8d8d"
MOST_CHILDREN = 15
"""Names shown on a card."""
_ROWS = 99
_LEFT: Mapping[str, str] = {
    "gone": "is gone",
    "unwatched": "is no longer watched",
    "inactive.deactivated": "is deactivated",
    "inactive.never": "is not activated",
}
"""Ends by which nothing has become well, by reason."""


def title(incident: Incident) -> str:
    """Such as `edge01 in contosoacr is offline`; plain text."""
    return f"{_what(incident)} {_is(incident)}"


def _what(incident: Incident) -> str:
    where, _, name = incident.subject.rpartition("/")
    match incident.kind:
        case "cluster":
            return f"Cluster {name}"
        case "acr":
            return f"Cloud registry {name}"
    return f"{name} in {where.rpartition('/')[2]}"


def _is(incident: Incident) -> str:  # noqa: PLR0911 - one a stage
    if _parent(incident):
        return "is told of elsewhere"
    if incident.reason in _LEFT:
        return _LEFT[incident.reason]
    if incident.resolved:
        return "is well again"
    if incident.state in WELL:
        return "is recovering"
    if incident.kind == "acr":
        return "can't be asked"
    if incident.kind == "cluster":
        return "is offline" if incident.reason != "cluster.silent" else "is not heard of"
    return f"is {words.word(incident.state)}"


def _parent(incident: Incident) -> str:
    """Id of the incident that tells of this one from now on."""
    return str(incident.facts.get("hidden_by") or "")


def _lasted(incident: Incident) -> str:
    return duration((incident.resolved or incident.opened) - incident.opened)


# --- the card -------------------------------------------------------------------------------------------------------


def card(incident: Incident) -> Message:
    """The incident's one message, at every stage."""
    text = f"{_mark(incident)}  {bold(title(incident))}{_hidden(incident)}"
    attachment = {"color": _colour(incident), "fallback": title(incident), "blocks": list(_body(incident))}
    return Message(text, visibility="channel", attachments=(attachment,))


def _mark(incident: Incident) -> str:
    if _parent(incident):
        return ":arrow_right:"
    if incident.reason in _LEFT:
        return ":heavy_minus_sign:"
    return ":white_check_mark:" if incident.resolved else words.SEVERITY_MARKS[incident.severity]


def _colour(incident: Incident) -> str:
    if _parent(incident) or incident.reason in _LEFT:
        return ELSEWHERE
    return WELL_AGAIN if incident.resolved else COLOURS[incident.severity]


def _hidden(incident: Incident) -> str:
    """How many connected registries it speaks for."""
    number = len(incident.children)
    if incident.resolved or not number:
        return ""
    known = incident.facts.get("known")
    of = f"{number} of {known}" if isinstance(known, int) else str(number)
    return f", with {of} connected {'registry' if of == '1' else 'registries'}"


def _body(incident: Incident) -> Iterator[Block]:
    if incident.resolved:
        yield blocks.section(_end(incident))
    else:
        yield blocks.section(_told(incident))
        if incident.children:
            yield blocks.section(_children(incident))
        yield blocks.fields(_pairs(incident))
    yield blocks.context(*_small(incident))
    yield _buttons(incident)


def _told(incident: Incident) -> str:
    cause = _cause(incident)
    if incident.state not in WELL:
        return cause
    since = f"has been well since {date(incident.changed)}" if incident.changed else "is well"
    return f"It {since}, and is watched for a while before this is over. What was told of it:\n{cause}"


def _cause(incident: Incident) -> str:
    if incident.kind == "acr":
        return f"Nothing is known of its connected registries meanwhile: {words.why(incident.facts)}."
    told = words.reason(incident.reason, incident.facts)
    if incident.kind == "registry" and incident.reason.startswith("cluster.") and incident.facts.get("last_contact"):
        told += f" {words.reason('contact.missed', incident.facts)}"
    return told


def _children(incident: Incident) -> str:
    shown = ", ".join(code(name) for name in incident.children[:MOST_CHILDREN])
    rest = len(incident.children) - MOST_CHILDREN
    return f"Connected registries: {shown}" + (f" and {rest} more" if rest > 0 else "")


def _pairs(incident: Incident) -> tuple[tuple[str, str], ...]:
    facts = incident.facts
    lasts = incident.state not in WELL
    lost, following = (facts.get("lost_from"), facts.get("next_contact")) if lasts else (None, None)
    cluster = str(facts.get("cluster") or "").rpartition("/")[2]
    return (
        ("Severity", incident.severity),
        ("Open since", date(incident.opened)),
        ("Next contact", date(following) if isinstance(following, datetime) else ""),
        ("Messages are lost from", f"{lost:%Y-%m-%d}" if isinstance(lost, day) else ""),
        ("Cluster", code(cluster)),
        ("Relapses", str(incident.flaps) if incident.flaps else ""),
    )


def _small(incident: Incident) -> tuple[str, ...]:
    taken = f":eyes: {mention(incident.acknowledged_by)} takes care of it" if incident.acknowledged_by else ""
    snoozed = "" if incident.resolved else _snoozed(incident)
    return code(incident.id), taken, f":zzz: {snoozed}" if snoozed else ""


def _snoozed(incident: Incident) -> str:
    if incident.snoozed_until is None:
        return ""
    if incident.snoozed_until == UNTIL_CHANGE:
        return "snoozed until it changes"
    return f"snoozed until {date(incident.snoozed_until)}"


def _end(incident: Incident) -> str:
    if parent := _parent(incident):
        return f"{code(parent)} tells of it from now on."
    if incident.reason in _LEFT:
        return f"{words.SENTENCES[incident.reason]} The alert was open for {_lasted(incident)}."
    relapses = f", with {incident.flaps} relapse{'s' if incident.flaps > 1 else ''}" if incident.flaps else ""
    told = f"It lasted {_lasted(incident)}{relapses}."
    if incident.children:
        told += (
            f" {len(incident.children)} of its connected registries were not heard of yet; each gets an alert of its"
            " own if it misses its next contact too."
        )
    return told


def _buttons(incident: Incident) -> Block:
    name = incident.id
    show = button("Show", runs=f"alert show {name}")
    if incident.resolved:
        return blocks.actions(show)
    return blocks.actions(
        None if incident.acknowledged_by else button("Acknowledge", runs=f"alert acknowledge {name}", style="primary"),
        button("Snooze 1 h", runs=f"alert snooze {name} --until 1h"),
        button("Until morning", runs=f"alert snooze {name} --until morning"),
        button("Until it changes", runs=f"alert snooze {name} --until change"),
        show,
    )


# --- the thread -----------------------------------------------------------------------------------------------------


def line(before: Incident | None, after: Incident) -> str:  # noqa: PLR0911 - one a change
    """What the thread is told of a change, in mrkdwn; empty when it has nothing to add."""
    if before is None:
        return ""
    if after.resolved:
        return "" if before.resolved else f"{_mark(after)}  {escape(title(after))}. {_end(after)}"
    if worse(before, after):
        return f":small_red_triangle:  It got worse, it is {after.severity} now. {_cause(after)}{_ended(before)}"
    if after.acknowledged_by and after.acknowledged_by != before.acknowledged_by:
        return f":eyes:  {mention(after.acknowledged_by)} takes care of it."
    if after.snoozed_until and after.snoozed_until != before.snoozed_until:
        until = "" if after.snoozed_until == UNTIL_CHANGE else ", or until it gets worse"
        return f":zzz:  It is {_snoozed(after)}{until}."
    if _woke(before, after):
        why = "It changed, so it is snoozed no longer" if _turned(before, after) else "It is snoozed no longer"
        return f":bell:  {why}: {escape(title(after))}." + (f" {_cause(after)}" if after.state not in WELL else "")
    return ""


def _woke(before: Incident, after: Incident) -> bool:
    return before.snoozed_until is not None and after.snoozed_until is None


def _turned(before: Incident, after: Incident) -> bool:
    return (before.state, before.reason) != (after.state, after.reason)


def _ended(before: Incident) -> str:
    if before.snoozed_until:
        return " It is snoozed no longer."
    return f" {mention(before.acknowledged_by)} took care of it before." if before.acknowledged_by else ""


def is_loud(before: Incident | None, after: Incident) -> bool:
    """Whether the channel hears of the thread's line too: it got worse, or it was put off and is still not well."""
    if before is None or after.resolved:
        return False
    return worse(before, after) or (_woke(before, after) and after.state not in WELL)


# --- answers and lists ----------------------------------------------------------------------------------------------


def details(incident: Incident, seen: Sequence[tuple[Sighting, Health]], now: datetime) -> Message:
    """Everything about one incident, for `alert show`: `seen` are the registries that it is about."""
    shown: list[Block] = [blocks.section(f"{_mark(incident)}  {bold(title(incident))}")]
    shown += _body(incident)
    columns = ("Name", "Health", "State", "Last sync (UTC)", "Lag", "Next contact (UTC)", "Schedule (UTC)")
    if seen:
        shown.append(blocks.table(columns, [_row(*pair) for pair in seen[:_ROWS]], right=(4,)))
    lasted = (incident.resolved or now) - incident.opened
    ended = f"over {date(incident.resolved)}" if incident.resolved else "still open"
    shown.append(blocks.context(f"Opened {date(incident.opened)}, {ended}, {duration(lasted)}"))
    return Message(title(incident), tuple(shown))


def _row(seen: Sighting, found: Health) -> tuple[str, ...]:
    return (
        seen.target.name,
        words.word(found.state),
        words.connection(seen),
        f"{seen.last_sync:%Y-%m-%d %H:%M}" if seen.last_sync else "never",
        duration(found.lag) if found.lag else "",
        f"{found.next_contact:%Y-%m-%d %H:%M}" if found.next_contact and not is_continuous(seen) else "",
        words.schedule(seen),
    )


def answer(incident: Incident) -> Message:
    """The private answer to `alert acknowledge` and `alert snooze`."""
    told = []
    if incident.acknowledged_by:
        told.append(f"{mention(incident.acknowledged_by)} takes care of it.")
    if snoozed := _snoozed(incident):
        told.append(f"It is {snoozed}.")
    text = f"{escape(title(incident))}. {' '.join(told)} That holds until it gets worse."
    return Message(text, (blocks.section(text),))


def listing(incidents: Sequence[Incident], *, watches: int) -> Message:
    """Open incidents, worst first; of a channel with so many watches."""
    if not watches:
        text = "This channel watches nothing, so it has no alerts."
        return Message(text, (blocks.section(f"{text} {code('watch SITE')} changes that."),))
    if not incidents:
        text = "There are no open alerts here."
        return Message(text, (blocks.section(text),))
    ordered = sorted(incidents, key=lambda one: (-SEVERITIES.index(one.severity), one.opened, one.id))
    columns = ("Id", "Alert", "Severity", "Open since (UTC)", "Registries", "State")
    rows = [
        (
            one.id,
            title(one),
            one.severity,
            f"{one.opened:%Y-%m-%d %H:%M}",
            str(len(one.children) or 1),
            "taken care of" if one.acknowledged_by else "snoozed" if one.snoozed_until else "open",
        )
        for one in ordered[:_ROWS]
    ]
    shown: list[Block] = [blocks.table(columns, rows, right=(4,))]
    if len(ordered) > _ROWS:
        shown.append(blocks.context(f"and {len(ordered) - _ROWS} more"))
    return Message(f"{len(ordered)} open alerts, worst first", tuple(shown))
