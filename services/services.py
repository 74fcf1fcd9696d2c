"""What a command is given to work with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.model.about import About
from services.operations.service import Operations
from services.placements import Placements
from services.policy.access import Policy
from services.policy.sites import Site
from services.ports import Audit, Azure, Configuration, Deliveries, Kubernetes, Names, Reports, Slack
from services.traces import OFF, Traces
from services.watching.reports import SummaryReports
from services.watching.subscriptions import Subscriptions
from services.watching.triage import Triage


@dataclass(frozen=True)
class Services:
    """Everything that commands use. Made once, in `bot.wiring`."""

    configuration: Configuration
    azure: Azure
    kubernetes: Kubernetes
    names: Names
    placements: Placements
    audit: Audit
    deliveries: Deliveries
    slack: Slack
    about: About
    operations: Operations
    watches: Subscriptions
    incidents: Triage
    reporting: SummaryReports
    reports: Reports
    traces: Traces = OFF
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the process, for secrets that the site file names."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """The sites in force, by name."""
        return self.configuration.sites

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.configuration.policy
