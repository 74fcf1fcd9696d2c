"""`python -m bot site add`: asks Resource Manager which registries and clusters there are, and writes sites."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import chain
from typing import Any, TextIO

from bot import configuration, identities, site_file, start
from bot.problems import Broken, Problem
from bot.settings import Settings, environment
from handlers.kit.text import count
from handlers.views.errors import plain
from services.gateways.azure.gateway import open_azure
from services.gateways.azure.inventory import Inventory
from services.model.azure import ArcCluster, ClusterRef, Registry, Subscription, resource_group
from services.model.errors import DomainError

AT_ONCE = 8
OWN = frozenset({"name", "subscription", "resource_group", "identity"})
DECIDED = frozenset(
    {
        *("environment", "subscription", "resource_group", "identity", "access"),
        *(f"{part}.{key}" for part in ("acr", "cluster") for key in OWN),
        *("cluster.kubernetes.kubeconfig", "cluster.kubernetes.context"),
    }
)
"""The keys of a site that are written or left out; a site that is replaced keeps its others."""
_SITE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class SiteRequest:
    """What is to be added. `name`, `kubeconfig` and `context` may hold `{cluster}`, `{group}` and `{site}`."""

    cluster: str = ""
    pattern: str = ""
    registry: str = ""
    subscriptions: tuple[str, ...] = ()
    environment: str = ""
    identity: str = ""
    name: str = ""
    access: str = "kubeconfig"
    kubeconfig: str = ""
    context: str = "{site}"
    overwrite: bool = False
    dry_run: bool = False

    @property
    def is_choice(self) -> bool:
        """Whether clusters are chosen at all; otherwise people only want to see what there is."""
        return bool(self.cluster or self.pattern)


@dataclass(frozen=True)
class Visible:
    """Everything that the identity can see."""

    subscriptions: tuple[Subscription, ...]
    registries: tuple[tuple[Subscription, Registry], ...]
    clusters: tuple[tuple[Subscription, ArcCluster], ...]
    unasked: tuple[str, ...]
    """Why something is missing."""

    def registry(self, name: str) -> tuple[Subscription, Registry]:
        """The registry by name, login server or ARM id; without any, the only one in the Premium tier."""
        key = name.removeprefix("https://").rstrip("/").casefold()
        matches = [
            (subscription, registry)
            for subscription, registry in self.registries
            if key in {registry.name.casefold(), registry.login_server.casefold(), registry.id.casefold()}
            or (not key and registry.sku.casefold() == "premium")
        ]
        if len(matches) == 1:
            return matches[0]
        names = ", ".join(f"{one.name} ({one.sku}, {place.name})" for place, one in self.registries) or "none"
        problem = "names no registry" if not matches else "several registries fit; name one, if need be by its ARM id"
        raise Broken([Problem("--registry", f"{problem}. Visible are: {names}")])

    def chosen(self, request: SiteRequest) -> list[tuple[Subscription, ArcCluster]]:
        """The clusters that are named, or whose name or resource group the pattern fits."""

        def fits(cluster: ArcCluster) -> bool:
            names = cluster.name.casefold(), resource_group(cluster.id).casefold()
            if request.cluster:
                return request.cluster.casefold() in {names[0], cluster.id.casefold()}
            return any(fnmatch(name, request.pattern.casefold()) for name in names)

        chosen = [(subscription, cluster) for subscription, cluster in self.clusters if fits(cluster)]
        option = "--cluster" if request.cluster else "--filter"
        if not chosen:
            names = ", ".join(cluster.name for _, cluster in self.clusters[:20]) or "none"
            raise Broken([Problem(option, f"fits no Arc-enabled cluster. Visible are: {names}")])
        if request.cluster and len(chosen) > 1:
            ids = ", ".join(cluster.id for _, cluster in chosen)
            raise Broken([Problem(option, f"several clusters have this name; give one's ARM id: {ids}")])
        return chosen

    def write(self, sites_by_cluster: Mapping[str, str], out: TextIO) -> None:
        """What there is, and how to go on."""
        for subscription in self.subscriptions:
            out.write(f"Subscription {subscription.name} ({subscription.id})\n")
            for place, registry in self.registries:
                if place == subscription:
                    group = resource_group(registry.id)
                    out.write(f"  registry  {registry.name}  {registry.sku}, {registry.location}, group {group}\n")
            for place, cluster in self.clusters:
                if place == subscription:
                    site = sites_by_cluster.get(cluster.id.casefold())
                    of_site = f"; site {site}" if site else ""
                    group = resource_group(cluster.id)
                    out.write(f"  cluster   {cluster.name}  {_remark(cluster)}, group {group}{of_site}\n")
        out.write(
            "To add one: --cluster NAME --environment WORD. To add several: --filter 'PATTERN' --environment WORD.\n"
        )


async def add(settings: Settings, request: SiteRequest, out: TextIO, ask: Callable[[str], bool]) -> int:
    """Add the sites, or list what there is. Raises `Broken` for a request that can't be granted."""
    path = settings.sites
    sites = configuration.load_sites(path) if path.exists() else {}
    visible = await _look(settings, request)
    out.writelines(f"{reason}\n" for reason in visible.unasked)
    sites_by_cluster = {site.cluster_ref.id.casefold(): name for name, site in sites.items()}
    if not request.is_choice:
        visible.write(sites_by_cluster, out)
        return 0
    subscription, registry = visible.registry(request.registry)
    chosen = visible.chosen(request)
    entries = _entries(chosen, request, sites_by_cluster, (subscription, registry))
    for name, others in site_file.other_values(path, entries, DECIDED).items():
        values, remark = entries[name]
        entries[name] = site_file.merged(values, others), remark
    taken = [name for name in entries if name in sites]
    if taken and not request.overwrite and not ask(f"{path} has {', '.join(taken)} already. Replace?"):
        raise Broken(
            [Problem(str(path), f"has {', '.join(taken)} already: --overwrite replaces, --name chooses others")]
        )
    text = site_file.with_sites(path, entries)
    if request.dry_run:
        for name, (values, remark) in entries.items():
            lines = site_file.entry(name, values, remark, site_file.INDENT)
            out.write("".join(f"{line}\n" for line in lines))
        return 0
    site_file.write(path, text)
    out.writelines(f"{name}: {remark}\n" for name, (_, remark) in entries.items())
    out.write(f"{count(len(entries), 'site')} written to {path}. Look them over, then run `python -m bot doctor`.\n")
    return 0


async def _look(settings: Settings, request: SiteRequest) -> Visible:
    further = identities.load(settings.identities, environment())
    if request.identity and request.identity not in further:
        raise Broken([Problem("--identity", f"there is no identity `{request.identity}`")])
    async with await open_azure(start.azure_options(settings, further, lambda _arm_id: request.identity)) as connection:
        try:
            subscriptions = await connection.inventory.subscriptions()
        except DomainError as error:
            raise Broken([Problem("Azure", plain(error))]) from None
        names = {name.strip().removeprefix("/subscriptions/").casefold() for name in request.subscriptions}
        selected = tuple(one for one in subscriptions if not names or names & {one.id.casefold(), one.name.casefold()})
        if not selected:
            visible = ", ".join(f"{one.name} ({one.id})" for one in subscriptions) or "none"
            raise Broken([Problem("--subscription", f"there is no such subscription; the identity sees: {visible}")])
        return await _inventory(connection.inventory, selected)


async def _inventory(inventory: Inventory, subscriptions: tuple[Subscription, ...]) -> Visible:
    bound, unasked = asyncio.Semaphore(AT_ONCE), list[str]()

    async def listed(question: Callable[[str], Any], subscription: Subscription, noun: str) -> list[Any]:
        async with bound:
            try:
                return [(subscription, answer) for answer in await question(subscription.id)]
            except DomainError as error:
                unasked.append(f"{noun} of {subscription.name}: {plain(error)}")
                return []

    registries = asyncio.gather(*(listed(inventory.registries, one, "Registries") for one in subscriptions))
    clusters = asyncio.gather(*(listed(inventory.clusters, one, "Clusters") for one in subscriptions))
    return Visible(subscriptions, tuple(chain(*await registries)), tuple(chain(*await clusters)), tuple(unasked))


# --- entries --------------------------------------------------------------------------------------------------------


def _entries(
    chosen: Sequence[tuple[Subscription, ArcCluster]],
    request: SiteRequest,
    sites_by_cluster: Mapping[str, str],
    acr: tuple[Subscription, Registry],
) -> dict[str, tuple[Mapping[str, Any], str]]:
    """By the site's name. A cluster that has a site keeps its name."""
    if not request.environment:
        raise Broken([Problem("--environment", "is missing: a word for approval rules, such as production")])
    entries: dict[str, tuple[Mapping[str, Any], str]] = {}
    for subscription, cluster in chosen:
        ref = ClusterRef(subscription.id, resource_group(cluster.id), cluster.name)
        name = sites_by_cluster.get(ref.id.casefold()) or _name(cluster, request.name)
        if name in entries:
            problem = f"two clusters would be the site `{name}`; --name '{{group}}-{{cluster}}' keeps them apart"
            raise Broken([Problem("--name", problem)])
        entries[name] = _values(name, ref, acr, request), _remark(cluster)
    return entries


def _name(cluster: ArcCluster, template: str) -> str:
    bare = cluster.name.casefold().removesuffix("-arc")
    name = _filled(template, bare, resource_group(cluster.id).casefold(), "") if template else bare
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")
    slug = slug if slug[:1].isalpha() else f"site-{slug}"
    if not _SITE_NAME.fullmatch(slug):
        raise Broken([Problem("--name", f"`{slug}` is too long for a site's name: at most 40 characters")])
    return slug


def _filled(template: str, cluster: str, group: str, site: str) -> str:
    return template.replace("{cluster}", cluster).replace("{group}", group).replace("{site}", site)


def _values(name: str, ref: ClusterRef, acr: tuple[Subscription, Registry], request: SiteRequest) -> Mapping[str, Any]:
    """The site's keys, in the order of the documentation; what the cluster shares with the registry stands once."""
    subscription, registry = acr
    group = resource_group(registry.id)
    own: dict[str, Any] = {"name": ref.name}
    if ref.subscription != subscription.id:
        own["subscription"] = ref.subscription
    if ref.resource_group.casefold() != group.casefold():
        own["resource_group"] = ref.resource_group
    way = {"kubeconfig": request.kubeconfig, "context": request.context}
    kubernetes = {key: _filled(value, ref.name, ref.resource_group, name) for key, value in way.items() if value}
    return {
        "environment": request.environment,
        "subscription": subscription.id,
        "resource_group": group,
        **({"identity": request.identity} if request.identity else {}),
        "acr": {"name": registry.name},
        **({"access": request.access} if request.access != "kubeconfig" else {}),
        "cluster": {**own, "kubernetes": kubernetes},
    }


def _remark(cluster: ArcCluster) -> str:
    """What Azure Arc says of the cluster."""
    version = f"{cluster.distribution} {cluster.kubernetes_version}".strip() or "version not known"
    nodes = count(cluster.node_count, "node") if cluster.node_count is not None else "nodes not known"
    return f"{version}, {nodes}, {cluster.connectivity or 'connectivity not known'} in {cluster.location}"
