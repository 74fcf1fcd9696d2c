"""A fleet, and what goes wrong with it over some days: planned by a seed, so that nothing is random later.

Moments are whole seconds since the epoch and lengths are seconds: a month of a thousand edges is a lot of arithmetic.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

CONTINUOUS = "* * * * *"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
CHILDREN = 50
"""Edges on the largest cluster, if a cloud registry has that many."""
PER_ACR = 50
"""Limit of connected registries of a cloud registry (ACR service limits)."""
Kind = Literal["edge", "link", "flapping", "disk", "deactivated", "slow", "cluster", "acr"]
SHARES = (("continuous", 40), ("daily", 45), ("weekly", 15))


@dataclass(frozen=True)
class Edge:
    """A connected registry of the fleet."""

    acr: str
    name: str
    cluster: str
    schedule: str
    window: int
    """How long it stays connected when its schedule fires; 0 for a continuous one."""
    phase: int
    """The second of the minute at which it makes contact."""
    sync: int
    """How long the synchronisation takes after each silence."""
    activated: bool = True

    @property
    def key(self) -> str:
        """`ACR/NAME`."""
        return f"{self.acr}/{self.name}"


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong from `begin` until `end`.

    `subject` is an edge's key, a cluster's name, or a cloud registry's name, depending on the kind. A flapping edge is
    `down` seconds without contact and then `up` seconds with it. Slow contacts come `late` seconds after they are due;
    that alone is no fault.
    """

    kind: Kind
    subject: str
    begin: int
    end: int
    cause: str
    down: int = 0
    up: int = 0
    late: int = 0


@dataclass(frozen=True)
class Script:
    """A fleet, and everything that happens to it between `begin` and `end`."""

    seed: int
    begin: int
    end: int
    acrs: tuple[str, ...]
    edges: tuple[Edge, ...]
    troubles: tuple[Trouble, ...]
    clusters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys of the edges on each cluster."""


CAUSES: dict[Kind, tuple[str, ...]] = {
    "edge": ("power failure", "the node was shut down", "the Pod crashes", "the volume is lost"),
    "link": ("the line is cut", "a firewall rule was changed", "the proxy's certificate expired", "DNS fails"),
    "flapping": ("a loose cable", "a mobile link at its limit"),
    "disk": ("the disk is full", "the volume can't be written"),
    "deactivated": ("somebody deactivated it",),
    "slow": ("a narrow line", "a satellite link"),
    "cluster": ("the site has no power", "all nodes are down", "the switch of the rack is dead"),
    "acr": ("ServiceUnavailable", "InternalServerError", "AuthorizationFailed"),
}


def plan(seed: int, registries: int, acrs: int, begin: int, days: float) -> Script:
    """The fleet of a seed: the same fleet and the same events every time.

    Raises:
        ValueError: there are more connected registries than the cloud registries may have, or none.
    """
    if not 1 <= acrs <= registries <= acrs * PER_ACR:
        raise ValueError(
            f"A cloud registry has 1 to {PER_ACR} connected registries: {registries} don't fit into {acrs}."
        )
    rng = random.Random(seed)  # noqa: S311 - a scenario has to be repeatable, not secret
    names = tuple(f"fleet{number:02}" for number in range(1, acrs + 1))
    edges = tuple(_edges(rng, registries, names))
    clusters: dict[str, tuple[str, ...]] = {}
    for edge in edges:
        clusters[edge.cluster] = (*clusters.get(edge.cluster, ()), edge.key)
    end = begin + round(days * DAY)
    shared = _Span(rng, begin, end)
    troubles = [*_of_clusters(shared, clusters)]
    # A quarter of the cloud registries can't be read for a while, once each.
    unreadable = rng.sample(names, -(-len(names) // 4))
    troubles += [shared.trouble("acr", name, (30 * MINUTE, 6 * HOUR)) for name in unreadable]
    troubles += [trouble for edge in edges if edge.activated for trouble in _of_edge(shared, edge)]
    troubles.sort(key=lambda trouble: (trouble.begin, trouble.subject))
    return Script(seed, begin, end, names, edges, tuple(troubles), clusters)


def _edges(rng: random.Random, registries: int, acrs: Sequence[str]) -> Iterator[Edge]:
    """Spread edges evenly over the cloud registries. The first one's share a cluster; a few others share one too."""
    number = 0
    for place, acr in enumerate(acrs):
        share = registries // len(acrs) + (place < registries % len(acrs))
        together = 0
        for index in range(share):
            number += 1
            if place == 0 and index < min(CHILDREN, max(share - 2, 2) if share < CHILDREN else CHILDREN):
                cluster = "plant-arc"
            else:
                if not together:
                    together = rng.choice((1, 1, 1, 1, 1, 1, 1, 2, 3, 5))
                    cluster = f"site{number:04}-arc"
                together -= 1
            yield _edge(rng, acr, f"edge{number:04}", cluster)


def _edge(rng: random.Random, acr: str, name: str, cluster: str) -> Edge:
    kind = rng.choices([word for word, _ in SHARES], [weight for _, weight in SHARES])[0]
    hour, minute = rng.randrange(24), rng.choice((0, 0, 15, 30, 45))
    schedule = {
        "continuous": CONTINUOUS,
        "daily": rng.choice((f"{minute} {hour} * * *",) * 3 + (f"{minute} {hour} * * 1-5",)),
        "weekly": f"{minute} {hour} * * {rng.randrange(7)}",
    }[kind]
    window = 0 if kind == "continuous" else rng.randint(1, 8) * HOUR
    return Edge(
        acr,
        name,
        cluster,
        schedule,
        window,
        phase=rng.randrange(5, 55),
        sync=rng.randrange(1, 6) * MINUTE,
        activated=rng.random() > 0.02,  # noqa: PLR2004 - one in fifty was made and never deployed
    )


@dataclass(frozen=True)
class _Span:
    """A stretch of time in which things go wrong at random."""

    rng: random.Random
    begin: int
    end: int

    def trouble(self, kind: Kind, subject: str, length: tuple[int, int], **more: int) -> Trouble:
        """A trouble at a random moment of the span that is over before the span ends."""
        longest = max((self.end - self.begin) // 2, MINUTE)
        seconds = min(self.rng.randint(*length), longest)
        begin = self.rng.randint(self.begin, max(self.end - seconds, self.begin))
        begin -= begin % 30
        return Trouble(kind, subject, begin, begin + seconds, self.rng.choice(CAUSES[kind]), **more)


def _of_clusters(span: _Span, clusters: Mapping[str, Sequence[str]]) -> Iterator[Trouble]:
    """Outages of the largest cluster, and of a few others that edges share."""
    largest = max(clusters, key=lambda name: len(clusters[name]))
    yield span.trouble("cluster", largest, (5 * HOUR, 30 * HOUR))
    others = [name for name, children in clusters.items() if len(children) > 1 and name != largest]
    for name in span.rng.sample(others, min(len(others), 1 + len(others) // 8)):
        yield span.trouble("cluster", name, (2 * HOUR, 40 * HOUR))


def _of_edge(span: _Span, edge: Edge) -> Iterator[Trouble]:
    """The troubles of one edge: none for most, and never two at a time."""
    rng = span.rng
    if rng.random() < 0.08:  # noqa: PLR2004 - slow lines are common where edges are
        yield span.trouble("slow", edge.key, (2 * DAY, 6 * DAY), late=rng.randint(2, 4) * MINUTE)
    count = rng.choices((0, 1, 2), (60, 30, 10))[0]
    length = (span.end - span.begin) // max(count, 1)
    for place in range(count):
        # The second one begins late enough for a weekly contact to end the first.
        begin = span.begin + place * length
        part = _Span(rng, begin, begin + length - (8 * DAY if length > 9 * DAY else length // 3))
        yield _edge_trouble(part, edge)


def _edge_trouble(span: _Span, edge: Edge) -> Trouble:
    rng = span.rng
    kind: Kind = rng.choices(("edge", "link", "flapping", "disk", "deactivated"), (35, 35, 12, 12, 6))[0]
    lengths: dict[Kind, tuple[int, int]] = {
        "edge": (20 * MINUTE, 30 * HOUR) if edge.schedule == CONTINUOUS else (2 * HOUR, 3 * DAY),
        "link": (20 * MINUTE, 20 * HOUR) if edge.schedule == CONTINUOUS else (2 * HOUR, 2 * DAY),
        "flapping": (2 * HOUR, 6 * HOUR),
        "disk": (3 * HOUR, 3 * DAY),
        "deactivated": (4 * HOUR, 3 * DAY),
    }
    down, up = rng.randint(15, 25) * MINUTE, rng.randint(8, 15) * MINUTE
    return span.trouble(kind, edge.key, lengths[kind], **({"down": down, "up": up} if kind == "flapping" else {}))
