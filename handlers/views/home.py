"""Home as people see it: sections and buttons, since the Home tab takes no tables. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, date, duration, escape, listed, mention
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
    own = blocks.section("\n".join(lines)) if lines else blocks.context("None yet.")
    parts = [
        blocks.actions(button("Refresh", runs="home"), button("Help", runs="help"), block_id="home"),
        *(
            (*_awaiting(shown), *_alerts(shown), *_fleet(shown), blocks.header("Your operations"), own)
            if shown.may_read
            else _nothing()
        ),
        blocks.header("What you may do here"),
        blocks.section(f"{listed(map(code, shown.allowed))}."),
        blocks.context(f"In a channel it may be more or less: type {code(shown.help_line)} there."),
        blocks.context(f"As of {date(shown.now)}"),
    ]
    if not shown.may_read:
        return Message("You may not read any site here.", tuple(parts))
    waiting, alerts = count(len(shown.awaiting), "decision"), count(len(shown.alerts), "open alert")
    return Message(f"{waiting} waiting for you, {alerts}, {_health(shown.fleet)}", tuple(parts))


def _nothing() -> Iterator[Block]:
    """For somebody whom the policy lets read nothing: what there is stays unsaid."""
    why = blocks.accessory(button("Why?", runs="whoami"), "whoami")
    yield blocks.section(
        "You may not read any site here, so no operations, alerts and states are shown.", accessory=why
    )


def _awaiting(shown: Overview) -> Iterator[Block]:
    yield blocks.header("Waiting for your decision")
    if not shown.awaiting:
        yield blocks.context("Nothing.")
    for operation in shown.awaiting[:MOST]:
        expires = operation.approval_request.expires if operation.approval_request else None
        until = f", expires {date(expires)}" if expires else ""
        requested = f"requested by {mention(operation.requester)} {date(operation.created)}{until}"
        yield blocks.section(f"{bold(operations.name(operation))}  ·  {escape(operation.environment)}\n{requested}")
        show = button("Show details", runs=f"operation show {operation.id}")
        yield blocks.actions(*operations.decision_buttons(operation), show, block_id=operation.id)
    yield from _more(len(shown.awaiting))


def _alerts(shown: Overview) -> Iterator[Block]:
    yield blocks.header("Open alerts")
    if not shown.alerts:
        yield blocks.context("None of what is watched.")
    ordered = sorted(shown.alerts, key=lambda pair: (-SEVERITIES.index(pair[0].severity), pair[0].opened))
    for incident, concern in ordered[:MOST]:
        mark = health.SEVERITY_MARKS[incident.severity]
        taken = f", acknowledged by {mention(incident.acknowledged_by)}" if incident.acknowledged_by else ""
        text = f"{mark}  {bold(alert.title(incident, concern))}\nsince {date(alert.since(incident))}{taken}"
        show = blocks.accessory(button("Show", runs=f"alert show {incident.id}"), incident.id)
        yield blocks.section(text, accessory=show)
    yield from _more(len(ordered))


def _fleet(shown: Overview) -> Iterator[Block]:
    yield blocks.header("Fleet")
    yield blocks.section(bold(_health(shown.fleet)))
    worst = sorted(
        (row for row in shown.fleet.rows if row.health.state not in WELL),
        key=lambda row: (WORST_FIRST.index(row.health.state), row.registry.name),
    )
    for row in worst[:MOST]:
        last = row.registry.last_sync
        synced = f"last sync {duration(shown.now - last)} ago" if last else "never synced"
        where = connected.place(row)
        text = f"{health.mark(row.health.state)}  {bold(row.registry.name)} {where}: {health.word(row.health.state)}"
        details = blocks.accessory(button("Show", runs=connected.show_line(row)), f"{row.acr.name}:{row.registry.name}")
        yield blocks.section(f"{text}, {synced}", accessory=details)
    yield from _more(len(worst))
    for name, _ in shown.fleet.unasked[:MOST]:
        yield blocks.context(f":grey_question:  {bold(name)} could not be asked.")
    yield blocks.actions(button("List all", runs="list"), button("Sites", runs="site list"), block_id="fleet")


def _health(fleet: connected.Fleet) -> str:
    totals = Counter(row.health.state for row in fleet.rows)
    counts = health.counts({state: totals[state] for state in WORST_FIRST if totals[state]})
    number = count(len(fleet.rows), "connected registry", "connected registries")
    return f"{number}: {counts}" if counts else "no connected registries"


def _more(number: int) -> Iterator[Block]:
    if number > MOST:
        yield blocks.context(f"and {number - MOST} more")
