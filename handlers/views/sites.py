"""Sites as people see them. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, date, duration, escape, listed
from handlers.views import connected, errors, health
from services.model.azure import ArcCluster, Registry
from services.model.errors import Absent, DomainError
from services.policy.access import ApprovalRule
from services.policy.sites import CONTINUOUS, Site

PAGE = 25
"""Rows on one page of the list."""
MOST = 10
"""Connected registries that a site's card names."""
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
    extension = site.extension
    pairs = (
        ("Cloud registry", _registry(detail)),
        ("Cluster", _cluster(detail)),
        ("Access to the cluster", "none: Azure alone is asked" if site.cluster.facts else ""),
        ("Connected registries", _registries(detail)),
        ("Repositories by default", listed(map(code, site.sync.repositories)) or "none"),
        ("Mode and schedule by default", f"{site.sync.mode}, {_schedule(site)}"),
        ("Service IP", _service_address(site)),
        ("Storage", f"{escape(extension.storage_class or 'the default class')}, {escape(extension.storage_request)}"),
        ("Resource group", f"{code(site.resource_group)} in {code(site.subscription)}"),
    )
    parts = [blocks.section(head), blocks.fields(pairs), blocks.section(_approvals(detail)), *_problems(detail)]
    buttons = [button("Check", runs=f"check {site.name}"), button("List", runs=f"list --site {site.name}")]
    if "registry:write" in detail.permissions:
        buttons.append(button("Deploy…", runs=f"deploy --site {site.name}"))
    parts.append(blocks.actions(*buttons))
    return Message(escape(f"Site {site.name}, {site.environment}"), tuple(parts))


def _service_address(site: Site) -> str:
    if site.extension.service_ip:
        return code(str(site.extension.service_ip))
    facts = site.cluster.facts
    return (
        f"from the site file: {listed(code(str(one)) for one in facts.addresses)}" if facts else "a free one is picked"
    )


def _schedule(site: Site) -> str:
    sync = site.sync
    if sync.schedule == CONTINUOUS:
        return "continuous"
    return f"{code(sync.schedule)} UTC" + (f", open for {duration(sync.window)}" if sync.window else "")


def _registry(detail: SiteDetail) -> str:
    name = code(detail.site.acr.name)
    match detail.registry:
        case Registry(sku=sku, location=location):
            return f"{name} {escape(sku)}, {escape(location)}"
    return f"{name} {_trouble(detail.registry)}"


def _cluster(detail: SiteDetail) -> str:
    name = code(detail.site.cluster.name)
    match detail.cluster:
        case ArcCluster(connectivity=connectivity, last_heartbeat=heartbeat):
            return f"{name} {escape(connectivity)}" + (f", last heartbeat {date(heartbeat)}" if heartbeat else "")
    return f"{name} {_trouble(detail.cluster)}"


def _trouble(answer: DomainError) -> str:
    return "does not exist" if isinstance(answer, Absent) else "could not be asked"


def _problems(detail: SiteDetail) -> Iterator[Block]:
    """Why something could not be asked."""
    for answer in (detail.registry, detail.cluster, *(error for _, error in detail.fleet.unasked)):
        if isinstance(answer, DomainError):
            yield blocks.context(f":grey_question:  {errors.explanation(answer)}")


def _registries(detail: SiteDetail) -> str:
    here = [row for row in detail.fleet.rows if detail.site in row.placement.sites]
    if not here:
        is_known = not detail.fleet.unasked and detail.site.name not in detail.fleet.unasked_sites
        return "none" if is_known else "could not be asked"
    names = [f"{code(row.registry.name)} {health.word(row.health.state)}" for row in here[:MOST]]
    further = len(here) - MOST
    return ", ".join(names) + (f" and {further} more" if further > 0 else "")


def _approvals(detail: SiteDetail) -> str:
    """Who has to approve what, and what the reader may do."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind, rule in detail.rules.items():
        approvers = listed(map(code, rule.approvers), "or") if rule else ""
        kinds[
            f"{count(rule.count, 'approval')} of {approvers} (rule _{escape(rule.name)}_)" if rule else "no approval"
        ].append(bold(kind))
    lines = [
        f"{listed(words)} {'needs' if len(words) == 1 else 'need'} {approval} here."
        for approval, words in kinds.items()
    ]
    lines.append(f"You may: {listed(map(code, detail.permissions))}.")
    return "\n".join(lines)
