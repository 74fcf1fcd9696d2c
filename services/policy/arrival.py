"""Whether what the cloud registry has is at the edge, and if not, whether it is due. Pure.

Only an answer of the edge itself counts as an arrival: that a sync succeeded is no proof that an image is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.model.azure import ConnectedRegistry
from services.model.contents import CloudTag, EdgeContents, EdgeSilence, EdgeTag
from services.model.errors import Invalid
from services.policy import cron

State = Literal["there", "incomplete", "due", "late", "different", "gone", "unknown"]
SYNC_TIME = timedelta(minutes=10)
"""How long the copy of an image may take after its sync began; the same grace as for a contact that is overdue."""
COPY_TIME = timedelta(hours=1)
"""How long an operation waits for images beyond the window of the sync that should bring them: many take long."""


@dataclass(frozen=True)
class Arrival:
    """How a tag stands at the edge.

    `state` is `there` (the cloud's digest, and every manifest below it), `incomplete` (the digest, but not all
    manifests of its index), `due` (changed in the cloud after the last sync), `late` or `different` (a sync has gone by
    since, and the edge has no such tag, or another digest), `gone` (at the edge alone) or `unknown` (the edge could not
    be asked). `cloud` and `edge` are digests, empty where there is none; `next_sync` is for what is `due`.
    """

    tag: str
    state: State
    cloud: str = ""
    edge: str = ""
    missing: tuple[str, ...] = ()
    next_sync: datetime | None = None


def arrivals(
    cloud: Mapping[str, CloudTag], edge: EdgeContents, registry: ConnectedRegistry, now: datetime
) -> tuple[Arrival, ...]:
    """Every tag that either side has, by name. Where the edge could not be asked, those of the cloud are `unknown`."""
    if isinstance(edge, EdgeSilence):
        return tuple(Arrival(tag, "unknown", cloud[tag].digest) for tag in sorted(cloud))
    return tuple(
        _arrival(tag, cloud.get(tag), edge.get(tag), registry, now) for tag in sorted(cloud.keys() | edge.keys())
    )


def _arrival(
    tag: str, cloud: CloudTag | None, edge: EdgeTag | None, registry: ConnectedRegistry, now: datetime
) -> Arrival:
    if cloud is None:
        return Arrival(tag, "gone", edge=edge.digest if edge else "")
    if edge is not None and edge.digest == cloud.digest:
        return Arrival(tag, "incomplete" if edge.missing else "there", cloud.digest, edge.digest, edge.missing)
    digest = edge.digest if edge else ""
    if not is_overdue(registry, cloud.changed, now):
        return Arrival(tag, "due", cloud.digest, digest, next_sync=next_sync(registry, now))
    return Arrival(tag, "different" if edge else "late", cloud.digest, digest)


def outstanding(
    expected: Mapping[str, str],
    cloud: Mapping[str, CloudTag],
    edge: EdgeContents,
    registry: ConnectedRegistry,
    now: datetime,
) -> tuple[Arrival, ...]:
    """Those of the expected tags, by their digests, that the edge does not have in full, by name.

    A tag that has moved in the cloud since is there with either digest; one that has gone from it counts no more.
    """
    current = {tag: cloud[tag] for tag in expected if tag in cloud}
    if not isinstance(edge, EdgeSilence):
        copied = {tag for tag in current if edge.get(tag) == EdgeTag(expected[tag])}
        current = {tag: entry for tag, entry in current.items() if tag not in copied}
        edge = {tag: edge[tag] for tag in current if tag in edge}
    return tuple(arrival for arrival in arrivals(current, edge, registry, now) if arrival.state != "there")


def latest_arrival(registry: ConnectedRegistry, since: datetime) -> datetime:
    """Until when what was changed at `since` is worth waiting for: the end of the first sync that begins after it.

    That is one of the schedule, with its window and the time of a copy.
    """
    begins = _firing(registry, since) or since
    return begins + (registry.window or timedelta()) + COPY_TIME


def is_overdue(registry: ConnectedRegistry, changed: datetime | None, now: datetime) -> bool:
    """Whether a sync that should have brought a change has gone by: it ended since, or did not come when it was due.

    Of a sync only its end is known. One that ended shortly after the change may have begun before it, so it gets the
    time of a copy; without knowing when the change was nothing is overdue.
    """
    if changed is None:
        return False
    synced = last_sync(registry)
    if synced is not None and synced >= changed + SYNC_TIME:
        return True
    firing = _firing(registry, changed)
    return firing is not None and now > firing + (registry.window or timedelta()) + SYNC_TIME


def last_sync(registry: ConnectedRegistry) -> datetime | None:
    """When the last good sync ended, of all tags or of news alone; None before the first."""
    ends = (registry.last_sync, registry.sync_result.succeeded if registry.sync_result else None)
    return max((end for end in ends if end), default=None)


def next_sync(registry: ConnectedRegistry, now: datetime) -> datetime | None:
    """When the edge syncs next: `now` itself while its window is open; None where its schedule can't be read."""
    schedule = _cron(registry)
    opened = schedule.latest(now) if schedule and registry.window else None
    if opened and registry.window and now < opened + registry.window:
        return now
    return _firing(registry, now)


def _firing(registry: ConnectedRegistry, after: datetime) -> datetime | None:
    schedule = _cron(registry)
    return next(iter(schedule.next(after, 1)), None) if schedule else None


def _cron(registry: ConnectedRegistry) -> cron.Cron | None:
    try:
        return cron.parse(registry.schedule)
    except Invalid:
        return None
