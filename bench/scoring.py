"""Incidents against a fleet's truth: which were right, and which of what went wrong was found. Pure.

**An episode** is a trouble of the script with one connected registry, one cluster's child or one cloud registry, from
its beginning until the first contact after it (`over`), that has to be known at some moment (`alarm`):

- with a continuous schedule the grace after the last contact, if no contact comes for that and one more poll;
- with any other schedule the end of the first window that passed without any contact;
- complaints: the second poll after the first contact with them, if they last for three;
- a cloud registry that can't be asked: its third poll.

What is shorter is no episode, and nor is a deactivation: somebody wanted it. **An incident is right** when it opened
while something was really wrong with its subject: between the beginning of a trouble and `over`, plus one poll. **An
episode is found** when a right incident about it, its own or one of its cluster that counts it among its children, was
open between its beginning and the schedule's next contact after its alarm.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.fleet import Fleet
from sandbox.fleet.script import CONTINUOUS, MINUTE, Edge, Kind, Trouble
from services.model.incident import Incident
from services.watching.health import GRACE

WATCHED: tuple[Kind, ...] = ("edge", "link", "flapping", "disk", "cluster")
PATIENCE = int(GRACE.total_seconds())


@dataclass(frozen=True)
class Episode:
    """Something that needs an alert. `subject` is an edge's key, or a cloud registry's name."""

    subject: str
    trouble: Trouble
    alarm: int
    over: int
    until: int
    """The schedule's next contact after the alarm, and no sooner than `over`."""


@dataclass
class Alerted:
    """One incident as alerts showed it: last form, children of all times, when it opened and when it was over."""

    incident: Incident
    opened: int
    children: set[str]
    resolved: int | None = None
    hidden: bool = False
    """It went on as a part of a greater one."""

    @property
    def end(self) -> float:
        """Of the time in which it was open."""
        return float("inf") if self.resolved is None else self.resolved


@dataclass
class Score:
    """What came out."""

    episodes: list[Episode] = field(default_factory=list)
    found: dict[Episode, Alerted] = field(default_factory=dict)
    right: list[Alerted] = field(default_factory=list)
    wrong: list[Alerted] = field(default_factory=list)
    in_silence: list[Alerted] = field(default_factory=list)
    """The wrong ones that opened while the connected registry was silent as planned."""
    troubles: dict[Trouble, list[Alerted]] = field(default_factory=dict)
    """The right ones by the trouble that each is about."""

    @property
    def missed(self) -> list[Episode]:
        """Episodes without any alert."""
        return [one for one in self.episodes if one not in self.found]

    @property
    def precision(self) -> float:
        """Right incidents among all."""
        return len(self.right) / max(len(self.right) + len(self.wrong), 1)

    @property
    def recall(self) -> float:
        """Found episodes among all."""
        return len(self.found) / max(len(self.episodes), 1)

    def latencies(self) -> list[float]:
        """Seconds from the alarm of each found episode to its incident; an earlier one counts as 0."""
        return [float(max(alerted.opened - episode.alarm, 0)) for episode, alerted in self.found.items()]


def episodes(fleet: Fleet, poll: int) -> Iterator[Episode]:
    """All of a fleet's script, in order of edges, then of cloud registries."""
    for edge in fleet.script.edges:
        yield from _of_edge(fleet, edge, poll)
    for trouble in fleet.script.troubles:
        if trouble.kind == "acr" and trouble.end - trouble.begin > 3 * poll:
            yield Episode(trouble.subject, trouble, trouble.begin + 3 * poll, trouble.end, trouble.end + poll)


def _of_edge(fleet: Fleet, edge: Edge, poll: int) -> Iterator[Episode]:
    missed = fleet.truth.missed(edge)
    for experience in fleet.truth.of_edge(edge):
        trouble = experience.trouble
        if trouble.kind not in WATCHED:
            continue
        over = fleet.contacts_of(edge).next(trouble.end) or fleet.script.end
        if trouble.kind == "disk":
            alarm = experience.shown[0][0] + 2 * poll if experience.shown else None
            lasts = alarm is not None and over - experience.shown[0][0] > 3 * poll
        else:
            alarm = _alarm(edge, [gap for gap in missed if gap[0] < trouble.end and gap[1] > trouble.begin], poll)
            lasts = alarm is not None and alarm + poll < over
        if alarm is not None and lasts and alarm + poll < fleet.script.end:
            until = max(over, fleet.contacts_of(edge).next(alarm) or over)
            yield Episode(edge.key, trouble, alarm, over, until)


def _alarm(edge: Edge, missed: Sequence[tuple[int, int]], poll: int) -> int | None:
    """When the first of the missed contacts has to be known."""
    if edge.schedule == CONTINUOUS:
        return next((start + PATIENCE for start, stop in missed if stop - start > PATIENCE + MINUTE + poll), None)
    return missed[0][1] if missed else None


def score(fleet: Fleet, incidents: Iterable[Alerted], poll: int) -> Score:
    """Judge incidents by the truth."""
    result = Score(list(episodes(fleet, poll)))
    spans = {subject: list(_spans(fleet, subject)) for subject in _subjects(fleet)}
    silences = {edge.key: fleet.truth.silences(edge) for edge in fleet.script.edges}
    by_edge: dict[str, list[Alerted]] = {}
    for entry in incidents:
        subject = subject_of(entry.incident)
        trouble = next((one for one, over in spans[subject] if one.begin <= entry.opened <= over + poll), None)
        if trouble is None:
            result.wrong.append(entry)
            if any(start <= entry.opened < stop for start, stop in silences.get(subject, ())):
                result.in_silence.append(entry)
            continue
        result.right.append(entry)
        result.troubles.setdefault(trouble, []).append(entry)
        for key in {subject, *(f"{subject_acr(entry.incident)}/{child}" for child in entry.children)}:
            by_edge.setdefault(key, []).append(entry)
        if entry.incident.kind == "cluster":
            for key in fleet.script.clusters[subject]:
                if key.partition("/")[2] in entry.children:
                    by_edge.setdefault(key, []).append(entry)
    for episode in result.episodes:
        hits = [
            entry
            for entry in by_edge.get(episode.subject, ())
            if entry.opened <= episode.until + poll and entry.end >= episode.trouble.begin
        ]
        if hits:
            result.found[episode] = min(hits, key=lambda entry: entry.opened)
    return result


def subject_of(incident: Incident) -> str:
    """What the fleet calls an incident's subject."""
    parts = incident.subject.split("/")
    return "/".join(parts[-2:]) if incident.kind == "registry" else parts[-1]


def subject_acr(incident: Incident) -> str:
    """The name of the cloud registry that an incident is about; empty for a cluster's."""
    return "" if incident.kind == "cluster" else incident.subject.split("/")[8]


def _subjects(fleet: Fleet) -> Iterator[str]:
    yield from (edge.key for edge in fleet.script.edges)
    yield from fleet.script.clusters
    yield from fleet.script.acrs


def _spans(fleet: Fleet, subject: str) -> Iterator[tuple[Trouble, int]]:
    """What is really wrong with a subject, each with the moment at which it is over."""
    edges: Mapping[str, Edge] = {edge.key: edge for edge in fleet.script.edges}
    edge = edges.get(subject)
    for trouble in fleet.script.troubles if edge is None else fleet.troubles_of(edge):
        if edge is None and trouble.subject == subject:
            yield trouble, trouble.end
        if edge is not None and trouble.kind in WATCHED:
            yield trouble, fleet.contacts_of(edge).next(trouble.end) or fleet.script.end
