"""The rules of approving: who may decide about a request, what is still missing, and whether anybody could."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.model.errors import DenialRule, Denied
from services.model.operation import Decision
from services.model.people import Person, Place
from services.policy.access import EVERYONE, ApprovalRule, Policy
from services.policy.sites import Site

APPROVE = "operation:approve"
"""The permission that an approver needs beside being named by the rule."""

Members = Mapping[str, frozenset[str] | None]
"""Ids of the people in each user group; None where Slack would not say."""


@dataclass(frozen=True)
class Assessment:
    """Whether somebody's decision counts, and how far the request is.

    `why_not` is the rule that forbids it, empty when they may decide.
    """

    why_not: DenialRule | Literal[""]
    facts: Mapping[str, Any]
    approved: int
    needed: int

    @property
    def done(self) -> bool:
        """Whether enough have approved."""
        return self.approved >= self.needed

    def enforce(self) -> None:
        """Raises `Denied` unless they may decide."""
        if self.why_not:
            raise Denied(self.why_not, self.facts)


def assess_approver(
    policy: Policy,
    rule: ApprovalRule,
    *,
    requester: str,
    decisions: Iterable[Decision],
    person: Person,
    now: datetime,
    expires: datetime | None = None,
) -> Assessment:
    """What the rule says about `person` deciding now, given this round's `decisions`; `requester` is a Slack id."""
    approvals = [decision for decision in decisions if decision.verdict == "approve"]
    facts = {"name": rule.name, "approvers": rule.approvers, "count": rule.count}
    return Assessment(
        why_not=_why_not(policy, rule, requester, approvals, person, expired=expires is not None and now >= expires),
        facts=facts,
        approved=len({approval.person for approval in approvals}),
        needed=rule.count,
    )


def _why_not(
    policy: Policy, rule: ApprovalRule, requester: str, approvals: list[Decision], person: Person, *, expired: bool
) -> DenialRule | Literal[""]:
    if expired:
        return "approval.expired"
    if person.id == requester and not rule.self_approval:
        return "approval.self"
    if policy.names(person, rule.approvers) is None:
        return "approval.not_approver"
    if any(approval.person == person.id for approval in approvals):
        return "approval.twice"
    return ""


def groups(policy: Policy, rule: ApprovalRule) -> tuple[str, ...]:
    """Ids or handles of the user groups whose members `able` needs."""
    granted = [entry for grant in policy.grants for entry in grant.to]
    denied = [entry for denial in policy.denials for entry in denial.to]
    entries = (*rule.approvers, *granted, *denied)
    return tuple(dict.fromkeys(group for entry in entries if (group := policy.group_of(entry))))


def able(
    policy: Policy, rule: ApprovalRule, *, requester: str, place: Place, site: Site | None, members: Members
) -> frozenset[str] | None:
    """Ids of the people who could approve a request of `requester`, made in `place`; None when nobody can say.

    They are named by the rule and have the right to approve. `members` are those of `groups`, None for a group
    about which Slack does not answer.
    """
    if EVERYONE in rule.approvers or None in members.values():
        return None
    people = {person for entry in rule.approvers if (person := policy.person_of(entry))}
    for entry in rule.approvers:
        people |= members.get(policy.group_of(entry) or "") or frozenset()

    def may_approve(person: str) -> bool:
        belongs = frozenset(group for group, ids in members.items() if ids and person in ids)
        decision = policy.decide(Person(person, person, place.team, belongs), place, APPROVE, site)
        # Whoever has the right in another channel approves there, by the operation's id.
        return decision.allowed or decision.rule == "channel"

    return frozenset(person for person in people if (rule.self_approval or person != requester) and may_approve(person))


def check_possible(
    policy: Policy,
    rule: ApprovalRule,
    *,
    requester: str,
    place: Place,
    site: Site | None,
    members: Members,
    readers: frozenset[str] | None = None,
) -> None:
    """Raises `Denied` when fewer people than the rule needs could ever approve.

    Likewise when nobody who could is among the `readers` of the place where the request is shown (None: not known).
    """
    people = able(policy, rule, requester=requester, place=place, site=site, members=members)
    if people is not None and len(people) < rule.count:
        raise Denied("approval.nobody", {"name": rule.name, "count": rule.count, "able": len(people)})
    if people is not None and readers is not None and not people & readers:
        raise Denied("approval.unseen", {"name": rule.name, "approvers": rule.approvers})
