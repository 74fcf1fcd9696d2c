"""Metrics for Prometheus, read from the database, the gateways and Slack's client at the moment of the scrape.

What comes from the database is the same from each process on it; counters are the process's own and begin with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Literal, get_args

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.gateways.azure.quotas import Quota
from services.model.clock import Clock
from services.model.health import HealthState
from services.model.incident import Severity
from services.model.operation import LIVE
from services.model.poll import LastSighting
from services.ports import Configuration
from services.store import Store
from services.tally import Tally
from services.watching.health import health


@dataclass(frozen=True)
class Declared:
    """A metric that the page has; `name` without the prefix `registry_bot_`, a counter's with its `_total`."""

    name: str
    kind: Literal["gauge", "counter"]
    labels: tuple[str, ...]
    text: str


METRICS = (
    Declared("info", "gauge", ("version",), "1 for the version of the bot that runs"),
    Declared("trouble", "gauge", ("part",), "1 while /readyz names trouble with this part of the bot"),
    Declared("replicas", "gauge", (), "Processes that share the database"),
    Declared("lease_age_seconds", "gauge", (), "Age of the last renewal of this process's lease"),
    Declared("takeovers_total", "counter", (), "Processes that died or hung, and whose work this one has taken over"),
    Declared("operations", "gauge", ("state",), "Operations in the database by state"),
    Declared("operation_age_seconds", "gauge", ("state",), "Age of the oldest operation that has not ended, by state"),
    Declared("operations_waiting_for_locks", "gauge", (), "Operations that wait for what another one has locked"),
    Declared("steps_running", "gauge", (), "Steps that run now"),
    Declared("step_age_seconds", "gauge", (), "Age of the oldest step that runs now, 0 for none"),
    Declared("steps_total", "counter", ("step", "state"), "Steps that have ended, by kind of step and state"),
    Declared("step_seconds_total", "counter", ("step", "state"), "Seconds that these steps took"),
    Declared("arm_requests_total", "counter", ("method", "status"), "Requests to Azure Resource Manager"),
    Declared("arm_request_seconds_total", "counter", ("method", "status"), "Seconds that these requests took"),
    Declared(
        "arm_quota_remaining", "gauge", ("subscription", "scope", "kind"), "Estimated requests left in an ARM quota"
    ),
    Declared("kubernetes_requests_total", "counter", ("cluster", "status"), "Requests to a cluster's API server"),
    Declared("kubernetes_request_seconds_total", "counter", ("cluster", "status"), "Seconds that these requests took"),
    Declared("slack_calls_total", "counter", ("method", "status"), "Calls of Slack's Web API"),
    Declared("slack_call_seconds_total", "counter", ("method", "status"), "Seconds that these calls took"),
    Declared("messages_waiting", "gauge", (), "Cards, alerts and summaries whose last state Slack does not show yet"),
    Declared("message_lag_seconds", "gauge", (), "For how long the one of them that changed first has been waiting"),
    Declared("poll_age_seconds", "gauge", ("acr",), "Age of the last successful poll of a cloud registry"),
    Declared("poll_failures", "gauge", ("acr",), "Consecutive failed polls of a cloud registry"),
    Declared("open_alerts", "gauge", ("acr", "severity"), "Open incidents of a cloud registry"),
    Declared("health", "gauge", ("acr", "name", "state"), "1 for the current health of a connected registry"),
    Declared("sync_lag_seconds", "gauge", ("acr", "name"), "How far the last sync is behind the schedule"),
    Declared("last_contact_timestamp_seconds", "gauge", ("acr", "name"), "When it was last active, as Unix time"),
)
PREFIX = "registry_bot_"
Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Sources:
    """What the process itself counts."""

    quotas: Callable[[], Sequence[Quota]]
    steps: Tally
    """By kind of step and state."""
    arm: Tally
    """By method and status, as Slack's."""
    kubernetes: Tally
    """By cluster and status."""
    slack: Tally
    board: Callable[[], tuple[int, float]]
    """How many subjects wait to be shown, and for how many seconds at most."""
    trouble: Callable[[], Awaitable[Mapping[str, str]]]
    """By part of the bot, what is wrong with it; empty for nothing."""
    version: str


class Metrics:
    """Renders the page that a scrape gets."""

    def __init__(self, store: Store, configuration: Configuration, sources: Sources, clock: Clock) -> None:
        self._store = store
        self._configuration = configuration
        self._sources = sources
        self._clock = clock

    async def page(self) -> bytes:
        """All current figures in Prometheus' text format."""
        sources, waiting, lease = self._sources, self._sources.board(), self._store.lease
        samples: dict[str, Samples] = {
            "info": {(sources.version,): 1},
            "trouble": {(part,): bool(reason) for part, reason in (await sources.trouble()).items()},
            "replicas": {(): len(lease.replicas)},
            "lease_age_seconds": {(): lease.age},
            "takeovers_total": {(): lease.taken},
            "arm_quota_remaining": {
                (quota.subscription, quota.scope, quota.kind): quota.level(asyncio.get_running_loop().time())
                for quota in sources.quotas()
            },
            "messages_waiting": {(): waiting[0]},
            "message_lag_seconds": {(): waiting[1]},
            **_totals("steps", "step", sources.steps),
            **_totals("arm_requests", "arm_request", sources.arm),
            **_totals("kubernetes_requests", "kubernetes_request", sources.kubernetes),
            **_totals("slack_calls", "slack_call", sources.slack),
            **await self._operations(),
            **await self._watching(),
        }
        families = []
        for metric in METRICS:
            kind = GaugeMetricFamily if metric.kind == "gauge" else CounterMetricFamily
            family = kind(PREFIX + metric.name, metric.text, labels=metric.labels)
            for labels, value in samples[metric.name].items():
                family.add_metric(labels, value)
            families.append(family)
        return generate_latest(_Page(families))

    async def _operations(self) -> dict[str, Samples]:
        now, states = self._clock.now(), await self._store.operations.counts()
        oldest = await self._store.operations.oldest()
        running, began = await self._store.operations.running_steps()
        return {
            "operations": {(state,): states.get(state, 0) for state in {*LIVE, *states}},
            "operation_age_seconds": {(state,): (now - oldest.get(state, now)).total_seconds() for state in LIVE},
            "operations_waiting_for_locks": {(): await self._store.locks.waiting()},
            "steps_running": {(): running},
            "step_age_seconds": {(): (now - (began or now)).total_seconds()},
        }

    async def _watching(self) -> dict[str, Samples]:
        acrs = {site.acr_ref.id.lower() for site in self._configuration.sites.values()}
        now, counts = self._clock.now(), await self._store.incidents.counts()
        polls = [poll for poll in await self._store.sightings.polls() if poll.acr in acrs]
        return {
            "poll_age_seconds": {
                (_name(poll.acr),): (now - poll.succeeded).total_seconds() for poll in polls if poll.succeeded
            },
            "poll_failures": {(_name(poll.acr),): poll.failures for poll in polls},
            "open_alerts": {
                (_name(acr), severity): counts.get((acr, severity), 0)
                for acr, severity in product(acrs, get_args(Severity))
            },
            **_registries(await self._store.sightings.last(acrs), now),
        }


@dataclass(frozen=True)
class _Page(Collector):
    """What `prometheus_client` renders."""

    families: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def _totals(counted: str, timed: str, tally: Tally) -> dict[str, Samples]:
    totals = tally.totals()
    return {
        f"{counted}_total": {labels: total.count for labels, total in totals.items()},
        f"{timed}_seconds_total": {labels: total.seconds for labels, total in totals.items()},
    }


def _registries(sightings: Sequence[LastSighting], now: datetime) -> dict[str, Samples]:
    states: dict[tuple[str, ...], float] = {}
    lags: dict[tuple[str, ...], float] = {}
    contacts: dict[tuple[str, ...], float] = {}
    for last in sightings:
        current = health(last.sighting, now, activated_before=last.activated)
        labels = (_name(last.sighting.target.acr), last.sighting.target.name)
        for health_state in get_args(HealthState):
            states[*labels, health_state] = health_state == current.state
        if current.lag is not None:
            lags[labels] = current.lag.total_seconds()
        if newest := max(filter(None, (last.sighting.last_activity, last.sighting.last_sync)), default=None):
            contacts[labels] = newest.timestamp()
    return {"health": states, "sync_lag_seconds": lags, "last_contact_timestamp_seconds": contacts}


def _name(acr: str) -> str:
    return acr.rpartition("/")[2]


# --- docs -----------------------------------------------------------------------------------------------------------


def page() -> str:
    """docs/metrics.md."""
    rows = [
        (f"`{PREFIX}{metric.name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), f"{metric.text}.")
        for metric in METRICS
    ]
    lines = [
        "# Metrics",
        "",
        "`GET /metrics` on the address of health and readiness, in Prometheus' text format. Gauges come from the",
        "database or the process at the moment of the scrape, so each replica reports the same about operations and",
        "registries; counters are each process's own. [deploy/prometheus](../deploy/prometheus) has alert rules",
        "and [deploy/grafana](../deploy/grafana) a dashboard; a test holds both to this list.",
        "",
        "A `status` is an HTTP status, or `none` where no answer came; `429` is throttling. Each try counts.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
    return "\n".join(lines)
