"""Where each value of a site comes from. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TypeVar

from handlers.kit.language import phrase, t
from handlers.kit.text import bold, code, duration, escape
from handlers.views.clusters import ClusterDetail
from services.model.about import Setting
from services.model.azure import ArcCluster, Registry
from services.operations.answers import Answer, Known, NotAsked
from services.policy.identities import OWN, scopes
from services.policy.site_values import SiteValue, values_of
from services.policy.sites import Site

T = TypeVar("T")
FILE, SETTING, DEFAULT = phrase("Site file"), phrase("Settings"), phrase("Defaults")
REGISTRY, ARC, CLUSTER = phrase("Azure, of the registry"), phrase("Azure Arc"), phrase("The cluster itself")
_MARKUP = frozenset("*_~`")
LONGEST = 2500
"""Characters of one paragraph; Slack takes 3,000."""
_EMPTY: Mapping[str, str] = {
    "identity": phrase("that of the bot's settings"),
    "acr.create_in": phrase("a deployment creates no registry"),
    "cluster.kubernetes.kubeconfig": phrase("that of KUBECONFIG or of the home folder, else the bot's own cluster"),
    "cluster.kubernetes.context": phrase("the only one of the kubeconfig"),
    "sync.repositories": phrase("none"),
    "extension.storage_class": phrase("the cluster's default class"),
    "extension.release_train": phrase("Stable"),
    "extension.tls": phrase("by cert-manager"),
    "extension.version": phrase("the newest, upgraded by Azure"),
}
"""What applies where a key has no value. A key without words here has nothing to say then."""
_RANGES: Mapping[str, str] = {"ServiceCIDR": "ServiceCIDR", "refusal": phrase("by its refusal of an address")}


@dataclass(frozen=True)
class Value:
    """What something at a site is: `what` is a key of the site file, a setting, or words.

    `origin` is where it comes from, `detail` where in there, such as a line.
    """

    origin: str
    what: str
    value: str
    detail: str = ""


def paragraphs(values: Sequence[Value]) -> Iterator[str]:
    """The values by their origin, in mrkdwn; one paragraph for each origin, or more where it is long."""
    for origin, group in groupby(values, key=lambda value: value.origin):
        text, separator = bold(t(origin)), " "
        for value in group:
            plain = escape(value.value)
            detail = f" ({escape(t(value.detail))})" if value.detail else ""
            entry = f"{code(value.what)} {code(value.value) if _MARKUP & set(plain) else plain}{detail}"
            if len(text) + len(entry) > LONGEST:
                yield text
                text, separator = bold(t(origin)), " "
            text, separator = f"{text}{separator}{entry}", "  ·  "
        yield text


def values(
    lines: Mapping[str, int], settings: Sequence[Setting], registry: Answer[Registry | None], cluster: ClusterDetail
) -> tuple[Value, ...]:
    """What somebody has decided comes first, then what Azure and the cluster answer, then what nobody has decided.

    `lines` are those of the site file by key.
    """
    site = cluster.site
    texts = [(value, _text(value, site)) for value in values_of(site)]
    stated = [
        Value(FILE, value.key, text, t("line {line}", line=lines[value.key]) if value.key in lines else "")
        for value, text in texts
        if not value.is_default
    ]
    defaults = [Value(DEFAULT, value.key, text) for value, text in texts if value.is_default]
    answers = (*_azure(registry, cluster), *_inside(cluster))
    shared = sorted(_settings(site, settings), key=lambda value: value.origin == DEFAULT)
    unset = [value for value in shared if value.origin == DEFAULT]
    everything = (*stated, *shared[: len(shared) - len(unset)], *answers, *unset, *defaults)
    return tuple(value for value in everything if value.value)


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
    return str(value.value) if value.value else t(_EMPTY[value.key]) if value.key in _EMPTY else ""


def _settings(site: Site, settings: Sequence[Setting]) -> Iterator[Value]:
    """Those of the bot's settings that apply to this site; those that nobody has set are defaults."""
    kubernetes = site.cluster.kubernetes
    unused = set()
    if OWN not in dict(scopes(site)).values():
        unused.add("REGISTRY_BOT_IDENTITY")
    if site.access == "none" or kubernetes.kubeconfig:
        unused.add("KUBECONFIG")
    for setting in settings:
        if setting.name not in unused:
            yield Value(DEFAULT if setting.is_default else SETTING, setting.name, setting.value)


def _azure(registry: Answer[Registry | None], cluster: ClusterDetail) -> Iterator[Value]:
    match registry:
        case Known(value=Registry() as answer):
            hosts = ", ".join(answer.data_endpoint_hosts) or t("on")
            yield Value(REGISTRY, t("login server"), answer.login_server)
            yield Value(REGISTRY, t("tier"), answer.sku)
            yield Value(REGISTRY, t("region"), answer.location)
            yield Value(REGISTRY, t("data endpoint"), hosts if answer.data_endpoint else t("off"))
        case Known():
            yield Value(REGISTRY, t("registry"), t("does not exist"))
        case _:
            yield Value(REGISTRY, t("registry"), t("could not be asked"))
    match cluster.arc:
        case Known(value=ArcCluster() as arc):
            yield Value(ARC, t("connectivity"), arc.connectivity)
            yield Value(ARC, t("distribution"), f"{arc.distribution} {arc.kubernetes_version}".strip())
            yield Value(ARC, t("nodes"), str(arc.node_count) if arc.node_count is not None else "")
            yield Value(ARC, t("agents"), arc.agent_version)
        case Known():
            yield Value(ARC, t("cluster"), t("does not exist"))
        case _:
            yield Value(ARC, t("cluster"), t("could not be asked"))


def _inside(cluster: ClusterDetail) -> Iterator[Value]:
    """What the cluster itself answers; nothing where the site file says that it is not asked."""

    def value(what: str, answer: Answer[T], words: Callable[[T], str], detail: str = "") -> Iterator[Value]:
        if isinstance(answer, Known):
            yield Value(CLUSTER, what, words(answer.value), detail)
        elif not isinstance(answer, NotAsked):
            yield Value(CLUSTER, what, t("could not be asked"))

    ranges = cluster.ranges
    source = _RANGES.get(ranges.value.source, "") if isinstance(ranges, Known) else ""
    yield from value(
        t("that it is the site's"),
        cluster.identity,
        lambda state: t("proven") if state == "proven" else t("unproven"),
        "azure-clusterconfig",
    )
    yield from value(t("Kubernetes API"), cluster.version, str)
    yield from value(
        t("ready nodes"),
        cluster.nodes,
        lambda nodes: (
            ", ".join(f"{node.name} {node.os}/{node.architecture}" for node in nodes if node.ready) or t("none")
        ),
    )
    yield from value(
        t("storage classes"),
        cluster.storage_classes,
        lambda classes: (
            ", ".join(each.name + (t(" (default)") if each.default else "") for each in classes) or t("none")
        ),
    )
    yield from value("cert-manager", cluster.cert_manager, lambda is_there: t("installed") if is_there else t("none"))
    yield from value(t("Service ranges"), ranges, lambda answer: ", ".join(answer.ranges), source)
