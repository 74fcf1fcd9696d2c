"""What a command is given to work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from services.access import Policy
from services.ports import Azure, Kubernetes
from services.sites import Site

if TYPE_CHECKING:  # they are made of what stands here
    from services.incidents import Incidents
    from services.operations import Operations
    from services.reporting import Reporting
    from services.watches import Watches
from services.store.audit import AuditRow
from services.watch import Watch


class Configuration(Protocol):
    """The two files in force. They change under way, so ask each time."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """By name."""

    @property
    def policy(self) -> Policy:
        """Who may do what."""


@dataclass(frozen=True)
class FixedConfiguration:
    """A configuration that does not change."""

    sites: Mapping[str, Site]
    policy: Policy


class Names(Protocol):
    """Names of things outside, for "did you mean" and for choosing; from memory, at most a little old."""

    async def connected(self, site: Site | None = None) -> tuple[str, ...]:
        """Connected registries at a site or everywhere. What could not be asked is left out; never raises."""


class Audit(Protocol):
    """Where audit rows go."""

    async def record(self, row: AuditRow) -> None:
        """Write the row."""


class Deliveries(Protocol):
    """Which deliveries of Slack were seen, in all processes."""

    async def first(self, key: str) -> bool:
        """Whether nobody has taken this delivery yet; it is taken now."""


class Slack(Protocol):
    """What commands ask of Slack itself."""

    async def ping(self) -> None:
        """One round trip; raises `Unreachable`."""

    async def members(self, group: str) -> frozenset[str] | None:
        """Ids of the people in a user group (id or handle); None when Slack would not say."""

    async def groups_problem(self) -> str:
        """Slack's error code for why user groups are not known, such as `missing_scope`; empty when they are."""


class Reports(Protocol):
    """What posts summaries."""

    async def post_now(self, watch: Watch) -> None:
        """Post a watch's summary in its channel; raises `services.errors`."""


@dataclass(frozen=True)
class About:
    """What runs."""

    version: str
    started: datetime
    engine: str


@dataclass(frozen=True)
class Services:
    """Everything that commands use. Made once, in `bot.wiring`."""

    configuration: Configuration
    azure: Azure
    kubernetes: Kubernetes
    names: Names
    audit: Audit
    deliveries: Deliveries
    slack: Slack
    about: About
    operations: "Operations"
    watches: "Watches"
    incidents: "Incidents"
    reporting: "Reporting"
    reports: Reports

    @property
    def sites(self) -> Mapping[str, Site]:
        """The sites in force, by name."""
        return self.configuration.sites

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.configuration.policy
