"""Metrics for Prometheus, read from the database and the gateways at the moment of the scrape.

Several processes report the same about connected registries, because they share the database.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import product
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from services.gateways.azure.quotas import Quota
from services.model.clock import Clock
from services.model.health import HealthState
from services.model.incident import Severity
from services.model.operation import LIVE
from services.model.poll import LastSighting
from services.ports import Configuration
from services.store import Store
from services.watching.health import health

_REGISTRY = ("acr", "name")
_QUOTA = ("subscription", "scope", "kind")


class Metrics:
    """Renders the page that a scrape gets."""

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
        """All current figures in Prometheus' text format."""
        acrs = {site.acr_ref.id.lower() for site in self._configuration.sites.values()}
        now, registry = self._clock.now(), CollectorRegistry()
        states = await self._store.operations.counts()
        operations = _gauge(registry, "operations", "Operations by state", ("state",))
        for state in {*LIVE, *states}:
            operations.labels(state).set(states.get(state, 0))
        age = _gauge(registry, "poll_age_seconds", "Age of the last successful poll of a cloud registry", ("acr",))
        failures = _gauge(registry, "poll_failures", "Consecutive failed polls of a cloud registry", ("acr",))
        for poll in await self._store.sightings.polls():
            if poll.acr in acrs:
                failures.labels(_name(poll.acr)).set(poll.failures)
            if poll.acr in acrs and poll.succeeded:
                age.labels(_name(poll.acr)).set((now - poll.succeeded).total_seconds())
        lease = self._store.lease
        _gauge(registry, "replicas", "Processes that share the database").set(len(lease.replicas))
        _gauge(registry, "lease_age_seconds", "Age of the last renewal of this process's lease").set(lease.age)
        _gauge(registry, "takeovers", "Processes whose work this one has taken over since its start").set(lease.taken)
        _registries(registry, await self._store.sightings.last(acrs), now)
        counts = await self._store.incidents.counts()
        alerts = _gauge(registry, "open_alerts", "Open incidents of a cloud registry", ("acr", "severity"))
        for acr, severity in product(acrs, get_args(Severity)):
            alerts.labels(_name(acr), severity).set(counts.get((acr, severity), 0))
        quota = _gauge(registry, "arm_quota_remaining", "Estimated requests left in an ARM quota", _QUOTA)
        for bucket in self._quotas():
            level = bucket.level(asyncio.get_running_loop().time())
            quota.labels(bucket.subscription, bucket.scope, bucket.kind).set(level)
        return generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(f"registry_bot_{name}", text, labels, registry=registry)


def _registries(registry: CollectorRegistry, sightings: Sequence[LastSighting], now: datetime) -> None:
    state = _gauge(registry, "health", "1 for the current health of a connected registry", (*_REGISTRY, "state"))
    lag = _gauge(registry, "sync_lag_seconds", "How far the last sync is behind the schedule", _REGISTRY)
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


def _name(acr: str) -> str:
    return acr.rpartition("/")[2]
