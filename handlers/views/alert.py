"""An incident as people see it: its message, the replies in its thread, its details. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as day
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.blocks import Confirm, button
from handlers.kit.language import phrase, t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, date, duration, escape, mention, mention_of
from handlers.views import health as words
from handlers.views import next_steps
from handlers.views.facts import registries
from services.model.health import Health, HealthReason, Sighting
from services.model.incident import SEVERITIES, UNTIL_CHANGE, Incident, Severity
from services.watching.health import WELL, is_continuous
from services.watching.incident_rules import worse

COLOURS: Mapping[Severity, str] = {"critical": "#d72b3f", "warning": "#e8912d", "info": "#1d9bd1"}
RECOVERED, CLOSED = "#2eb67d", "#8d8d8d"
MOST_CHILDREN = 15
"""Names shown on a card."""
MOST_OPERATORS = 5
"""People and groups that one alert mentions."""
PAGE = 25
"""Rows on one page of the list."""
_CLOSED: Mapping[HealthReason, str] = {
    HealthReason.REMOVED: phrase("no longer exists"),
    HealthReason.UNWATCHED: phrase("is no longer watched"),
    HealthReason.DEACTIVATED: phrase("is deactivated"),
    HealthReason.NEVER_ACTIVATED: phrase("is not activated"),
}
"""Ends without a recovery, by reason."""


@dataclass(frozen=True)
class Concern:
    """What and whom an incident concerns.

    `sites` are names of the sites that it affects, as far as they are known; `operators` Slack ids of people and
    groups, and handles of groups, who operate there.
    """

    sites: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


UNKNOWN = Concern()


def title(incident: Incident, concern: Concern = UNKNOWN) -> str:
    """Such as `edge01 at berlin is offline`, or `edge01 in contosoacr …` where its site is not known; plain text."""
    where, _, name = incident.subject.rpartition("/")
    acr = where.rpartition("/")[2]
    at_site = concern.sites[0] if len(concern.sites) == 1 else ""
    kinds = {
        "cluster": t("Cluster {name}", name=name) + (t(" (site {at_site})", at_site=at_site) if at_site else ""),
        "acr": t("Cloud registry {name}", name=name),
        "registry": t("{name} at {at_site}", name=name, at_site=at_site)
        if at_site
        else t("{name} in {acr}", name=name, acr=acr),
    }
    return t("{title} {state}", title=kinds[incident.kind], state=_state(incident))


def _state(incident: Incident) -> str:
    if _parent(incident):
        return t("is covered by another alert")
    if incident.reason in _CLOSED:
        return t(_CLOSED[incident.reason])
    if incident.resolved:
        return t("has recovered")
    if incident.state in WELL:
        return t("is recovering")
    if incident.kind == "registry":
        return t("is {state}", state=words.word(incident.state))
    troubles = {HealthReason.UNREADABLE: t("can't be read"), HealthReason.CLUSTER_SILENT: t("is not reporting")}
    return troubles.get(incident.reason, t("is offline"))


def _parent(incident: Incident) -> str:
    """Id of the incident that covers this one from now on."""
    return str(incident.facts.get("hidden_by") or "")


# --- the card -------------------------------------------------------------------------------------------------------


def card(incident: Incident, concern: Concern = UNKNOWN) -> Message:
    """The incident's one message, at every stage. A critical one mentions those whom it concerns."""
    number, total = len(incident.children), incident.facts.get("known")
    affected = ""
    if number and not incident.resolved:
        of_all = t("{number} of {total}", number=number, total=registries(total)) if isinstance(total, int) else ""
        affected = t(", with {of_all}", of_all=of_all or registries(number))
    if _parent(incident) or incident.reason in _CLOSED:
        colour = CLOSED
    else:
        colour = RECOVERED if incident.resolved else COLOURS[incident.severity]
    name = title(incident, concern)
    attachment = {"color": colour, "fallback": escape(name), "blocks": list(_body(incident, concern))}
    text = f"{_mark(incident)}  {bold(name)}{affected}"
    return Message(text, visibility="channel", attachments=(attachment,))


def _mark(incident: Incident) -> str:
    if _parent(incident):
        return ":arrow_right:"
    if incident.reason in _CLOSED:
        return ":heavy_minus_sign:"
    return ":white_check_mark:" if incident.resolved else words.SEVERITY_MARKS[incident.severity]


def _body(incident: Incident, concern: Concern) -> Iterator[Block]:
    if incident.resolved:
        yield blocks.section(_end(incident))
    else:
        cause = _cause(incident)
        if incident.state in WELL:
            since = t("Healthy since {changed}. ", changed=date(incident.changed)) if incident.changed else ""
            cause = t("{since}The alert closes if it stays healthy. Original cause:\n{cause}", since=since, cause=cause)
        yield blocks.section(cause)
        if incident.children:
            names = ", ".join(code(name) for name in incident.children[:MOST_CHILDREN])
            hidden = len(incident.children) - MOST_CHILDREN
            yield blocks.section(
                t("Connected registries: {names}", names=names)
                + (t(" and {hidden} more", hidden=hidden) if hidden > 0 else "")
            )
        yield from blocks.fields(_fields(incident, concern))
        if incident.state not in WELL:
            at_site = concern.sites[0] if len(concern.sites) == 1 else ""
            check = button(t("Check {at_site}", at_site=at_site), runs=f"check {at_site}") if at_site else None
            accessory = blocks.accessory(check, "check") if check else None
            yield blocks.section(f"{bold(t('What to do'))}\n{next_steps.of(incident)}", accessory=accessory)
    acknowledged = (
        t(":eyes: Acknowledged by {acknowledged_by}", acknowledged_by=mention(incident.acknowledged_by))
        if incident.acknowledged_by
        else ""
    )
    snoozed = "" if incident.resolved else _snoozed(incident)
    yield blocks.context(code(incident.id), acknowledged, f":zzz: {snoozed}" if snoozed else "")
    yield _buttons(incident)


def _cause(incident: Incident) -> str:
    if incident.kind == "acr":
        return t("Nothing is known about its connected registries: {why}.", why=words.why(incident.facts))
    text = words.reason(incident.reason, incident.facts)
    explained = incident.reason in {HealthReason.CLUSTER_OFFLINE, HealthReason.CLUSTER_EXPIRED}
    if incident.kind == "registry" and explained and incident.facts.get("last_contact"):
        text += f" {words.reason(HealthReason.CONTACT_MISSED, incident.facts)}"
    return text


def _operators(incident: Incident, concern: Concern) -> str:
    """Those who operate at the sites: mentioned only where it is critical, for a mention rings a telephone."""
    if incident.severity != "critical" or incident.acknowledged_by:
        return ""
    return " ".join(map(mention_of, concern.operators[:MOST_OPERATORS]))


def _fields(incident: Incident, concern: Concern) -> tuple[tuple[str, str], ...]:
    facts = incident.facts
    lasts = incident.state not in WELL
    lost, following = (facts.get("lost_from"), facts.get("next_contact")) if lasts else (None, None)
    cluster = str(facts.get("cluster") or "").rpartition("/")[2]
    return (
        (t("Severity"), incident.severity),
        (t("Since"), date(since(incident))),
        (t("Concerns"), _operators(incident, concern)),
        (t("Next contact due"), date(following) if isinstance(following, datetime) else ""),
        (t("Undelivered messages expire from"), f"{lost:%Y-%m-%d}" if isinstance(lost, day) else ""),
        (t("Cluster"), code(cluster)),
        (t("Relapses"), str(incident.flaps) if incident.flaps else ""),
    )


def since(incident: Incident) -> datetime:
    """Since when it is wrong: the last contact, when one was due, or the first bad sighting; else the alert's begin."""
    moments = (incident.facts.get(name) for name in ("last_contact", "due", "since"))
    return next((moment for moment in moments if isinstance(moment, datetime)), incident.opened)


def _snoozed(incident: Incident) -> str:
    if incident.snoozed_until is None:
        return ""
    return t("Snoozed until ") + (
        t("it changes") if incident.snoozed_until == UNTIL_CHANGE else date(incident.snoozed_until)
    )


def _end(incident: Incident) -> str:
    if parent := _parent(incident):
        return t("{parent} covers it from now on.", parent=code(parent))
    lasted = duration((incident.resolved or incident.opened) - incident.opened)
    if incident.reason in _CLOSED:
        return t("{reason} The alert was open for {lasted}.", reason=words.SENTENCES[incident.reason], lasted=lasted)
    relapses = t(", with {relapses}", relapses=count(incident.flaps, "relapse")) if incident.flaps else ""
    text = t("It lasted {lasted}{relapses}.", lasted=lasted, relapses=relapses)
    if number := len(incident.children):
        have = t("has") if number == 1 else t("have")
        consequence = (
            t("it gets its own alert if it misses") if number == 1 else t("each gets its own alert if it misses")
        )
        text += t(
            " {registries} {have} not reported yet; {consequence} the next contact too.",
            registries=registries(number),
            have=have,
            consequence=consequence,
        )
    return text


def _buttons(incident: Incident) -> Block:
    name = incident.id
    show = button(t("Show"), runs=f"alert show {name}")
    if incident.resolved:
        return blocks.actions(show)
    return blocks.actions(
        None
        if incident.acknowledged_by
        else button(t("Acknowledge"), runs=f"alert acknowledge {name}", style="primary"),
        button(t("Snooze 1 h"), runs=f"alert snooze {name} --until 1h"),
        button(t("Snooze until morning"), runs=f"alert snooze {name} --until morning"),
        button(t("Snooze until it changes"), runs=f"alert snooze {name} --until change"),
        show,
    )


# --- the thread -----------------------------------------------------------------------------------------------------


def line(before: Incident | None, after: Incident, concern: Concern = UNKNOWN) -> str:  # noqa: PLR0911 - one a change
    """What a change adds to the thread, in mrkdwn; empty when it adds nothing."""
    name = escape(title(after, concern))
    if before is None:
        return ""
    if after.resolved:
        return "" if before.resolved else f"{_mark(after)}  {name}. {_end(after)}"
    if worse(before, after):
        lapsed = (
            t(" {acknowledged_by} had acknowledged it.", acknowledged_by=mention(before.acknowledged_by))
            if before.acknowledged_by
            else ""
        )
        if before.snoozed_until:
            lapsed = t(" The snooze has ended.")
        called = f" {operators}" if (operators := _operators(after, concern)) else ""
        return t(
            ":small_red_triangle:  {name}. Worse, now {severity}. {after}{lapsed}{called}",
            name=name,
            severity=after.severity,
            after=_cause(after),
            lapsed=lapsed,
            called=called,
        )
    if after.acknowledged_by and after.acknowledged_by != before.acknowledged_by:
        return t(":eyes:  {acknowledged_by} has acknowledged it.", acknowledged_by=mention(after.acknowledged_by))
    if after.snoozed_until and after.snoozed_until != before.snoozed_until:
        until = "" if after.snoozed_until == UNTIL_CHANGE else t(", or until it gets worse")
        return f":zzz:  {_snoozed(after)}{until}."
    if not _snooze_ended(before, after):
        return ""
    turned = (before.state, before.reason) != (after.state, after.reason)
    ended = t("It changed, so the snooze has ended") if turned else t("The snooze has ended")
    return f":bell:  {ended}: {name}." + (f" {_cause(after)}" if after.state not in WELL else "")


def _snooze_ended(before: Incident, after: Incident) -> bool:
    return before.snoozed_until is not None and after.snoozed_until is None


def is_loud(before: Incident | None, after: Incident) -> bool:
    """Whether the thread's reply goes to the channel too: it got worse, or its snooze ended and it is still bad."""
    if before is None or after.resolved:
        return False
    return worse(before, after) or (_snooze_ended(before, after) and after.state not in WELL)


# --- answers and lists ----------------------------------------------------------------------------------------------


def details(
    incident: Incident, affected: Sequence[tuple[Sighting, Health]], now: datetime, concern: Concern = UNKNOWN
) -> Message:
    """Everything about one incident, for `alert show`: `affected` are its connected registries."""
    name = title(incident, concern)
    sections: list[Block] = [blocks.section(f"{_mark(incident)}  {bold(name)}"), *_body(incident, concern)]
    columns = (
        t("Name"),
        t("Health"),
        t("State"),
        t("Last sync (UTC)"),
        t("Lag"),
        t("Next contact (UTC)"),
        t("Schedule (UTC)"),
    )
    if affected:
        sections.append(blocks.table(columns, [_row(*pair) for pair in affected], right=(4,)))
    lasted = duration((incident.resolved or now) - incident.opened)
    ended = t("closed {resolved}", resolved=date(incident.resolved)) if incident.resolved else t("still open")
    sections.append(
        blocks.context(
            t("Opened {opened}, {ended}, {lasted}", opened=date(incident.opened), ended=ended, lasted=lasted)
        )
    )
    return Message(escape(name), tuple(sections))


def _row(sighting: Sighting, current: Health) -> tuple[str, ...]:
    expected = current.next_contact if not is_continuous(sighting) else None
    return (
        sighting.target.name,
        words.word(current.state),
        words.connection(sighting),
        f"{sighting.last_sync:%Y-%m-%d %H:%M}" if sighting.last_sync else t("never"),
        duration(current.lag) if current.lag else "",
        f"{expected:%Y-%m-%d %H:%M}" if expected else "",
        words.schedule(sighting),
    )


def answer(incident: Incident, concern: Concern = UNKNOWN) -> Message:
    """The private answer to `alert acknowledge` and `alert snooze`."""
    states = []
    if incident.acknowledged_by:
        states.append(t("Acknowledged by {acknowledged_by}.", acknowledged_by=mention(incident.acknowledged_by)))
    if snoozed := _snoozed(incident):
        states.append(f"{snoozed}.")
    text = t(
        "{incident}. {states} This holds until it gets worse.",
        incident=escape(title(incident, concern)),
        states=" ".join(states),
    )
    return Message(text, (blocks.section(text),))


def acknowledged(count_of_alerts: int) -> Message:
    """The private answer to `alert acknowledge all`."""
    text = t("No open alert of this channel is left to acknowledge.")
    if count_of_alerts:
        text = t(
            "You have acknowledged {alerts}. This holds until they get worse.", alerts=count(count_of_alerts, "alert")
        )
    return Message(text, (blocks.section(text),))


LIST = (phrase("Alert"), phrase("Severity"), phrase("For"), phrase("State"), phrase("Registries"), phrase("Id"))


def listing(
    incidents: Sequence[tuple[Incident, Concern]],
    now: datetime,
    *,
    watches: int,
    watch_line: str,
    page: int = 1,
    may_act: bool = True,
) -> Message:
    """Open incidents, worst first.

    Args:
        incidents: All that the reader may see.
        now: The moment.
        watches: How many watches the channel has.
        watch_line: How a watch is typed.
        page: Which page.
        may_act: Whether the reader may acknowledge alerts.
    """
    if not watches:
        text = t("This channel watches nothing, so it has no alerts.")
        return Message(
            text,
            (blocks.section(t("{text} To watch a site, type {watch_line}.", text=text, watch_line=code(watch_line))),),
        )
    if not incidents:
        text = t("This channel has no open alerts.")
        return Message(text, (blocks.section(text),))
    ordered = sorted(incidents, key=lambda pair: (-SEVERITIES.index(pair[0].severity), pair[0].opened, pair[0].id))
    rows = [
        (
            title(incident, concern),
            incident.severity,
            duration(now - since(incident)),
            t("acknowledged") if incident.acknowledged_by else t("snoozed") if incident.snoozed_until else t("open"),
            str(len(incident.children) or 1),
            incident.id,
        )
        for incident, concern in ordered
    ]
    head = t("{alerts}, worst first", alerts=count(len(ordered), "open alert"))
    pages = blocks.pages_of_rows(LIST, rows, PAGE)
    table = blocks.paged(bold(head), LIST, pages, page, turns="alert list --turn", right=(4,))
    fresh = [incident for incident, _ in ordered if not incident.acknowledged_by]
    if not may_act or not fresh:
        return Message(head, table)
    question = Confirm(
        t("Acknowledge all?"),
        t("Everybody sees that you take care of {alerts}.", alerts=count(len(fresh), "alert")),
        t("Acknowledge"),
        t("Not now"),
    )
    buttons = blocks.actions(
        button(t("Show the worst"), runs=f"alert show {ordered[0][0].id}"),
        button(t("Acknowledge all"), runs="alert acknowledge all", confirm=question),
        block_id="alerts",
    )
    return Message(head, (*table, buttons))
