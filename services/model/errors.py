"""Facts that go wrong. Sentences for people are made of them in `handlers.views.errors`, nowhere else.

Each outside system's room translates foreign errors into these once, at its border. Their `str` is for logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal


@dataclass(eq=False)
class DomainError(Exception):
    """The root of all errors that the door (`handlers.dispatch`) catches."""

    def __str__(self) -> str:
        values = ", ".join(f"{item.name}={getattr(self, item.name)!r}" for item in fields(self))
        return f"{type(self).__name__}({values})"


NameKind = Literal[
    "command",
    "option",
    "site",
    "site or cloud registry",
    "connected registry",
    "operation",
    "alert",
    "watch",
    "cloud",
]
"""What a name that a person gave, or a setting has, can be the name of."""


@dataclass(eq=False)
class NotFound(DomainError):
    """There is no `kind` of that name; `near` are the most similar names, `known` all of them if they are few.

    `command` is the one that has no option of that name.
    """

    kind: NameKind
    name: str
    near: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    command: str = ""


InvalidRule = Literal[
    "missing",
    "no_value",
    "repeated",
    "extra",
    "quote.open",
    "text.too_long",
    "moment.pattern",
    "moment.future",
    "audit.too_many",
    "choice",
    "type",
    "name.pattern",
    "confirm.differs",
    "update.nothing",
    "extension_update.nothing",
    "notification.pattern",
    "notification.both",
    "client_token.both",
    "extension_name.pattern",
    "number.bounds",
    "workload.pattern",
    "namespace.pattern",
    "attachment.both",
    "attachment.elsewhere",
    "attachment.empty",
    "attachment.encoding",
    "attachment.size",
    "manifest.alias",
    "manifest.both",
    "manifest.containers",
    "manifest.field",
    "manifest.kind",
    "manifest.length",
    "manifest.missing",
    "manifest.none",
    "manifest.number",
    "manifest.secret",
    "manifest.template",
    "manifest.twice",
    "manifest.type",
    "manifest.version",
    "manifest.yaml",
    "image.pattern",
    "image.both",
    "image.host",
    "address.pattern",
    "repository.pattern",
    "repository.wildcard",
    "repositories.none",
    "sync_token.repositories",
    "image.source",
    "image.twice",
    "rollback.nothing",
    "rollback.impossible",
    "auto_upgrade.pinned",
    "tls_secret.with_tls",
    "tls_secret.pattern",
    "dns_name.pattern",
    "source_registry.pattern",
    "location.none",
    "namespace.unknown",
    "site_file.rule",
    "mode.unknown",
    "schedule.pattern",
    "window.missing",
    "site.ambiguous",
    "window.bounds",
    "expires.short",
    "message_ttl.bounds",
    "storage_request.pattern",
    "connection_string.empty",
    "connection_string.character",
    "url.https",
    "identity.kind",
    "identity.value",
    "identity.incomplete",
    "cron.fields",
    "cron.value",
    "cron.range",
    "cron.backwards",
    "cron.step",
    "cron.never",
    "tz.unknown",
    "tz.fixed",
    "snooze.until",
    "watch.nothing",
]
"""The rules that a value can break; `handlers.views.errors` has a sentence for each."""


@dataclass(eq=False)
class Invalid(DomainError):
    """A value that a person gave breaks a rule; `facts` fill in the rule's sentence."""

    field_name: str
    value: str
    rule: InvalidRule
    facts: Mapping[str, Any] = field(default_factory=dict)


DenialRule = Literal[
    "external",
    "guest",
    "channel.shared",
    "channel.not_member",
    "channel.direct",
    "channel",
    "site",
    "permission",
    "denial",
    "approval.self",
    "approval.not_approver",
    "approval.twice",
    "approval.expired",
    "approval.unseen",
    "approval.nobody",
]
"""The rules by which the policy refuses; `handlers.views.errors` has a sentence for each."""


@dataclass(eq=False)
class Denied(DomainError):
    """The policy does not let this person do this here. `rule` is the rule that decided, `facts` are its values."""

    rule: DenialRule
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Stale(DomainError):
    """An operation, or an alert, is not in a state in which this can be done to it.

    `state` is its state, or `changed` when its plan is another one by now; `live` is any state before the end.
    """

    operation: str
    state: str
    wanted: Literal["waiting", "live", "failed", "stopped", "open"]


@dataclass(eq=False)
class DatabaseAway(DomainError):
    """The bot's own database does not answer; `reason` is a clause that says why, such as `its disk does not answer`.

    What was about to be written may have been. Work that meets it goes on when the database is back.
    """

    reason: str


@dataclass(eq=False)
class NotNeeded(DomainError):
    """A question was left out, since nobody needs its answer. People never see it."""


@dataclass(eq=False)
class Foreign(DomainError):
    """An outside system is the reason. `service` is `azure`, `kubernetes`, `slack` or `database`.

    `target` is what was asked for; `code` and `message` are its own words, scrubbed of secrets; `correlation_id` is
    what its support asks for.
    """

    service: str
    target: str
    code: str = ""
    message: str = ""
    correlation_id: str = ""
    reason: str = ""
    """A word of ours that tells cases of one class apart, such as `lock` or `policy`; views have a sentence for it."""


@dataclass(eq=False)
class Unreachable(Foreign):
    """Could not ask: no connection, a deadline that ran out, a server error. Never to be read as "no".

    `reason` is `context` for a kubeconfig with several contexts of which the site names none. Where an Arc proxy leads
    to the cluster, it is `arc_kubeconfig` for a proxy that has written no kubeconfig, `arc_proxy` for one that does not
    listen, and `arc_relay` for one that listens and has no answer from the cluster.
    """


@dataclass(eq=False)
class Unreadable(Unreachable):
    """An answer came and is not one of this system's: another shape, too large, a page of a proxy."""


@dataclass(eq=False)
class AgentsAway(Unreachable):
    """An Arc proxy has no answer from the cluster, and Azure Arc has no contact with the cluster's agents either.

    `reason` is `expired` where they need a new identity, `state` the Arc resource's connectivity status.
    """

    state: str = ""
    last_heartbeat: datetime | None = None


@dataclass(eq=False)
class NotAuthenticated(Foreign):
    """The bot's own identity was not accepted.

    `reason`: `subject`, `secret`, `tenant`, `application`, `disabled`, `policy`, `person` (where one has to sign in),
    `clock`, `unknown`, `arc_credential` (of an Arc proxy), or empty.
    """


@dataclass(eq=False)
class NotAllowed(Foreign):
    """The bot's own identity lacks the right `action`. Never the fault of the person who asked.

    `reason` is `scope` where the system named the scope of the missing right too.
    """

    action: str = ""
    scope: str = ""


@dataclass(eq=False)
class Throttled(Foreign):
    """Asked too often. Nothing is asked there again for `retry_after` seconds.

    `reason` is `until` where the system said when to come back; `until` is that moment.
    """

    retry_after: float = 0
    until: datetime | None = None


@dataclass(eq=False)
class Absent(Foreign):
    """The outside system says that the target does not exist."""


@dataclass(eq=False)
class Conflict(Foreign):
    """The outside system says that the target is in the way, without a code that says how."""


@dataclass(eq=False)
class AlreadyExists(Conflict):
    """What was to be created is there."""


@dataclass(eq=False)
class Busy(Conflict):
    """Another change of the target is under way; the same request can succeed when that has ended."""


@dataclass(eq=False)
class Refused(Foreign):
    """The outside system understood and said no."""


@dataclass(eq=False)
class Locked(Refused):
    """Somebody forbids changes here, whatever rights the identity has.

    `reason`: `lock`, `lock_on_subscription`, `policy`, `region`, `subscription` (disabled), `deny_assignment` or
    `deleting`. `scope` is the ARM id of what bears the lock, where Azure names it.
    """

    scope: str = ""


@dataclass(eq=False)
class SubscriptionUnknown(Refused):
    """The identity sees no such subscription in this cloud. Says nothing about what the target names."""


@dataclass(eq=False)
class ResourceGroupUnknown(Refused):
    """The subscription has no such resource group. Says nothing about what the target names."""


@dataclass(eq=False)
class ProviderNotRegistered(Refused):
    """The subscription has not registered the resource provider `provider`."""

    provider: str = ""


@dataclass(eq=False)
class VersionNotOffered(Refused):
    """The cloud answers to no api-version of `resource_type` that the bot knows; `offered` are those that it has.

    `newest` is the last of them, and `setting` makes the bot use it: `TYPE=VERSION`.
    """

    resource_type: str = ""
    offered: tuple[str, ...] = ()
    newest: str = ""
    setting: str = ""

    def __post_init__(self) -> None:
        """What follows from the versions that the cloud has."""
        self.newest = max(self.offered, default="")
        self.setting = f"{self.resource_type}={self.newest}" if self.newest else ""


@dataclass(eq=False)
class NotOfferedInRegion(Refused):
    """The service is not offered in `region`; `offered` are the regions where it is, where the answer lists them."""

    region: str = ""
    offered: tuple[str, ...] = ()


@dataclass(eq=False)
class NameTaken(Refused):
    """Somebody else has this name, which has to be unique in the whole cloud. Nothing of ours bears it."""


@dataclass(eq=False)
class WrongCluster(Refused):
    """The credentials lead to another cluster than the site's, by the ids of their Arc resources.

    `reason` is empty where the cluster says that it is `actual`; `own` for the bot's own cluster, and `unproven` for a
    write, where it does not say which one it is.
    """

    expected: str = ""
    actual: str = ""


@dataclass(eq=False)
class NoAccess(Refused):
    """The site file gives the bot no way to the cluster of the site `target`, so the cluster was not asked."""


@dataclass(eq=False)
class AddressTaken(Refused):
    """Somebody else's Service has this address."""

    address: str = ""


@dataclass(eq=False)
class AddressOutside(Refused):
    """No Service range of the cluster contains this address; `ranges` are those that the API server names."""

    address: str = ""
    ranges: tuple[str, ...] = ()


@dataclass(eq=False)
class Failure(DomainError):
    """A step ended badly. `cause` is an entry of the failure catalogue, `facts` fill in its sentence."""

    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""
