"""Where each value of a site comes from, as the rows of a table. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from handlers.kit.language import phrase, t
from handlers.kit.text import duration
from handlers.views.clusters import ClusterDetail
from services.model.about import Setting
from services.model.azure import ArcCluster, Registry
from services.operations.answers import Answer, Known, NotAsked
from services.policy.identities import OWN, scopes
from services.policy.site_values import SiteValue, values_of
from services.policy.sites import Site

T = TypeVar("T")
Row = tuple[str, str, str]
COLUMNS = (phrase("What"), phrase("Value"), phrase("From"))
FILE, DEFAULT = phrase("site file"), phrase("default")
_UNASKED = phrase("could not be asked")
_EMPTY: Mapping[str, str] = {
    "identity": "that of the bot's settings",
    "acr.create_in": "a deployment creates no registry",
    "cluster.kubernetes.kubeconfig": "that of KUBECONFIG or of the home folder, else the bot's own cluster",
    "cluster.kubernetes.context": "the only one of the kubeconfig",
    "sync.repositories": "none",
    "extension.storage_class": "the cluster's default class",
    "extension.release_train": "Stable",
    "extension.version": "the newest, upgraded by Azure",
}
"""What applies where a key has no value. A key without words here has nothing to say then."""
_RANGES: Mapping[str, str] = {
    "ServiceCIDR": phrase("cluster, ServiceCIDR"),
    "refusal": phrase("cluster, refusal of an address"),
}


def rows(
    lines: Mapping[str, int], settings: Sequence[Setting], registry: Answer[Registry | None], cluster: ClusterDetail
) -> list[Row]:
    """What somebody has decided comes first, then what Azure and the cluster answer, then what nobody has decided.

    `lines` are those of the site file by key.
    """
    site = cluster.site
    values = [(value, _text(value, site)) for value in values_of(site)]
    stated = [
        (value.key, text, t("{file}, line {line}", file=t(FILE), line=lines[value.key]) if value.key in lines else FILE)
        for value, text in values
        if not value.is_default
    ]
    defaults = [(value.key, text, DEFAULT) for value, text in values if value.is_default]
    everything = (*stated, *_settings(site, settings), *_azure(registry, cluster), *_inside(cluster), *defaults)
    return [(t(what), value, t(origin)) for what, value, origin in everything if value]


def _text(value: SiteValue, site: Site) -> str:
    match value.value:
        case empty if not empty and value.key == "extension.service_ip":
            return t("the first free one of cluster.facts") if site.cluster.facts else t("a free one is picked")
        case bool(is_on):
            return t("yes") if is_on else t("no")
        case timedelta() as span:
            return duration(span)
        case tuple(entries) if entries:
            return ", ".join(map(str, entries))
    return str(value.value) if value.value else _EMPTY.get(value.key, "")


def _settings(site: Site, settings: Sequence[Setting]) -> Iterator[Row]:
    """Those of the bot's settings that apply to this site."""
    kubernetes = site.cluster.kubernetes
    unused = set()
    if OWN not in dict(scopes(site)).values():
        unused.add("REGISTRY_BOT_IDENTITY")
    if site.access == "none" or kubernetes.kubeconfig:
        unused.add("KUBECONFIG")
    for setting in settings:
        if setting.name not in unused:
            yield setting.name, setting.value, DEFAULT if setting.is_default else t("setting")


def _azure(registry: Answer[Registry | None], cluster: ClusterDetail) -> Iterator[Row]:
    origin = t("Azure, registry")
    match registry:
        case Known(value=Registry() as answer):
            hosts = ", ".join(answer.data_endpoint_hosts) or "on"
            yield t("login server"), answer.login_server, origin
            yield "tier", answer.sku, origin
            yield "region", answer.location, origin
            yield t("data endpoint"), hosts if answer.data_endpoint else "off", origin
        case Known():
            yield "registry", t("does not exist"), origin
        case _:
            yield "registry", t(_UNASKED), origin
    origin = t("Azure Arc")
    match cluster.arc:
        case Known(value=ArcCluster() as arc):
            yield "connectivity", arc.connectivity, origin
            yield "distribution", f"{arc.distribution} {arc.kubernetes_version}".strip(), origin
            yield "nodes", str(arc.node_count) if arc.node_count is not None else "", origin
            yield "agents", arc.agent_version, origin
        case Known():
            yield t("Arc-enabled cluster"), t("does not exist"), origin
        case _:
            yield t("Arc-enabled cluster"), t(_UNASKED), origin


def _inside(cluster: ClusterDetail) -> Iterator[Row]:
    """What the cluster itself answers; nothing where the site file says that it is not asked."""

    def row(noun: str, answer: Answer[T], words: Callable[[T], str], origin: str = "cluster") -> Iterator[Row]:
        if not isinstance(answer, NotAsked):
            yield noun, words(answer.value) if isinstance(answer, Known) else t(_UNASKED), origin

    ranges = cluster.ranges
    source = _RANGES.get(ranges.value.source, t("cluster")) if isinstance(ranges, Known) else t("cluster")
    yield from row(t("the cluster is the site's"), cluster.identity, str, t("cluster, azure-clusterconfig"))
    yield from row(t("Kubernetes API"), cluster.version, str)
    yield from row(
        t("ready nodes"),
        cluster.nodes,
        lambda nodes: (
            ", ".join(f"{node.name} {node.os}/{node.architecture}" for node in nodes if node.ready) or t("none")
        ),
    )
    yield from row(
        t("storage classes"),
        cluster.storage_classes,
        lambda classes: (
            ", ".join(each.name + (t(" (default)") if each.default else "") for each in classes) or t("none")
        ),
    )
    yield from row("cert-manager", cluster.cert_manager, lambda is_there: t("installed") if is_there else t("none"))
    yield from row(t("Service ranges"), ranges, lambda answer: ", ".join(answer.ranges), source)
