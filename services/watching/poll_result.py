"""What a poll of a cloud registry changes in what is stored about it. Pure: the store calls it in a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.model.azure import AcrRef, ConnectedRegistry
from services.model.errors import DomainError, Throttled, Unreachable
from services.model.health import ClusterLook, Health, Sighting, Target, Transition
from services.model.poll import LastSighting, Poll, PollResult, StoredState
from services.policy.extensions import served_registries
from services.watching import disk, incident_rules
from services.watching.health import health, sighting_of

PATIENCE = 2
"""Failures in a row, of a kind that passes by itself, before the cloud registry counts as unreachable."""


def sightings(
    acr: AcrRef,
    registries: Sequence[ConnectedRegistry],
    stored: StoredState,
    looks: Mapping[str, ClusterLook],
    at: datetime,
) -> tuple[Sighting, ...]:
    """What the list says of each connected registry, joined with its cluster's state and its extension's."""
    installations = {
        served[0].name: (cluster, extension.provisioning_state)
        for cluster, look in looks.items()
        for extension in look.extensions
        # One that may serve several says nothing of any of them.
        if len(served := served_registries(extension, tuple(registries))) == 1
    }
    sightings: list[Sighting] = []
    for registry in registries:
        before = stored.sightings.get(Target(acr.id.lower(), registry.name))
        cluster, state = installations.get(registry.name, (before.sighting.cluster if before else "", ""))
        look = looks.get(cluster, ClusterLook(at))
        sighting = sighting_of(acr.id, registry, at, extension=state)
        samples = disk.remembered(before.sighting.disk if before else (), registry.status_details, at)
        sightings.append(replace(sighting, cluster=cluster, connectivity=look.connectivity, disk=samples))
    return tuple(sightings)


def answered(stored: StoredState, sightings: Sequence[Sighting], now: datetime, due: datetime) -> PollResult:
    """The list was read."""
    poll = Poll(stored.poll.acr, due, succeeded=now)
    removed = tuple(stored.sightings.keys() - {sighting.target for sighting in sightings})
    return _result(stored, sightings, {}, poll, now, removed=removed)


def failed(stored: StoredState, error: DomainError, now: datetime, due: datetime) -> PollResult:
    """The list could not be read. After `PATIENCE` failures everything in the cloud registry is unknown."""
    failures = stored.poll.failures + 1
    kind = type(error).__name__
    poll = replace(stored.poll, due=due, failing=stored.poll.failing or now, failures=failures, error=kind)
    if isinstance(error, Unreachable | Throttled) and failures < PATIENCE:
        return PollResult(poll)
    sightings = [replace(last.sighting, at=now, failed=kind) for last in stored.sightings.values()]
    return _result(stored, sightings, {stored.poll.acr: kind}, poll, now)


def _result(
    stored: StoredState,
    sightings: Sequence[Sighting],
    failures: Mapping[str, str],
    poll: Poll,
    now: datetime,
    *,
    removed: tuple[Target, ...] = (),
) -> PollResult:
    assessed = [_assessed(sighting, stored.sightings.get(sighting.target), now) for sighting in sightings]
    transitions = []
    changed = []
    for last, current in assessed:
        target = last.sighting.target
        before = stored.sightings.get(target)
        if before and before.state != last.state:
            transitions.append(Transition(target, now, before.state, last.state, current.reason, current.facts))
        # The time of a sighting alone is no change: `Sightings.last` takes it from the poll, so nothing is written.
        if before is None or last != replace(before, sighting=replace(before.sighting, at=last.sighting.at)):
            changed.append(last)
    incidents = incident_rules.decide(
        {incident.subject: incident for incident in stored.open_incidents},
        [(last.sighting, current) for last, current in assessed],
        failures,
        now,
        memos=stored.memos,
        removed=[f"{target.acr}/{target.name}" for target in removed],
    )
    return PollResult(
        poll,
        sightings=tuple(changed),
        removed=removed,
        transitions=tuple(transitions),
        opened=incidents.opened,
        changed=incidents.changed,
        resolved=incidents.resolved,
        memos=incidents.memos if incidents.memos != stored.memos else None,
    )


def _assessed(sighting: Sighting, before: LastSighting | None, now: datetime) -> tuple[LastSighting, Health]:
    activated = sighting.activation.lower() == "active" or (before is not None and before.activated)
    current = health(sighting, now, activated_before=activated)
    since = before.since if before and before.state == current.state else now
    return LastSighting(sighting, current.state, current.reason, since, activated), current
