"""Sites as people see them. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import phrase, t
from handlers.kit.message import Message
from handlers.kit.text import bold, code, count, escape, listed
from handlers.views import clusters, connected, errors, health, site_values
from handlers.views.clusters import ClusterDetail
from services.model.azure import ArcCluster, Registry
from services.operations.answers import Answer, Known, Unknown
from services.policy.access import ApprovalRule
from services.policy.sites import Access, Site

PAGE = 25
"""Rows on one page of the list."""
MOST = 10
"""Connected registries that a site's card names."""
_ACCESS: Mapping[Access, str] = {
    "kubeconfig": "",
    "arc": phrase("through an Arc proxy beside the bot"),
    "none": phrase("none: Azure alone is asked"),
}
COLUMNS = (phrase("Site"), phrase("Environment"), phrase("Cloud registry"), phrase("Cluster"), phrase("Description"))


@dataclass(frozen=True)
class SiteDetail:
    """One site. `rules` are the approval rules by kind of operation; `permissions` the reader's there.

    `values` say where each value comes from.
    """

    cluster: ClusterDetail
    registry: Answer[Registry | None]
    fleet: connected.Fleet
    rules: Mapping[str, ApprovalRule | None]
    permissions: tuple[str, ...]
    values: Sequence[site_values.Value]

    @property
    def site(self) -> Site:
        """Which one."""
        return self.cluster.site

    @property
    def connected(self) -> str:
        """The connected registries that run there; in mrkdwn."""
        here = [row for row in self.fleet.rows if self.site in row.placement.sites]
        if not here:
            is_known = not self.fleet.unasked and self.site.name not in self.fleet.unasked_sites
            return t("none") if is_known else t("could not be asked")
        names = [f"{code(row.registry.name)} {health.word(row.health.state)}" for row in here[:MOST]]
        further = len(here) - MOST
        return ", ".join(names) + (t(" and {further} more", further=further) if further > 0 else "")

    @property
    def approvals(self) -> str:
        """Who has to approve what, and what the reader may do; in mrkdwn."""
        kinds: defaultdict[str, list[str]] = defaultdict(list)
        for kind, rule in self.rules.items():
            approval = t("no approval")
            if rule:
                approvers = listed(map(code, rule.approvers), t("or"))
                approval = t(
                    "{approvals} of {approvers} (rule _{rule}_)",
                    approvals=count(rule.count, "approval"),
                    approvers=approvers,
                    rule=escape(rule.name),
                )
            kinds[approval].append(bold(kind))
        lines = [
            t(
                "{words} {need} {approval} here.",
                words=listed(words),
                need=t("needs") if len(words) == 1 else t("need"),
                approval=approval,
            )
            for approval, words in kinds.items()
        ]
        lines.append(t("You may: {permissions}.", permissions=listed(map(code, self.permissions))))
        return "\n".join(lines)


def listing(sites: Sequence[Site], page: int, *, turns: str, environments: Sequence[str]) -> Message:
    """One page of sites by name; `environments` are those that the reader may read in."""
    if not sites:
        text = (
            t("No such environment. There are {environments}.", environments=listed(map(code, environments)))
            if environments
            else t(NONE)
        )
        return Message(text, (blocks.section(text),))
    ordered = sorted(sites, key=lambda site: site.name)
    rows = [(site.name, site.environment, site.acr.name, site.cluster.name, site.description) for site in ordered]
    pages = blocks.pages_of_rows(COLUMNS, rows, PAGE)
    head = count(len(rows), "site")
    return Message(head, blocks.paged(bold(head), COLUMNS, pages, page, turns=f"{turns} --turn"))


NONE = phrase("There is no site that you may read.")


def card(detail: SiteDetail) -> Message:
    """One site: what it is made of, what runs there, what the reader may do, and where each value comes from."""
    site = detail.site
    description = f"\n{escape(site.description)}" if site.description else ""
    head = f"{bold(site.name)}  ·  {escape(site.environment)}{description}"
    pairs = (
        (t("Cloud registry"), f"{code(site.acr.name)} {_state(detail.registry)}"),
        (t("Cluster"), f"{code(site.cluster.name)} {_state(detail.cluster.arc)}"),
        (t("Access to the cluster"), t(_ACCESS[site.access])),
        (t("Connected registries"), detail.connected),
    )
    # The longest part comes first: what stands at the end is in sight on a phone.
    parts = [blocks.section(head), *map(blocks.context, site_values.paragraphs(detail.values))]
    parts += [*blocks.fields(pairs), blocks.section(detail.approvals)]
    unasked = [error for _, error in detail.fleet.unasked]
    if isinstance(detail.registry, Unknown):
        unasked.append(detail.registry.error)
    reasons = dict.fromkeys([*map(errors.explanation, unasked), *clusters.reasons(detail.cluster)])
    parts += [blocks.context(f":grey_question:  {reason}") for reason in reasons]
    buttons = [button(t("Check"), runs=f"check {site.name}"), button(t("List"), runs=f"list --site {site.name}")]
    if "registry:write" in detail.permissions:
        buttons.append(button(t("Deploy…"), runs=f"deploy --site {site.name}"))
    parts += [blocks.actions(*buttons)]
    return Message(escape(t("Site {site}, {environment}", site=site.name, environment=site.environment)), tuple(parts))


def _state(answer: Answer[Registry | None] | Answer[ArcCluster | None]) -> str:
    """What Azure says about the cloud registry or the cluster; in mrkdwn."""
    match answer:
        case Known(value=Registry(sku=sku, location=location)):
            return f"{escape(sku)}, {escape(location)}"
        case Known(value=ArcCluster() as cluster):
            return clusters.contact(cluster)
        case Known():
            return t("does not exist")
    return t("could not be asked")
