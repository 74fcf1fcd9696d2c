"""What is really wrong and when, and when a perfect observer of the cloud could notice it. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.fleet import contacts
from sandbox.fleet.contacts import AFTER, BEFORE, Contacts, Stretch
from sandbox.fleet.script import CONTINUOUS, MINUTE, Edge, Script, Trouble

Json = dict[str, Any]
SILENCE = 5 * MINUTE
"""After this long without contact the service shows a connected registry as Offline."""


@dataclass(frozen=True)
class Wrong:
    """Something wrong with one edge.

    `shown` are the stretches in which it can be noticed: a planned contact is missed, complaints are reported, or the
    cloud shows that it is not activated. Outside of them, in a planned silence, nobody can notice it.
    """

    trouble: Trouble
    shown: tuple[Stretch, ...]


class Truth:
    """Everything that is wrong in a script, by edge, by cluster and by cloud registry."""

    def __init__(self, script: Script, by_subject: Mapping[str, Sequence[Trouble]]) -> None:
        self._script = script
        self._by_subject = by_subject

    def of_edge(self, edge: Edge) -> tuple[Wrong, ...]:
        """What is wrong with one edge, in order, including its cluster's troubles."""
        if not edge.activated:
            return ()
        troubles = self._by_subject.get(edge.key, ()), self._by_subject.get(edge.cluster, ())
        every = sorted((one for group in troubles for one in group), key=lambda one: one.begin)
        begin, end = self._script.begin - BEFORE, self._script.end + AFTER
        plan = contacts.planned(edge, begin, end)
        talks = Contacts(edge, every, self._script.begin, self._script.end)
        return tuple(Wrong(one, tuple(_noticeable(one, plan, talks, end))) for one in every if one.kind != "slow")

    def missed(self, edge: Edge) -> list[Stretch]:
        """The missed contacts: windows without any, and for a continuous edge silences of `SILENCE`."""
        script = self._script
        if not edge.activated:
            return []
        troubles = [*self._by_subject.get(edge.key, ()), *self._by_subject.get(edge.cluster, ())]
        talks = Contacts(edge, troubles, script.begin, script.end)
        if edge.schedule == CONTINUOUS:
            return list(talks.gaps(script.begin, script.end, SILENCE))
        windows = ((at, at + edge.window) for at in contacts.firings(edge.schedule, script.begin, script.end))
        next_contacts = ((start, stop, talks.next(start)) for start, stop in windows)
        return [(start, stop) for start, stop, contact in next_contacts if contact is None or contact >= stop]

    def silences(self, edge: Edge) -> list[Stretch]:
        """The planned silences of an edge within the script."""
        return contacts.silences(edge, self._script.begin, self._script.end)

    def document(self) -> Json:
        """As JSON; moments as ISO 8601 in UTC."""
        script = self._script
        return {
            "seed": script.seed,
            "begin": iso(script.begin),
            "end": iso(script.end),
            "registries": {edge.key: self._edge(edge) for edge in script.edges},
            "clusters": {
                name: {"registries": list(children), "wrong": self._plain(name)}
                for name, children in script.clusters.items()
            },
            "acrs": {name: {"wrong": self._plain(name)} for name in script.acrs},
        }

    def _edge(self, edge: Edge) -> Json:
        slow = (one for one in self._by_subject.get(edge.key, ()) if one.kind == "slow")
        return {
            "cluster": edge.cluster,
            "schedule": edge.schedule,
            "window": edge.window or None,
            "activated": edge.activated,
            "wrong": [trouble_json(one.trouble) | {"shown": _pairs(one.shown)} for one in self.of_edge(edge)],
            "late": [trouble_json(one) for one in slow],
            "missed": _pairs(self.missed(edge)),
            "silences": _pairs(self.silences(edge)),
        }

    def _plain(self, subject: str) -> list[Json]:
        return [trouble_json(trouble) for trouble in self._by_subject.get(subject, ())]


def by_subject(troubles: Iterable[Trouble]) -> dict[str, list[Trouble]]:
    """Troubles by subject."""
    grouped: dict[str, list[Trouble]] = {}
    for trouble in troubles:
        grouped.setdefault(trouble.subject, []).append(trouble)
    return grouped


def trouble_json(trouble: Trouble) -> Json:
    """A trouble as JSON."""
    details = {name: getattr(trouble, name) for name in ("down", "up", "late") if getattr(trouble, name)}
    return {
        "kind": trouble.kind,
        "cause": trouble.cause,
        "from": iso(trouble.begin),
        "until": iso(trouble.end),
    } | details


def iso(moment: int) -> str:
    """A moment as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _pairs(stretches: Iterable[Stretch]) -> list[list[str]]:
    return [[iso(start), iso(stop)] for start, stop in stretches]


def _noticeable(trouble: Trouble, plan: Sequence[Stretch], talks: Contacts, end: int) -> Iterator[Stretch]:
    if trouble.kind == "deactivated":
        yield trouble.begin, trouble.end
    elif trouble.kind == "disk":
        first, last = talks.next(trouble.begin), talks.next(trouble.end)
        if first is not None and first < trouble.end:
            yield from contacts.within(plan, first, end if last is None else last)
    else:
        for start, stop in contacts.cuts(trouble):
            back = talks.next(stop)
            # A contact was planned within the trouble itself, or none was missed.
            if contacts.within(plan, start, stop):
                yield from contacts.within(plan, start, end if back is None else back)
