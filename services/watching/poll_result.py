"""What a poll of a cloud registry means for what is known of it. Pure: the store calls it in a transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.model.azure import AcrRef, ConnectedRegistry
from services.model.errors import DomainError, Throttled, Unreachable
from services.model.health import Health, Sighting, Target, Transition
from services.model.poll import Known, Poll, Seen, Verdict
from services.watching import incident_rules
from services.watching.clusters import ArcLook
from services.watching.health import health

PATIENCE = 2
"""Failures in a row of a kind that passes by itself before a cloud registry counts as one that can't be asked."""


def sightings(
    acr: AcrRef, found: Sequence[ConnectedRegistry], known: Known, looks: Mapping[str, ArcLook], at: datetime
) -> tuple[Sighting, ...]:
    """What the list says of each connected registry, joined with what it hangs on."""
    # An extension is named for its connected registry (`deploy` does so).
    homes = {name: cluster for cluster, look in looks.items() for name in look.extensions}
    seen: list[Sighting] = []
    for one in found:
        before = known.seen.get(Target(acr.id.lower(), one.name))
        cluster = homes.get(one.name.lower(), before.sighting.cluster if before else "")
        seen.append(_sighting(acr, one, cluster, looks.get(cluster), at))
    return tuple(seen)


def _sighting(acr: AcrRef, one: ConnectedRegistry, cluster: str, look: ArcLook | None, at: datetime) -> Sighting:
    return Sighting(
        target=Target(acr.id.lower(), one.name),
        at=at,
        connection_state=one.connection_state,
        activation=one.activation,
        last_sync=one.last_sync,
        last_activity=one.last_activity,
        schedule=one.schedule,
        window=one.window,
        message_ttl=one.message_ttl,
        details=one.status_details,
        cluster=cluster,
        connectivity=look.connectivity if look else "",
        extension=look.extensions.get(one.name.lower(), "") if look else "",
    )


def asked(known: Known, seen: Sequence[Sighting], now: datetime, due: datetime) -> Verdict:
    """The list came."""
    poll = Poll(known.poll.acr, due, succeeded=now)
    gone = tuple(known.seen.keys() - {one.target for one in seen})
    return _verdict(known, seen, {}, poll, now, gone=gone)


def not_asked(known: Known, error: DomainError, now: datetime, due: datetime) -> Verdict:
    """The list did not come. What passes by itself is waited for a little; then everything in it is unknown."""
    failures = known.poll.failures + 1
    kind = type(error).__name__
    poll = replace(known.poll, due=due, failing=known.poll.failing or now, failures=failures, error=kind)
    if isinstance(error, Unreachable | Throttled) and failures < PATIENCE:
        return Verdict(poll)
    seen = [replace(one.sighting, at=now, failed=kind) for one in known.seen.values()]
    return _verdict(known, seen, {known.poll.acr: kind}, poll, now)


def _verdict(
    known: Known,
    seen: Sequence[Sighting],
    failures: Mapping[str, str],
    poll: Poll,
    now: datetime,
    *,
    gone: tuple[Target, ...] = (),
) -> Verdict:
    judged = [_judged(one, known.seen.get(one.target), now) for one in seen]
    decided = incident_rules.decide(
        {one.subject: one for one in known.open},
        [(fresh.sighting, found) for fresh, found in judged],
        failures,
        now,
        memos=known.memos,
        gone=[f"{one.acr}/{one.name}" for one in gone],
    )
    return Verdict(
        poll,
        seen=tuple(fresh for fresh, _ in judged if _differs(fresh, known.seen.get(fresh.sighting.target))),
        gone=gone,
        transitions=tuple(_transitions(known, judged, now)),
        opened=decided.opened,
        changed=decided.changed,
        resolved=decided.resolved,
        memos=decided.memos if decided.memos != known.memos else None,
    )


def _transitions(known: Known, judged: Sequence[tuple[Seen, Health]], now: datetime) -> Iterator[Transition]:
    for fresh, found in judged:
        target = fresh.sighting.target
        before = known.seen.get(target)
        if before and before.state != fresh.state:
            yield Transition(target, now, before.state, fresh.state, found.reason, found.facts)


def _judged(sighting: Sighting, before: Seen | None, now: datetime) -> tuple[Seen, Health]:
    activated = sighting.activation.lower() == "active" or (before is not None and before.activated)
    found = health(sighting, now, activated_before=activated)
    since = before.since if before and before.state == found.state else now
    return Seen(sighting, found.state, found.reason, since, activated), found


def _differs(fresh: Seen, before: Seen | None) -> bool:
    return before is None or fresh != replace(before, sighting=replace(before.sighting, at=fresh.sighting.at))
