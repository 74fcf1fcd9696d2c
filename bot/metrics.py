"""What Prometheus scrapes, read from the database and the gateways at the moment of the scrape.

Every process of several shows the same about connected registries, for they share the database.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from services.gateways.azure.quotas import Quota
from services.model.clock import Clock
from services.model.health import HealthState
from services.model.incident import Severity
from services.model.operation import LIVE
from services.model.poll import LastSighting, Poll
from services.ports import Configuration
from services.store import Store
from services.watching.health import health

_REGISTRY = ("acr", "name")


class Metrics:
    """`page` is the text that a scrape gets."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        quotas: Callable[[], Sequence[Quota]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._quotas = quotas
        self._clock = clock

    async def page(self) -> bytes:
        """All figures as they are now."""
        acrs = {site.acr_ref.id.lower() for site in self._configuration.sites.values()}
        now, registry = self._clock.now(), CollectorRegistry()
        states = await self._store.operations.counts()
        _operations(registry, states)
        _polls(registry, [one for one in await self._store.sightings.polls() if one.acr in acrs], now)
        _registries(registry, await self._store.sightings.last(acrs), now)
        _alerts(registry, acrs, await self._store.incidents.counts())
        _quota(registry, self._quotas(), asyncio.get_running_loop().time())
        return generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(f"registry_bot_{name}", text, labels, registry=registry)


def _operations(registry: CollectorRegistry, states: dict[str, int]) -> None:
    gauge = _gauge(registry, "operations", "Operations by state", ("state",))
    for state in {*LIVE, *states}:
        gauge.labels(state).set(states.get(state, 0))


def _polls(registry: CollectorRegistry, polls: Sequence[Poll], now: datetime) -> None:
    age = _gauge(registry, "poll_age_seconds", "Age of the last successful poll of a cloud registry", ("acr",))
    failures = _gauge(registry, "poll_failures", "Failed polls in a row of a cloud registry", ("acr",))
    for poll in polls:
        failures.labels(_name(poll.acr)).set(poll.failures)
        if poll.succeeded:
            age.labels(_name(poll.acr)).set((now - poll.succeeded).total_seconds())


def _registries(registry: CollectorRegistry, sightings: Sequence[LastSighting], now: datetime) -> None:
    state = _gauge(registry, "health", "1 for the health that a connected registry is in", (*_REGISTRY, "state"))
    lag = _gauge(registry, "sync_lag_seconds", "Age of the last sync beyond what the schedule plans", _REGISTRY)
    contact = _gauge(registry, "last_contact_timestamp_seconds", "When it was last active, as Unix time", _REGISTRY)
    for last in sightings:
        current = health(last.sighting, now, activated_before=last.activated)
        labels = (_name(last.sighting.target.acr), last.sighting.target.name)
        for health_state in get_args(HealthState):
            state.labels(*labels, health_state).set(health_state == current.state)
        if current.lag is not None:
            lag.labels(*labels).set(current.lag.total_seconds())
        if newest := max(filter(None, (last.sighting.last_activity, last.sighting.last_sync)), default=None):
            contact.labels(*labels).set(newest.timestamp())


def _alerts(registry: CollectorRegistry, acrs: set[str], counts: dict[tuple[str, str], int]) -> None:
    gauge = _gauge(registry, "open_alerts", "Open incidents of a cloud registry", ("acr", "severity"))
    for acr in acrs:
        for severity in get_args(Severity):
            gauge.labels(_name(acr), severity).set(counts.get((acr, severity), 0))


def _quota(registry: CollectorRegistry, quotas: Sequence[Quota], now: float) -> None:
    labels = ("subscription", "scope", "kind")
    gauge = _gauge(registry, "arm_quota_remaining", "What ARM said is left of a request quota, refilled since", labels)
    for quota in quotas:
        gauge.labels(quota.subscription, quota.scope, quota.kind).set(quota.level(now))


def _name(acr: str) -> str:
    return acr.rpartition("/")[2]
