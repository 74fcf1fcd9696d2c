"""Sites as people see them. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Message
from handlers.kit.text import bold, code, count, date, duration, escape, listed
from handlers.views import connected, errors, health
from services.model.azure import ArcCluster, Registry
from services.model.errors import Absent, DomainError
from services.policy.access import ApprovalRule
from services.policy.sites import CONTINUOUS, Access, Site

PAGE = 25
"""Rows on one page of the list."""
MOST = 10
"""Connected registries that a site's card names."""
_ACCESS: Mapping[Access, str] = {
    "kubeconfig": "",
    "arc": "through an Arc proxy beside the bot",
    "none": "none: Azure alone is asked",
}
COLUMNS = ("Site", "Environment", "Cloud registry", "Cluster", "Description")


@dataclass(frozen=True)
class SiteDetail:
    """One site. `rules` are the approval rules by kind of operation; `permissions` the reader's there."""

    site: Site
    registry: Registry | DomainError
    cluster: ArcCluster | DomainError
    fleet: connected.Fleet
    rules: Mapping[str, ApprovalRule | None]
    permissions: tuple[str, ...]

    @property
    def service_address(self) -> str:
        """The Service address that an extension gets there; in mrkdwn."""
        if self.site.extension.service_ip:
            return code(str(self.site.extension.service_ip))
        facts = self.site.cluster.facts
        if facts is None:
            return "a free one is picked"
        return f"from the site file: {listed(code(str(address)) for address in facts.addresses)}"

    @property
    def connected(self) -> str:
        """The connected registries that run there; in mrkdwn."""
        here = [row for row in self.fleet.rows if self.site in row.placement.sites]
        if not here:
            is_known = not self.fleet.unasked and self.site.name not in self.fleet.unasked_sites
            return "none" if is_known else "could not be asked"
        names = [f"{code(row.registry.name)} {health.word(row.health.state)}" for row in here[:MOST]]
        further = len(here) - MOST
        return ", ".join(names) + (f" and {further} more" if further > 0 else "")

    @property
    def approvals(self) -> str:
        """Who has to approve what, and what the reader may do; in mrkdwn."""
        kinds: defaultdict[str, list[str]] = defaultdict(list)
        for kind, rule in self.rules.items():
            approval = "no approval"
            if rule:
                approvers = listed(map(code, rule.approvers), "or")
                approval = f"{count(rule.count, 'approval')} of {approvers} (rule _{escape(rule.name)}_)"
            kinds[approval].append(bold(kind))
        lines = [
            f"{listed(words)} {'needs' if len(words) == 1 else 'need'} {approval} here."
            for approval, words in kinds.items()
        ]
        lines.append(f"You may: {listed(map(code, self.permissions))}.")
        return "\n".join(lines)


def listing(sites: Sequence[Site], page: int, *, turns: str, environments: Sequence[str]) -> Message:
    """One page of sites by name; `environments` are those that the reader may read in."""
    if not sites:
        text = f"No such environment. There are {listed(map(code, environments))}." if environments else NONE
        return Message(text, (blocks.section(text),))
    ordered = sorted(sites, key=lambda site: site.name)
    rows = [(site.name, site.environment, site.acr.name, site.cluster.name, site.description) for site in ordered]
    pages = blocks.pages_of_rows(COLUMNS, rows, PAGE)
    head = count(len(rows), "site")
    return Message(head, blocks.paged(bold(head), COLUMNS, pages, page, turns=f"{turns} --turn"))


NONE = "There is no site that you may read."


def card(detail: SiteDetail) -> Message:
    """One site: what it is made of, what runs there, and what the reader may do."""
    site = detail.site
    description = f"\n{escape(site.description)}" if site.description else ""
    head = f"{bold(site.name)}  ·  {escape(site.environment)}{description}"
    extension, sync = site.extension, site.sync
    window = f", open for {duration(sync.window)}" if sync.window else ""
    schedule = "continuous" if sync.schedule == CONTINUOUS else f"{code(sync.schedule)} UTC{window}"
    group, *others = dict.fromkeys(
        f"{code(ref.resource_group)} in {code(ref.subscription)}" for ref in (site.acr_ref, site.cluster_ref)
    )
    groups = [("Resource group of the registry" if others else "Resource group", group)]
    groups += [("Resource group of the cluster", other) for other in others]
    pairs = (
        ("Cloud registry", f"{code(site.acr.name)} {_state(detail.registry)}"),
        ("Cluster", f"{code(site.cluster.name)} {_state(detail.cluster)}"),
        ("Access to the cluster", _ACCESS[site.access]),
        ("Connected registries", detail.connected),
        ("Repositories by default", listed(map(code, sync.repositories)) or "none"),
        ("Mode and schedule by default", f"{sync.mode}, {schedule}"),
        ("Service IP", detail.service_address),
        ("Storage", f"{escape(extension.storage_class or 'the default class')}, {escape(extension.storage_request)}"),
        *groups,
    )
    parts = [blocks.section(head), *blocks.fields(pairs), blocks.section(detail.approvals)]
    answers = (detail.registry, detail.cluster, *(error for _, error in detail.fleet.unasked))
    problems = [errors.explanation(answer) for answer in answers if isinstance(answer, DomainError)]
    parts += [blocks.context(f":grey_question:  {problem}") for problem in problems]
    buttons = [button("Check", runs=f"check {site.name}"), button("List", runs=f"list --site {site.name}")]
    if "registry:write" in detail.permissions:
        buttons.append(button("Deploy…", runs=f"deploy --site {site.name}"))
    parts.append(blocks.actions(*buttons))
    return Message(escape(f"Site {site.name}, {site.environment}"), tuple(parts))


def _state(answer: Registry | ArcCluster | DomainError) -> str:
    """What Azure says about the cloud registry or the cluster; in mrkdwn."""
    match answer:
        case Registry(sku=sku, location=location):
            return f"{escape(sku)}, {escape(location)}"
        case ArcCluster(connectivity=connectivity, last_heartbeat=heartbeat):
            return escape(connectivity) + (f", last heartbeat {date(heartbeat)}" if heartbeat else "")
        case Absent():
            return "does not exist"
    return "could not be asked"
