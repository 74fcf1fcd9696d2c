"""Who may do what where: the policy's values (config/access.yaml) and the pure rules on them.

Deny by default. In this order: another workspace, an external person and a guest who is not named are refused; a denial
that matches wins over every grant; the first grant that matches allows. Each decision names the rule that decided.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.model.errors import DenialRule, Denied
from services.model.people import Person, Place
from services.policy.sites import Environment, Site

Role = Literal["viewer", "operator", "approver", "auditor", "admin"]

_READ = frozenset({"registry:read", "operation:read"})
_WATCH = _READ | {"watch:write", "alert:write"}
_OPERATE = _WATCH | {"registry:write", "operation:cancel", "operation:retry"}
_APPROVE = _WATCH | {"operation:approve"}
_AUDIT = frozenset({"audit:read"})
ROLES: Mapping[Role, frozenset[str]] = {
    "viewer": _READ,
    "operator": _OPERATE,
    "approver": _APPROVE,
    "auditor": _AUDIT,
    "admin": _OPERATE | _APPROVE | _AUDIT,
}
"""What each role may do."""
PERMISSIONS = ROLES["admin"]

EVERYONE = "everyone"
"""Every full member of the workspace; never guests."""

_ID = re.compile(r"[UWS][A-Z0-9]{3,}")
SlackPerson = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{3,}$")]
SlackGroup = Annotated[str, StringConstraints(pattern=r"^(S[A-Z0-9]{3,}|[a-z0-9][a-z0-9._-]*)$")]
SlackChannel = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{3,}$")]
RuleName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Where(_Values):
    """A part of the world; what is left out does not narrow it."""

    sites: tuple[str, ...] = Field((), description="Only at these sites.")
    environments: tuple[Environment, ...] = Field((), description="Only at sites of these environments.")
    channels: tuple[SlackChannel, ...] = Field((), description="Only when said in these channels (ids).")

    def covers_site(self, site: Site | None) -> bool:
        """Whether it says something about this site; about no particular site, always."""
        if site is None:
            return True
        return (not self.sites or site.name in self.sites) and (
            not self.environments or site.environment in self.environments
        )

    def covers_channel(self, place: Place) -> bool:
        """Whether it says something about this channel."""
        return not self.channels or place.channel in self.channels


class Grant(_Where):
    """Gives roles to people."""

    name: RuleName = Field(description="Said in every decision that this rule makes.")
    roles: tuple[Role, ...] = Field(description="What they may do.", min_length=1)
    to: tuple[str, ...] = Field(description="Names from `people` and `groups`, Slack ids, or `everyone`.", min_length=1)

    @property
    def permissions(self) -> frozenset[str]:
        """All that its roles may do."""
        return frozenset[str]().union(*(ROLES[role] for role in self.roles))


class Denial(_Where):
    """Takes permissions away, whatever grants say."""

    name: RuleName = Field(description="Said in every decision that this rule makes.")
    permissions: tuple[str, ...] = Field((), description="Which; without it all.")
    to: tuple[str, ...] = Field(description="Names from `people` and `groups`, Slack ids, or `everyone`.", min_length=1)


class ApprovalRule(_Values):
    """How operations are approved. The first rule that matches one decides; without any it needs nobody."""

    name: RuleName = Field(description="Said on the card.")
    commands: tuple[str, ...] = Field((), description="Kinds of operation, such as `deploy`; without it all of them.")
    sites: tuple[str, ...] = Field((), description="Only at these sites.")
    environments: tuple[Environment, ...] = Field((), description="Only at sites of these environments.")
    approvers: tuple[str, ...] = Field(description="Names from `people` and `groups`, or Slack ids.", min_length=1)
    count: int = Field(1, ge=1, le=20, description="How many of them have to approve.")
    self_approval: bool = Field(False, description="Whether the requester's own approval counts.")
    expires_after: timedelta = Field(timedelta(days=1), gt=timedelta(0), description="ISO 8601 duration, such as P1D.")
    remind_before: timedelta | None = Field(
        None, gt=timedelta(0), description="How long before it expires approvers are reminded, such as PT2H."
    )


@dataclass(frozen=True)
class AccessDecision:
    """Whether a person may do something: the name of the `grant` that allows it, or the rule of the `refusal`.

    `facts` fill in the refusal's sentence.
    """

    grant: str = ""
    refusal: DenialRule | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        """Whether nothing refuses it."""
        return self.refusal is None

    @property
    def rule(self) -> str:
        """What decided, for logs and audit rows."""
        return self.refusal or self.grant

    def enforce(self) -> None:
        """Raises `Denied` unless allowed."""
        if self.refusal is not None:
            raise Denied(self.refusal, self.facts)


class Policy(_Values):
    """The access file."""

    people: dict[str, SlackPerson] = Field(default_factory=dict, description="Names for Slack user ids.")
    groups: dict[str, SlackGroup] = Field(
        default_factory=dict, description="Names for user groups: their id, or their handle without @."
    )
    grants: tuple[Grant, ...] = Field((), description="Who may do what.")
    denials: tuple[Denial, ...] = Field((), description="Who may not, whatever grants say.")
    approvals: tuple[ApprovalRule, ...] = Field((), description="Which operations wait for whom.")
    shared_channels: bool = Field(
        False, description="Whether the bot answers where people of other organisations read along (Slack Connect)."
    )

    def names(self, person: Person, to: tuple[str, ...]) -> str | None:
        """Which entry of `to` means this person, or None."""
        for entry in to:
            if entry == EVERYONE:
                means = not person.is_guest
            else:
                means = self.people.get(entry, entry) == person.id or self.groups.get(entry, entry) in person.groups
            if means:
                return entry
        return None

    def names_directly(self, person: Person, to: tuple[str, ...]) -> bool:
        """Whether an entry of `to` is this very person, not a group or everyone."""
        return any(self.people.get(entry, entry) == person.id for entry in to)

    def group_of(self, entry: str) -> str | None:
        """The user group's id or handle that an entry stands for; None for a person or everyone."""
        if entry in self.groups:
            return self.groups[entry]
        return entry if entry.startswith("S") and _ID.fullmatch(entry) else None

    def person_of(self, entry: str) -> str | None:
        """The Slack id of the person that an entry stands for; None for a group or everyone."""
        if entry in self.people:
            return self.people[entry]
        return entry if entry.startswith(("U", "W")) and _ID.fullmatch(entry) else None

    # --- decisions --------------------------------------------------------------------------------------------------

    def decide(
        self, person: Person, place: Place, permission: str | None, site: Site | None = None, *, changes: bool = False
    ) -> AccessDecision:
        """Whether `person` may do what needs `permission` at `site` (None: at any), said in `place`.

        Without a permission only strangers and shared channels are refused. What `changes` something needs a channel in
        which the bot can tell about it.
        """
        if refusal := self._stranger(person, place, permission):
            return refusal
        if permission is None:
            return AccessDecision("everyone")
        for denial in self.denials:
            if self._denies(denial, person, place, permission, site):
                return AccessDecision(refusal="denial", facts={"name": denial.name, "permission": permission})
        for grant in self._grants(person, permission):
            if grant.covers_site(site) and grant.covers_channel(place):
                if changes and not place.is_member:
                    rule: DenialRule = "channel.direct" if place.is_direct else "channel.not_member"
                    return AccessDecision(refusal=rule, facts={"channel": place.channel})
                return AccessDecision(grant.name)
        return self._refusal(person, place, permission, site)

    def _stranger(self, person: Person, place: Place, permission: str | None) -> AccessDecision | None:
        if person.team != place.team or person.is_external:
            return AccessDecision(refusal="external")
        if place.is_shared and not self.shared_channels:
            return AccessDecision(refusal="channel.shared", facts={"channel": place.channel})
        if person.is_guest and permission and not any(self.names_directly(person, grant.to) for grant in self.grants):
            return AccessDecision(refusal="guest")
        return None

    def _denies(self, denial: Denial, person: Person, place: Place, permission: str, site: Site | None) -> bool:
        if site is None and (denial.sites or denial.environments):
            return False  # narrower than the question; it decides when the site is known
        return (
            (not denial.permissions or permission in denial.permissions)
            and denial.covers_site(site)
            and denial.covers_channel(place)
            and self.names(person, denial.to) is not None
        )

    def _grants(self, person: Person, permission: str) -> Iterator[Grant]:
        for grant in self.grants:
            named = self.names_directly(person, grant.to) if person.is_guest else self.names(person, grant.to)
            if named and permission in grant.permissions:
                yield grant

    def _refusal(self, person: Person, place: Place, permission: str, site: Site | None) -> AccessDecision:
        needed = {"permission": permission, "roles": roles(permission)}
        elsewhere = [grant for grant in self._grants(person, permission) if grant.covers_site(site)]
        if elsewhere:
            channels = tuple(channel for grant in elsewhere for channel in grant.channels)
            return AccessDecision(refusal="channel", facts={"channels": channels, "permission": permission})
        if site and any(grant.covers_channel(place) for grant in self._grants(person, permission)):
            place_facts = {"site": site.name, "environment": site.environment}
            return AccessDecision(refusal="site", facts=place_facts | needed)
        return AccessDecision(refusal="permission", facts=needed)

    def permitted_sites(
        self, person: Person, place: Place, permission: str | None, sites: Iterable[Site]
    ) -> tuple[Site, ...]:
        """Those of `sites` at which this person has the permission in this channel."""
        return tuple(site for site in sites if self.decide(person, place, permission, site).allowed)

    def held(self, person: Person, place: Place) -> tuple[tuple[Grant, str], ...]:
        """The grants that this person has in this channel, each with the entry by which they have it."""
        return tuple(
            (grant, entry)
            for grant in self.grants
            if grant.covers_channel(place) and (entry := self.names(person, grant.to))
            if not person.is_guest or self.names_directly(person, grant.to)
        )

    def operators(self, sites: Collection[Site]) -> tuple[str, ...]:
        """Slack ids of the people and groups with the role operator at one of these sites; handles of groups without.

        Without `everyone`, who is nobody in particular.
        """
        entries = (
            entry
            for grant in self.grants
            if "operator" in grant.roles and any(grant.covers_site(site) for site in sites)
            for entry in grant.to
            if entry != EVERYONE
        )
        return tuple(dict.fromkeys(self.people.get(entry, self.groups.get(entry, entry)) for entry in entries))

    def denied(self, person: Person, place: Place) -> tuple[Denial, ...]:
        """The denials that take something from this person in this channel."""
        return tuple(
            denial for denial in self.denials if denial.covers_channel(place) and self.names(person, denial.to)
        )

    def approval(self, kind: str, site: Site) -> ApprovalRule | None:
        """The approval rule for a kind of operation at a site; None when nobody has to approve."""
        return next((rule for rule in self.approvals if _matches(rule, kind, site)), None)

    def deciding_for(
        self, rule: ApprovalRule, kinds: Collection[str], sites: Collection[Site]
    ) -> tuple[ApprovalRule, ...]:
        """The rules that decide about what this one matches: itself, or those above it that come first.

        Empty: it matches nothing, of these kinds of operation at these sites.
        """
        matched = [(kind, site) for kind in kinds for site in sites if _matches(rule, kind, site)]
        deciding = [id(self.approval(kind, site)) for kind, site in matched]
        return tuple(approval for approval in self.approvals if id(approval) in deciding)


def _matches(rule: ApprovalRule, kind: str, site: Site) -> bool:
    return (
        (not rule.commands or kind in rule.commands)
        and (not rule.sites or site.name in rule.sites)
        and (not rule.environments or site.environment in rule.environments)
    )


def roles(permission: str) -> tuple[str, ...]:
    """The roles that have a permission."""
    return tuple(role for role, permissions in ROLES.items() if permission in permissions)
