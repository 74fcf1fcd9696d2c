"""Incidents: when one opens, develops, is hidden by a greater one, and is over. A pure reducer.

One incident a subject. A registry's missed contact is its own confirmation; other oddities have to be seen again. What
is well has to stay so for a while before its incident is over, and the longer the more often it relapsed. A cloud
registry that can't be asked says nothing about its children, and a dead cluster speaks for all of its own.
"""

import re
from base64 import b32encode
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from services.model.errors import Invalid
from services.model.health import Health, HealthState, Sighting
from services.model.incident import Incident, Memo, Severity
from services.watching.health import WELL, due, is_connected, is_continuous, last_contact, missed, severity

UNTIL_CHANGE = datetime.max.replace(tzinfo=UTC)
"""The end of a snooze that lasts until something changes."""
MORNING = time(8)
LONGEST_SNOOZE = timedelta(days=7)
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""The mildest first."""


@dataclass(frozen=True)
class Policy:
    """The rules' numbers."""

    confirm_offline: int = 1
    """Sightings in a row before an incident opens; a missed contact has had its grace already."""
    confirm_unhealthy: int = 2
    confirm_acr: int = 2
    settle: timedelta = timedelta(minutes=10)
    """For how long a registry waits for its siblings on the same cluster, when nothing says that the cluster lives."""
    together: int = 2
    """So many silent registries on one cluster, and none that is heard, mean that the cluster is dead."""
    blurred: timedelta = timedelta(minutes=20)
    """Two that fell silent at once may look so far apart: one was heard of this long after the other was missed."""
    many: int = 10
    """A cluster with so many silent registries is critical."""
    steady: timedelta = timedelta(minutes=15)
    """For how long it must be well before an incident is over; doubled by every flap, up to `steadiest`."""
    steadiest: timedelta = timedelta(hours=4)
    reopened: timedelta = timedelta(hours=6)
    """An incident within this time of the last one counts as a flap."""

    def steady_for(self, flaps: int) -> timedelta:
        """How long it must stay well after so many relapses."""
        factor: int = 2 ** min(flaps, 16)
        return min(self.steady * factor, self.steadiest)


@dataclass(frozen=True)
class Decisions:
    """What is to be done. `memos` replace those that were given.

    A resolved incident with the fact `hidden_by` (an incident's id) is not over: a greater one tells of it from now on.
    `resolved` is the moment since which it has been well, so that the duration is the trouble's.
    """

    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    memos: Mapping[str, Memo] = field(default_factory=dict)


POLICY = Policy()
_GONE = frozenset({"offline", "expired"})
"""States of an Arc agent, in lower case, that say that the cluster can't be reached."""


def subject(seen: Sighting) -> str:
    """An incident's subject for one connected registry: `acr/name`."""
    return f"{seen.target.acr}/{seen.target.name}"


def decide(
    open_incidents: Mapping[str, Incident],
    now_seen: Sequence[tuple[Sighting, Health]],
    acr_failures: Mapping[str, str],
    now: datetime,
    *,
    memos: Mapping[str, Memo] | None = None,
    gone: Collection[str] = (),
    policy: Policy = POLICY,
) -> Decisions:
    """What becomes of incidents. The same input twice decides nothing the second time.

    Args:
        open_incidents: By subject, all that are open among what is given in the other arguments.
        now_seen: The latest sighting of every registry that is known, with its health at `now`: also of those that
            this cycle did not ask, so that a cluster's children can be counted. Order does not matter.
        acr_failures: Why a cloud registry could not be asked, by its ARM id in lower case.
        now: The moment.
        memos: The last decisions' memos.
        gone: Subjects that no longer exist.
        policy: The numbers.
    """
    newest: dict[str, tuple[Sighting, Health]] = {}
    for seen, found in sorted(now_seen, key=lambda pair: (subject(pair[0]), pair[0].at)):
        newest[subject(seen)] = (seen, found)
    members = [_Member(name, *pair, silenced=pair[0].target.acr in acr_failures) for name, pair in newest.items()]
    deciding = _Deciding(dict(open_incidents), memos or {}, now, policy)
    deciding.leave(gone)
    deciding.acrs(acr_failures, members)
    deciding.clusters([one for one in members if one.key not in gone])
    deciding.registries([one for one in members if one.key not in gone])
    deciding.snoozes()
    return deciding.decisions()


# --- one connected registry -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    """A connected registry in this round. `silenced`: its cloud registry can't be asked."""

    key: str
    seen: Sighting
    health: Health
    silenced: bool

    @property
    def state(self) -> HealthState:
        return "unknown" if self.silenced or self.seen.failed else self.health.state

    @property
    def severity(self) -> Severity | None:
        return None if self.state == "unknown" else severity(self.health, self.seen)

    @property
    def is_silent(self) -> bool:
        """It misses contacts, which a dead cluster would explain."""
        return self.state == "offline"

    @property
    def is_heard(self) -> bool:
        """It shows that its cluster lives."""
        known = self.state != "unknown"
        return known and (is_connected(self.seen) or self.state in {"healthy", "syncing"})

    @property
    def owed(self) -> datetime | None:
        """When the contact that it misses was due."""
        due_at = self.health.facts.get("due")
        return due_at if isinstance(due_at, datetime) else None

    @property
    def missed_at(self) -> datetime | None:
        return missed(self.seen, self.owed) if self.owed else None

    def heard_until(self, since: datetime) -> datetime:
        """Until when it has time to be heard of, when contacts are possible again since then."""
        owed = due(self.seen, since)
        return missed(self.seen, owed) if owed else since

    def facts(self) -> dict[str, object]:
        """What the incident tells; nothing that changes with every look."""
        told: dict[str, object] = {**self.health.facts, "schedule": self.seen.schedule}
        if self.seen.window:
            told["window"] = self.seen.window
        if self.health.lost_from and self.state == "offline":
            told["lost_from"] = self.health.lost_from
        if self.health.next_contact and not is_continuous(self.seen):
            told["next_contact"] = self.health.next_contact
        if self.seen.cluster:
            told["cluster"] = self.seen.cluster
        return told


@dataclass(frozen=True)
class _Trouble:
    """What an incident should say while its subject is bad."""

    state: HealthState
    severity: Severity
    reason: str
    facts: Mapping[str, object]
    children: tuple[str, ...] = ()


# --- a round of decisions -------------------------------------------------------------------------------------------


class _Deciding:
    """Incidents as they become, beside what they were."""

    def __init__(
        self, before: Mapping[str, Incident], memos: Mapping[str, Memo], now: datetime, policy: Policy
    ) -> None:
        self._before, self._now, self._policy = before, now, policy
        self._after = dict(before)
        self._memos = dict(memos)
        self._resolved: list[Incident] = []
        self._hidden: set[str] = set()

    def decisions(self) -> Decisions:
        """What was decided, in order of subjects."""
        after = sorted(self._after.items())
        return Decisions(
            tuple(one for key, one in after if key not in self._before or self._before[key].id != one.id),
            tuple(one for key, one in after if key in self._before and self._is_new(self._before[key], one)),
            tuple(sorted(self._resolved, key=lambda one: one.subject)),
            {key: memo for key, memo in sorted(self._memos.items()) if self._is_worth_keeping(memo)},
        )

    def _is_new(self, before: Incident, after: Incident) -> bool:
        return before.id == after.id and before != after

    def _is_worth_keeping(self, memo: Memo) -> bool:
        recent = memo.closed is not None and self._now - memo.closed < self._policy.reopened
        return bool(memo.odd_count or memo.excused or recent)

    # --- subjects ---------------------------------------------------------------------------------------------------

    def leave(self, gone: Collection[str]) -> None:
        """Nothing is wrong any more with what no longer exists."""
        for key in sorted(gone):
            self._end(key, "gone")

    def _end(self, key: str, reason: str) -> None:
        """Over at once, for somebody wanted it so: there is nothing that could have become well."""
        if incident := self._after.pop(key, None):
            self._resolved.append(replace(incident, reason=reason, resolved=self._now, changed=self._now))
        self._memos.pop(key, None)

    def acrs(self, failures: Mapping[str, str], members: Sequence[_Member]) -> None:
        """Cloud registries that can't be asked."""
        for acr in sorted({*failures, *(one.subject for one in self._before.values() if one.kind == "acr")}):
            if acr not in failures:
                self._well(acr)
                continue
            names = tuple(one.seen.target.name for one in members if one.seen.target.acr == acr)
            told = self._after.get(acr)
            error = told.facts.get("error") if told and told.state not in WELL else None
            facts = {"error": error or failures[acr]}
            trouble = _Trouble("unknown", "warning", "unasked", facts, names)
            self._bad(acr, "acr", trouble, confirm=self._policy.confirm_acr, sighted=self._now)

    def clusters(self, members: Sequence[_Member]) -> None:
        """Clusters whose silence explains that of their registries."""
        children: defaultdict[str, list[_Member]] = defaultdict(list)
        for one in members:
            if one.seen.cluster and one.state != "unknown":
                children[one.seen.cluster].append(one)
        for cluster, some in sorted(children.items()):
            incident = self._after.get(cluster)
            if incident is None and len(some) < self._policy.together:
                continue
            silent = [one for one in some if one.is_silent and (incident or not self._is_excused(one))]
            if incident is None and not self._explains(some, silent):
                continue
            self._cluster(cluster, some, silent)

    def _explains(self, children: Sequence[_Member], silent: Sequence[_Member]) -> bool:
        """Whether the cluster is the reason that these are silent."""
        if not silent:
            return False
        if _agent(children) in _GONE:
            return True
        # The cluster lived when one was heard of, and whoever was missed before that has a reason of its own.
        heard = max((at for one in children if (at := last_contact(one.seen))), default=None)
        since = [one for one in silent if heard is None or one.owed is None or one.owed >= heard - self._policy.blurred]
        return len(since) >= self._policy.together and not any(one.is_heard for one in children)

    def _cluster(self, cluster: str, children: Sequence[_Member], silent: Sequence[_Member]) -> None:
        names = tuple(one.seen.target.name for one in silent)
        agent, told = _agent(children), self._after.get(cluster)
        heard = any(one.is_heard for one in children)
        if silent and (agent in _GONE or not (heard or self._is_back(told, agent, silent))):
            grave = len(silent) >= self._policy.many or any(one.severity == "critical" for one in silent)
            already = told.severity if told else "warning"
            reason = f"cluster.{agent if agent in _GONE else 'silent'}"
            most = max(len(silent), _number(told.facts.get("most")) if told else 0)
            facts = {"known": len(children), "most": most}
            trouble = _Trouble("offline", "critical" if grave else already, reason, facts, names)
            self._bad(cluster, "cluster", trouble, confirm=self._policy.confirm_offline, sighted=self._now)
        elif self._well(cluster, names):
            self._excuse(silent)
        if incident := self._after.get(cluster):
            self._hide(incident, silent)

    def _is_back(self, told: Incident | None, agent: str, silent: Sequence[_Member]) -> bool:
        """Whether the agent that was gone is back, and no registry has had the time to be heard of since."""
        if told is None or agent != "connected" or told.reason not in {f"cluster.{gone}" for gone in _GONE}:
            return False
        since = told.changed if told.state in WELL and told.changed else self._now
        return all(one.heard_until(since) > self._now for one in silent)

    def _hide(self, parent: Incident, silent: Iterable[_Member]) -> None:
        for one in silent:
            self._hidden.add(one.key)
            if child := self._after.pop(one.key, None):
                facts = {**child.facts, "hidden_by": parent.id}
                self._resolved.append(replace(child, facts=facts, resolved=self._now, changed=self._now))
                self._remember(one.key, closed=self._now, flaps=child.flaps)

    def _excuse(self, silent: Iterable[_Member]) -> None:
        """The greater incident is over; those still silent may not have had a chance to be heard since."""
        for one in silent:
            since = self._resolved[-1].resolved or self._now
            self._remember(one.key, excused=one.heard_until(since))

    def registries(self, members: Sequence[_Member]) -> None:
        """Each on its own, but for those that a cluster speaks for."""
        siblings: defaultdict[str, list[_Member]] = defaultdict(list)
        for one in members:
            siblings[one.seen.cluster].append(one)
        for one in members:
            if one.key in self._hidden or one.state in {"unknown", "late"}:
                continue
            if one.state == "inactive":
                self._end(one.key, one.health.reason)
                continue
            worst = one.severity
            if worst is None:
                self._remember(one.key, excused=None, odd_seen=None, odd_count=0)
                self._well(one.key)
            elif not self._is_excused(one) and not self._waits(one, siblings[one.seen.cluster]):
                confirm = self._policy.confirm_offline if one.is_silent else self._policy.confirm_unhealthy
                trouble = _Trouble(one.state, worst, one.health.reason, one.facts())
                self._bad(one.key, "registry", trouble, confirm=confirm, sighted=one.seen.at)

    def _is_excused(self, one: _Member) -> bool:
        memo = self._memos.get(one.key)
        return bool(one.is_silent and memo and memo.excused and self._now < memo.excused)

    def _waits(self, one: _Member, on_cluster: Sequence[_Member]) -> bool:
        """Whether its siblings are to be looked at once more before it is told on its own."""
        if (
            one.key in self._after
            or not one.is_silent
            or not one.seen.cluster
            or len(on_cluster) < self._policy.together
        ):
            return False
        if any(sibling.is_heard for sibling in on_cluster):
            return False
        since = one.missed_at
        return since is not None and self._now - since < self._policy.settle

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
        if incident := self._after.get(key):
            self._after[key] = self._developed(incident, trouble)
            return
        memo = self._memos.get(key, Memo(key))
        if memo.odd_seen is None or sighted > memo.odd_seen:
            memo = replace(memo, odd_seen=sighted, odd_count=memo.odd_count + 1)
        if memo.odd_count < confirm:
            self._memos[key] = memo
            return
        again = memo.closed is not None and self._now - memo.closed < self._policy.reopened
        self._memos.pop(key, None)
        self._after[key] = Incident(
            id=_id(key, self._now),
            kind=kind,
            subject=key,
            severity=trouble.severity,
            opened=self._now,
            state=trouble.state,
            reason=trouble.reason,
            facts=trouble.facts,
            children=trouble.children,
            flaps=memo.flaps + 1 if again else 0,
            changed=self._now,
        )

    def _developed(self, incident: Incident, trouble: _Trouble) -> Incident:
        relapsed = incident.state in WELL
        after = replace(
            incident,
            state=trouble.state,
            severity=trouble.severity,
            reason=trouble.reason,
            facts=trouble.facts if relapsed or _differ(incident.facts, trouble.facts) else incident.facts,
            children=trouble.children,
            flaps=incident.flaps + relapsed,
        )
        if _words(after) != _words(incident):
            after = replace(after, changed=self._now)
            if incident.snoozed_until == UNTIL_CHANGE:
                after = replace(after, snoozed_until=None)
        if worse(incident, after):
            after = replace(after, snoozed_until=None, acknowledged_by="", acknowledged_at=None)
        return after

    def _well(self, key: str, children: tuple[str, ...] = ()) -> bool:
        """The subject is well; whether its incident is over by that."""
        incident = self._after.get(key)
        if incident is None:
            if memo := self._memos.get(key):
                self._memos[key] = replace(memo, odd_seen=None, odd_count=0)
            return False
        if incident.state not in WELL:
            snoozed = None if incident.snoozed_until == UNTIL_CHANGE else incident.snoozed_until
            self._after[key] = replace(
                incident, state="healthy", changed=self._now, snoozed_until=snoozed, children=children
            )
            return False
        since = incident.changed or self._now
        if self._now - since < self._policy.steady_for(incident.flaps):
            if children != incident.children:
                self._after[key] = replace(incident, children=children)
            return False
        self._after.pop(key)
        self._resolved.append(replace(incident, resolved=since, children=children, snoozed_until=None))
        self._remember(key, closed=self._now, flaps=incident.flaps)
        return True

    def _remember(self, key: str, **changes: datetime | int | None) -> None:
        if key in self._memos or any(changes.values()):
            self._memos[key] = replace(self._memos.get(key, Memo(key)), **changes)  # type: ignore[arg-type]  # its own fields

    def snoozes(self) -> None:
        """Those that have run out end."""
        for key, incident in self._after.items():
            if incident.snoozed_until and incident.snoozed_until <= self._now:
                self._after[key] = replace(incident, snoozed_until=None)


def _agent(children: Sequence[_Member]) -> str:
    """The Arc agent's state as seen last, in lower case."""
    told = [(one.seen.at, one.seen.connectivity.lower()) for one in children if one.seen.connectivity]
    return max(told, default=(None, ""))[1]


def _differ(before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether there is news in the facts; texts of complaints may change with every sync."""
    return any(before.get(key) != after.get(key) for key in {*before, *after} - {"descriptions"})


def _words(incident: Incident) -> tuple[object, ...]:
    return incident.state, incident.severity, incident.reason


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _id(key: str, opened: datetime) -> str:
    """The same in every process that comes to the same decision."""
    digest = sha256(f"{key} {opened.isoformat()}".encode()).digest()
    return "al-" + b32encode(digest).decode().lower()[:6]


# --- what people do to them -----------------------------------------------------------------------------------------


def worse(before: Incident, after: Incident) -> bool:
    """Whether it got worse, which ends acknowledgement and snooze and is told in its thread."""
    graver = SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity)
    return graver or (before.state == "unhealthy" and after.state == "offline")


def acknowledge(incident: Incident, by: str, at: datetime) -> Incident:
    """Somebody takes care of it (a Slack id); it holds until it gets worse. The first one stays named."""
    if incident.acknowledged_by:
        return incident
    return replace(incident, acknowledged_by=by, acknowledged_at=at)


def snooze(incident: Incident, choice: str, at: datetime, tz: str) -> Incident:
    """`choice` is `1h` (or such as `45m`, `2d`), `morning` (the next 08:00 in `tz`) or `change`. Raises `Invalid`."""
    return replace(incident, snoozed_until=_until(choice.strip().lower(), at, tz))


def is_quiet(incident: Incident, now: datetime) -> bool:
    """Whether it is snoozed."""
    return incident.snoozed_until is not None and now < incident.snoozed_until


def _until(choice: str, at: datetime, tz: str) -> datetime:
    if choice == "change":
        return UNTIL_CHANGE
    if choice == "morning":
        return _morning(at, tz)
    found = re.fullmatch(r"([1-9][0-9]{0,3})(m|h|d)", choice)
    span = timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[found[2]]: int(found[1])}) if found else None
    if span is None or span > LONGEST_SNOOZE:
        raise Invalid("until", choice, "snooze.until", {"longest": LONGEST_SNOOZE})
    return at + span


def _morning(at: datetime, tz: str) -> datetime:
    local = at.astimezone(ZoneInfo(tz))
    morning = datetime.combine(local.date(), MORNING, tzinfo=local.tzinfo)
    if morning <= local:
        morning = datetime.combine(local.date() + timedelta(days=1), MORNING, tzinfo=local.tzinfo)
    return morning.astimezone(UTC)
