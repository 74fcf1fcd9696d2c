"""Home as people see it: sections and buttons, since the Home tab takes no tables. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, date, duration, escape, labelled, listed, mention
from handlers.views import alert, connected, health
from handlers.views import operation as operations
from services.model.incident import SEVERITIES, Incident
from services.model.operation import Operation
from services.watching.health import WELL, WORST_FIRST

MOST = 5
"""Operations, alerts and connected registries that each part names."""


@dataclass(frozen=True)
class Overview:
    """What one person is shown.

    `may_read` says whether they may read at any site, `allowed` are names of commands, `awaiting` the operations that
    they may decide about, `own` the newest that they asked for, `alerts` those at sites that they may read. `help_line`
    is how help is typed.
    """

    may_read: bool
    allowed: tuple[str, ...]
    awaiting: tuple[Operation, ...]
    own: tuple[Operation, ...]
    alerts: tuple[tuple[Incident, alert.Concern], ...]
    fleet: connected.Fleet
    help_line: str
    now: datetime


def overview(shown: Overview) -> Message:
    """Everything that waits for the person first, then what is wrong, then what they did and may do."""
    lines = [
        f"• {escape(operations.summary(operation))}  ·  {date(operation.created)}  ·  {code(operation.id)}"
        for operation in shown.own
    ]
    own = blocks.section("\n".join(lines)) if lines else blocks.context(t("None yet."))
    parts = [
        blocks.actions(button(t("Refresh"), runs="home"), button(t("Help"), runs="help"), block_id="home"),
        *(
            (*_awaiting(shown), *_alerts(shown), *_fleet(shown), blocks.header(t("Your operations")), own)
            if shown.may_read
            else _nothing()
        ),
        blocks.header(t("What you may do here")),
        blocks.section(f"{listed(map(code, shown.allowed))}."),
        blocks.context(
            t("In a channel it may be more or less: type {help_line} there.", help_line=code(shown.help_line))
        ),
        blocks.context(t("As of {now}", now=date(shown.now))),
    ]
    if not shown.may_read:
        return Message(t("You may not read any site here."), tuple(parts))
    waiting, alerts = count(len(shown.awaiting), "decision"), count(len(shown.alerts), "open alert")
    return Message(
        t("{waiting} waiting for you, {alerts}, {fleet}", waiting=waiting, alerts=alerts, fleet=_health(shown.fleet)),
        tuple(parts),
    )


def _nothing() -> Iterator[Block]:
    """For somebody whom the policy lets read nothing: what there is stays unsaid."""
    why = blocks.accessory(button(t("Why?"), runs="whoami"), "whoami")
    yield blocks.section(
        t("You may not read any site here, so no operations, alerts and states are shown."), accessory=why
    )


def _awaiting(shown: Overview) -> Iterator[Block]:
    yield blocks.header(t("Waiting for your decision"))
    if not shown.awaiting:
        yield blocks.context(t("Nothing."))
    for operation in shown.awaiting[:MOST]:
        expires = operation.approval_request.expires if operation.approval_request else None
        until = t(", expires {expires}", expires=date(expires)) if expires else ""
        requested = t(
            "requested by {requester} {created}{until}",
            requester=mention(operation.requester),
            created=date(operation.created),
            until=until,
        )
        yield blocks.section(f"{bold(operations.name(operation))}  ·  {escape(operation.environment)}\n{requested}")
        show = button(t("Show details"), runs=f"operation show {operation.id}")
        yield blocks.actions(*operations.decision_buttons(operation), show, block_id=operation.id)
    yield from _more(len(shown.awaiting))


def _alerts(shown: Overview) -> Iterator[Block]:
    yield blocks.header(t("Open alerts"))
    if not shown.alerts:
        yield blocks.context(t("None of what is watched."))
    ordered = sorted(shown.alerts, key=lambda pair: (-SEVERITIES.index(pair[0].severity), pair[0].opened))
    for incident, concern in ordered[:MOST]:
        mark = health.SEVERITY_MARKS[incident.severity]
        taken = (
            t(", acknowledged by {acknowledged_by}", acknowledged_by=mention(incident.acknowledged_by))
            if incident.acknowledged_by
            else ""
        )
        text = t(
            "{mark}  {incident}\nsince {since}{taken}",
            mark=mark,
            incident=bold(alert.title(incident, concern)),
            since=date(alert.since(incident)),
            taken=taken,
        )
        show = blocks.accessory(button(t("Show"), runs=f"alert show {incident.id}"), incident.id)
        yield blocks.section(text, accessory=show)
    yield from _more(len(ordered))


def _fleet(shown: Overview) -> Iterator[Block]:
    yield blocks.header(t("Fleet"))
    yield blocks.section(bold(_health(shown.fleet)))
    worst = sorted(
        (row for row in shown.fleet.rows if row.health.state not in WELL),
        key=lambda row: (WORST_FIRST.index(row.health.state), row.registry.name),
    )
    for row in worst[:MOST]:
        last = row.registry.last_sync
        synced = t("last sync {age} ago", age=duration(shown.now - last)) if last else t("never synced")
        where = connected.place(row)
        state = labelled(f"{bold(row.registry.name)} {where}", health.word(row.health.state))
        text = f"{health.mark(row.health.state)}  {state}"
        details = blocks.accessory(
            button(t("Show"), runs=connected.show_line(row)), f"{row.acr.name}:{row.registry.name}"
        )
        yield blocks.section(f"{text}, {synced}", accessory=details)
    yield from _more(len(worst))
    for name, _ in shown.fleet.unasked[:MOST]:
        yield blocks.context(t(":grey_question:  {name} could not be asked.", name=bold(name)))
    yield blocks.actions(button(t("List all"), runs="list"), button(t("Sites"), runs="site list"), block_id="fleet")


def _health(fleet: connected.Fleet) -> str:
    totals = Counter(row.health.state for row in fleet.rows)
    counts = health.counts({state: totals[state] for state in WORST_FIRST if totals[state]})
    number = count(len(fleet.rows), "connected registry", "connected registries")
    return labelled(number, counts) if counts else t("no connected registries")


def _more(number: int) -> Iterator[Block]:
    if number > MOST:
        yield blocks.context(t("and {number} more", number=number - MOST))
