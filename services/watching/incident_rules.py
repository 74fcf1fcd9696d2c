"""Incidents: when one opens, develops, is hidden by a greater one, and is over. A pure reducer.

One incident a subject. A registry's missed contact is its own confirmation; other problems have to be seen twice. A
subject has to stay well for a while before its incident is over, and the longer the more often it relapsed. A cloud
registry that can't be read says nothing about its children, and a dead cluster accounts for all of its own.
"""

from base64 import b32encode
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from services.model.health import Health, HealthReason, HealthState, Sighting
from services.model.incident import SEVERITIES, UNTIL_CHANGE, Incident, Memo, Severity
from services.watching.health import UNREACHABLE, WELL, due, is_connected, is_continuous, last_contact, missed, severity


@dataclass(frozen=True)
class IncidentThresholds:
    """How often and how long something has to be seen before it counts."""

    confirm_offline: int = 1
    """Sightings in a row before an incident opens; a missed contact has had its grace already."""
    confirm_unhealthy: int = 2
    confirm_acr: int = 2
    settle: timedelta = timedelta(minutes=10)
    """How long a registry waits for others of its cluster, when nothing shows that the cluster is alive."""
    together: int = 2
    """So many silent registries on one cluster, and none in contact, mean that the cluster is dead."""
    blurred: timedelta = timedelta(minutes=20)
    """Two that went silent together may look so far apart: one had a contact this long after the other's was due."""
    many: int = 10
    """A cluster with so many silent registries is critical."""
    steady: timedelta = timedelta(minutes=15)
    """How long a subject must be well before its incident is over; doubled by every flap, up to `steadiest`."""
    steadiest: timedelta = timedelta(hours=4)
    reopened: timedelta = timedelta(hours=6)
    """An incident within this time of the last one counts as a flap."""

    def steady_for(self, flaps: int) -> timedelta:
        """How long it must stay well after so many relapses."""
        factor: int = 2 ** min(flaps, 16)
        return min(self.steady * factor, self.steadiest)


@dataclass(frozen=True)
class IncidentChanges:
    """What a round of decisions changes. `memos` replace those that were passed in.

    A resolved incident with the fact `hidden_by` (an incident's id) is not over: a greater one covers it from now on.
    `resolved` is the moment since which the subject has been well, so that the duration is the trouble's.
    """

    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    memos: Mapping[str, Memo] = field(default_factory=dict)


THRESHOLDS = IncidentThresholds()


def subject(sighting: Sighting) -> str:
    """An incident's subject for one connected registry: `acr/name`."""
    return f"{sighting.target.acr}/{sighting.target.name}"


def worse(before: Incident, after: Incident) -> bool:
    """Whether it got worse, which ends acknowledgement and snooze and is posted in its thread."""
    graver = SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity)
    return graver or (before.state == "unhealthy" and after.state == "offline")


def decide(
    open_incidents: Mapping[str, Incident],
    sightings: Sequence[tuple[Sighting, Health]],
    acr_failures: Mapping[str, str],
    now: datetime,
    *,
    memos: Mapping[str, Memo] | None = None,
    removed: Collection[str] = (),
    thresholds: IncidentThresholds = THRESHOLDS,
) -> IncidentChanges:
    """What becomes of incidents. The same input twice decides nothing the second time.

    Args:
        open_incidents: By subject, all that are open among what is passed in the other arguments.
        sightings: The latest sighting of every registry that is known, with its health at `now`: also of those that
            this cycle did not read, so that a cluster's children can be counted. Order does not matter.
        acr_failures: Why a cloud registry could not be read, by its ARM id in lower case.
        now: The moment.
        memos: The last decisions' memos.
        removed: Subjects that no longer exist.
        thresholds: How often and how long something has to be seen.
    """
    newest: dict[str, tuple[Sighting, Health]] = {}
    for sighting, health in sorted(sightings, key=lambda pair: (subject(pair[0]), pair[0].at)):
        newest[subject(sighting)] = (sighting, health)
    members = [_Member(name, *pair, silenced=pair[0].target.acr in acr_failures) for name, pair in newest.items()]
    existing = [member for member in members if member.key not in removed]
    decisions = _Round(dict(open_incidents), memos or {}, now, thresholds)
    for key in sorted(removed):
        decisions.end(key, HealthReason.REMOVED)
    # From the greater to the smaller: what a cloud registry or a cluster explains opens nothing below it.
    decisions.acrs(acr_failures, members)
    decisions.clusters(existing)
    decisions.registries(existing)
    decisions.snoozes()
    return decisions.changes()


@dataclass(frozen=True)
class _Member:
    """A connected registry in this round. `silenced`: its cloud registry can't be read."""

    key: str
    sighting: Sighting
    health: Health
    silenced: bool

    @property
    def state(self) -> HealthState:
        return "unknown" if self.silenced or self.sighting.failed else self.health.state

    @property
    def severity(self) -> Severity | None:
        return None if self.state == "unknown" else severity(self.health, self.sighting)

    @property
    def is_silent(self) -> bool:
        """It misses contacts, which a dead cluster would explain."""
        return self.state == "offline"

    @property
    def shows_life(self) -> bool:
        """It shows that its cluster is alive."""
        connected = is_connected(self.sighting) or self.state in {"healthy", "syncing"}
        return self.state != "unknown" and connected

    @property
    def owed(self) -> datetime | None:
        """When the contact that it misses was due."""
        moment = self.health.facts.get("due")
        return moment if isinstance(moment, datetime) else None

    def patience(self, since: datetime) -> datetime:
        """When its next contact counts as missed, if contacts are possible again since then."""
        owed = due(self.sighting, since)
        return missed(self.sighting, owed) if owed else since

    def facts(self) -> dict[str, object]:
        """What its incident shows; nothing that changes with every poll."""
        facts: dict[str, object] = {**self.health.facts, "schedule": self.sighting.schedule}
        if self.sighting.window:
            facts["window"] = self.sighting.window
        if self.health.lost_from and self.state == "offline":
            facts["lost_from"] = self.health.lost_from
        if self.health.next_contact and not is_continuous(self.sighting):
            facts["next_contact"] = self.health.next_contact
        if self.sighting.cluster:
            facts["cluster"] = self.sighting.cluster
        return facts


@dataclass(frozen=True)
class _Trouble:
    """What an incident should show while its subject is bad."""

    state: HealthState
    severity: Severity
    reason: HealthReason
    facts: Mapping[str, object]
    children: tuple[str, ...] = ()


class _Round:
    """A round of decisions: incidents as they become, beside what they were."""

    def __init__(
        self, before: Mapping[str, Incident], memos: Mapping[str, Memo], now: datetime, thresholds: IncidentThresholds
    ) -> None:
        self._before, self._now, self._thresholds = before, now, thresholds
        self._after = dict(before)
        self._memos = dict(memos)
        self._resolved: list[Incident] = []
        self._hidden: set[str] = set()

    def changes(self) -> IncidentChanges:
        """What was decided, in order of subjects."""
        opened, changed = [], []
        for key, incident in sorted(self._after.items()):
            before = self._before.get(key)
            if before is None or before.id != incident.id:
                opened.append(incident)
            elif before != incident:
                changed.append(incident)
        resolved = sorted(self._resolved, key=lambda incident: incident.subject)
        memos = {
            key: memo
            for key, memo in sorted(self._memos.items())
            if memo.odd_count or memo.excused or self._closed_lately(memo)
        }
        return IncidentChanges(tuple(opened), tuple(changed), tuple(resolved), memos)

    def _closed_lately(self, memo: Memo) -> bool:
        return memo.closed is not None and self._now - memo.closed < self._thresholds.reopened

    # --- subjects, from the greater to the smaller ------------------------------------------------------------------

    def end(self, key: str, reason: HealthReason) -> None:
        """End its incident at once: nothing has to prove that it stays well."""
        if incident := self._after.pop(key, None):
            self._resolved.append(replace(incident, reason=reason, resolved=self._now, changed=self._now))
        self._memos.pop(key, None)

    def acrs(self, failures: Mapping[str, str], members: Sequence[_Member]) -> None:
        """Cloud registries that can't be read."""
        before = {incident.subject for incident in self._before.values() if incident.kind == "acr"}
        for acr in sorted({*failures, *before}):
            if acr not in failures:
                self._well(acr)
                continue
            names = tuple(member.sighting.target.name for member in members if member.sighting.target.acr == acr)
            incident = self._after.get(acr)
            # The first failure stays the one that is shown: Azure's outages come with several, in turn.
            error = incident.facts.get("error") if incident and incident.state not in WELL else None
            facts = {"error": error or failures[acr]}
            trouble = _Trouble("unknown", "warning", HealthReason.UNREADABLE, facts, names)
            self._bad(acr, "acr", trouble, confirm=self._thresholds.confirm_acr, sighted=self._now)

    def clusters(self, members: Sequence[_Member]) -> None:
        """Clusters whose silence explains that of their registries."""
        children: defaultdict[str, list[_Member]] = defaultdict(list)
        for member in members:
            if member.sighting.cluster and member.state != "unknown":
                children[member.sighting.cluster].append(member)
        for cluster, siblings in sorted(children.items()):
            incident = self._after.get(cluster)
            silent = [
                sibling for sibling in siblings if sibling.is_silent and (incident or not self._is_excused(sibling))
            ]
            if incident or (len(siblings) >= self._thresholds.together and self._is_dead(siblings, silent)):
                self._cluster(cluster, siblings, silent)

    def _is_dead(self, children: Sequence[_Member], silent: Sequence[_Member]) -> bool:
        """Whether the cluster is the reason that these are silent."""
        if silent and _agent(children) in UNREACHABLE:
            return True
        # A cluster is known to have been alive at the last contact of any child. Whoever was due before that contact,
        # and did not come, has a reason of its own: only those that were due since then speak against the cluster.
        # `blurred` is taken off, for contacts of registries that die together don't end in the same minute.
        alive = max((at for child in children if (at := last_contact(child.sighting))), default=None)
        since = alive - self._thresholds.blurred if alive else None
        together = [sibling for sibling in silent if since is None or sibling.owed is None or sibling.owed >= since]
        return len(together) >= self._thresholds.together and not any(child.shows_life for child in children)

    def _cluster(self, cluster: str, children: Sequence[_Member], silent: Sequence[_Member]) -> None:
        names = tuple(member.sighting.target.name for member in silent)
        agent, incident = _agent(children), self._after.get(cluster)
        back = any(member.shows_life for member in children)
        if incident and agent == "connected" and incident.reason in UNREACHABLE.values():
            # The agent was gone and is back. Its registries get the time to make their next contact before their
            # silence means anything; until then the cluster counts as alive.
            since = incident.changed if incident.state in WELL and incident.changed else self._now
            back = back or all(member.patience(since) > self._now for member in silent)
        if silent and (agent in UNREACHABLE or not back):
            grave = len(silent) >= self._thresholds.many or any(member.severity == "critical" for member in silent)
            before = incident.facts.get("most") if incident else 0
            facts: dict[str, object] = {
                "known": len(children),
                "most": max(len(silent), before if isinstance(before, int) else 0),
            }
            if owed := [member.owed for member in silent if member.owed]:
                facts["due"] = incident.facts.get("due") or min(owed) if incident else min(owed)
            # The severity never falls while it lasts: a child that comes back does not make the outage milder.
            current = "critical" if grave else incident.severity if incident else "warning"
            reason = UNREACHABLE.get(agent, HealthReason.CLUSTER_SILENT)
            trouble = _Trouble("offline", current, reason, facts, names)
            self._bad(cluster, "cluster", trouble, confirm=self._thresholds.confirm_offline, sighted=self._now)
        elif over := self._well(cluster, names):
            # Those that are still silent may not have had their turn since the cluster came back.
            for member in silent:
                self._remember(member.key, excused=member.patience(over.resolved or self._now))
        if incident := self._after.get(cluster):
            self._hide(incident, silent)

    def _hide(self, parent: Incident, silent: Sequence[_Member]) -> None:
        """These are silent because of `parent`: incidents of their own end in it."""
        for member in silent:
            self._hidden.add(member.key)
            if child := self._after.pop(member.key, None):
                facts = {**child.facts, "hidden_by": parent.id}
                self._resolved.append(replace(child, facts=facts, resolved=self._now, changed=self._now))
                self._remember(member.key, closed=self._now, flaps=child.flaps)

    def registries(self, members: Sequence[_Member]) -> None:
        """Each on its own, except those that a cluster's incident covers."""
        siblings: defaultdict[str, list[_Member]] = defaultdict(list)
        for member in members:
            siblings[member.sighting.cluster].append(member)
        for member in members:
            if member.key in self._hidden or member.state in {"unknown", "late"}:
                continue
            if member.state == "inactive":
                self.end(member.key, member.health.reason)
                continue
            current = member.severity
            if current is None:
                self._remember(member.key, excused=None, odd_seen=None, odd_count=0, odd_since=None)
                self._well(member.key)
            elif not self._is_excused(member) and not self._waits(member, siblings[member.sighting.cluster]):
                offline, unhealthy = self._thresholds.confirm_offline, self._thresholds.confirm_unhealthy
                trouble = _Trouble(member.state, current, member.health.reason, member.facts())
                confirm = offline if member.is_silent else unhealthy
                self._bad(member.key, "registry", trouble, confirm=confirm, sighted=member.sighting.at)

    def _is_excused(self, member: _Member) -> bool:
        memo = self._memos.get(member.key)
        return bool(member.is_silent and memo and memo.excused and self._now < memo.excused)

    def _waits(self, member: _Member, siblings: Sequence[_Member]) -> bool:
        """Whether a silent registry gets no incident yet, because it may turn out to be the cluster.

        The first of a dead cluster to miss its contact looks like a single one. Its siblings miss theirs within
        `settle`, so it waits that long where none of them shows that the cluster is alive.
        """
        if member.key in self._after or not member.is_silent or not member.sighting.cluster:
            return False
        if len(siblings) < self._thresholds.together or any(sibling.shows_life for sibling in siblings):
            return False
        return member.owed is not None and self._now - missed(member.sighting, member.owed) < self._thresholds.settle

    # --- one subject ------------------------------------------------------------------------------------------------

    def _bad(
        self,
        key: str,
        kind: Literal["registry", "cluster", "acr"],
        trouble: _Trouble,
        *,
        confirm: int,
        sighted: datetime,
    ) -> None:
        """The subject is bad: its incident develops, or one opens after `confirm` sightings in a row."""
        if incident := self._after.get(key):
            self._develop(key, incident, trouble)
            return
        memo = self._memos.get(key, Memo(key))
        if memo.odd_seen is None or sighted > memo.odd_seen:
            since = memo.odd_since or sighted
            memo = replace(memo, odd_seen=sighted, odd_count=memo.odd_count + 1, odd_since=since)
        if memo.odd_count < confirm:
            self._memos[key] = memo
            return
        self._memos.pop(key, None)
        # The same id in every process that comes to the same decision.
        digest = b32encode(sha256(f"{key} {self._now.isoformat()}".encode()).digest()).decode().lower()
        self._after[key] = Incident(
            id=f"al-{digest[:6]}",
            kind=kind,
            subject=key,
            severity=trouble.severity,
            opened=self._now,
            state=trouble.state,
            reason=trouble.reason,
            facts={**trouble.facts, "since": memo.odd_since},
            children=trouble.children,
            flaps=memo.flaps + 1 if self._closed_lately(memo) else 0,
            changed=self._now,
        )

    def _develop(self, key: str, incident: Incident, trouble: _Trouble) -> None:
        relapsed = incident.state in WELL
        if since := incident.facts.get("since"):
            trouble = replace(trouble, facts={**trouble.facts, "since": since})
        # Azure rewords descriptions with every sync; on their own they are no news, and edit no message.
        names = {*incident.facts, *trouble.facts} - {"descriptions"}
        is_news = relapsed or any(incident.facts.get(name) != trouble.facts.get(name) for name in names)
        after = replace(
            incident,
            state=trouble.state,
            severity=trouble.severity,
            reason=trouble.reason,
            facts=trouble.facts if is_news else incident.facts,
            children=trouble.children,
            flaps=incident.flaps + relapsed,
        )
        if (after.state, after.severity, after.reason) != (incident.state, incident.severity, incident.reason):
            after = replace(after, changed=self._now)
            if incident.snoozed_until == UNTIL_CHANGE:
                after = replace(after, snoozed_until=None)
        if worse(incident, after):
            after = replace(after, snoozed_until=None, acknowledged_by="", acknowledged_at=None)
        self._after[key] = after

    def _well(self, key: str, children: tuple[str, ...] = ()) -> Incident | None:
        """The subject is well; its incident, if that is over by now."""
        incident = self._after.get(key)
        if incident is None:
            if memo := self._memos.get(key):
                self._memos[key] = replace(memo, odd_seen=None, odd_count=0, odd_since=None)
            return None
        if incident.state not in WELL:
            snoozed = None if incident.snoozed_until == UNTIL_CHANGE else incident.snoozed_until
            self._after[key] = replace(
                incident, state="healthy", changed=self._now, snoozed_until=snoozed, children=children
            )
            return None
        # `changed` is the moment of recovery now. A link that flaps is well every few minutes: each relapse doubles
        # the time that its incident stays open, so that the channel gets one alert instead of one a relapse.
        since = incident.changed or self._now
        if self._now - since < self._thresholds.steady_for(incident.flaps):
            if children != incident.children:
                self._after[key] = replace(incident, children=children)
            return None
        del self._after[key]
        over = replace(incident, resolved=since, children=children, snoozed_until=None)
        self._resolved.append(over)
        self._remember(key, closed=self._now, flaps=incident.flaps)
        return over

    def _remember(self, key: str, **changes: datetime | int | None) -> None:
        if key in self._memos or any(changes.values()):
            self._memos[key] = replace(self._memos.get(key, Memo(key)), **changes)  # type: ignore[arg-type]  # its own fields

    def snoozes(self) -> None:
        """Those that have run out end."""
        for key, incident in self._after.items():
            if incident.snoozed_until and incident.snoozed_until <= self._now:
                self._after[key] = replace(incident, snoozed_until=None)


def _agent(children: Sequence[_Member]) -> str:
    """The Arc agent's state by the newest sighting that has one, in lower case; empty when none has."""
    sightings = [child.sighting for child in children if child.sighting.connectivity]
    states = [(sighting.at, sighting.connectivity.lower()) for sighting in sightings]
    return max(states, default=(None, ""))[1]
