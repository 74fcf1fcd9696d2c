"""Clusters as people see them. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import phrase, t
from handlers.kit.message import Message
from handlers.kit.text import bold, code, count, date, escape, labelled, listed
from handlers.views import errors
from services.model.azure import ArcCluster, ClusterRef, Extension
from services.model.kubernetes import Node, ServiceRanges, StorageClass
from services.operations.answers import Answer, Known, NotAsked, Unknown, known
from services.policy.extensions import CERT_MANAGER_TYPE, brings_cert_manager, registry_extensions
from services.policy.sites import Site

T = TypeVar("T")
PAGE = 25
"""Clusters on one page of the list; each is one request."""
COLUMNS = (
    phrase("Cluster"),
    phrase("Site"),
    phrase("Azure Arc"),
    phrase("Agents"),
    phrase("Distribution"),
    phrase("Kubernetes"),
    phrase("Nodes"),
    phrase("Last contact (UTC)"),
)
MOST_PLATFORMS, MOST_NAMES = 8, 10
_CONNECTED = "Connected"


@dataclass(frozen=True)
class Row:
    """A cluster of the list, with the names of its sites that the reader may see. None: it is not in Azure Arc."""

    cluster: ClusterRef
    sites: tuple[str, ...]
    answer: Answer[ArcCluster | None]

    @property
    def state(self) -> str:
        """Its connectivity as Azure has it, or why that is not known."""
        match self.answer:
            case Known(value=ArcCluster(connectivity=connectivity)):
                return connectivity or t("not known")
            case Known():
                return t("not in Azure Arc")
        return t("could not be asked")


@dataclass(frozen=True)
class ClusterDetail:
    """A site's cluster as Azure and its Kubernetes API show it. None as a value means: there is none."""

    site: Site
    arc: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    version: Answer[str]
    nodes: Answer[tuple[Node, ...]]
    storage_classes: Answer[tuple[StorageClass, ...]]
    cert_manager: Answer[bool]
    cert_manager_runs: Answer[bool]
    ranges: Answer[ServiceRanges]
    identity: Answer[str]
    """`unproven` where the cluster does not say which Arc-enabled cluster it is, else `proven`."""


def pages(clusters: Sequence[ClusterRef]) -> list[Sequence[ClusterRef]]:
    """The clusters in pages, at least one."""
    return [clusters[start : start + PAGE] for start in range(0, max(len(clusters), 1), PAGE)]


def listing(rows: Sequence[Row], page: int, last: int, total: int) -> Message:
    """Page `page` of `last`; `rows` are its clusters, `total` the number of all."""
    if not rows:
        text = t("There is no cluster that you may read.")
        return Message(text, (blocks.section(text),))
    ordered = sorted(rows, key=lambda row: row.state == _CONNECTED)
    states = Counter(row.state for row in ordered)
    counted = listed(f"{number} {escape(state)}" for state, number in states.items())
    head = labelled(bold(count(total, "cluster")) + (t(", on this page") if last > 1 else ""), counted)
    # Only this page has rows: the clusters of the others were not asked.
    table = [[_cells(row) for row in ordered] if number == page else [] for number in range(1, last + 1)]
    parts = blocks.paged(head, COLUMNS, table, page, turns="cluster list --turn")
    # What keeps one from being asked mostly keeps others too: the first of a kind explains them all.
    reasons = {
        type(row.answer.error): errors.explanation(row.answer.error)
        for row in ordered
        if isinstance(row.answer, Unknown)
    }
    notes = [blocks.context(f":grey_question:  {text}") for text in reasons.values()]
    return Message(count(total, "cluster"), (*parts, *notes))


def _cells(row: Row) -> tuple[str, ...]:
    arc = known(row.answer, None)
    if arc is None:
        return (row.cluster.name, ", ".join(row.sites), row.state, "", "", "", "", "")
    return (
        row.cluster.name,
        ", ".join(row.sites),
        row.state,
        arc.agent_version,
        arc.distribution,
        arc.kubernetes_version,
        str(arc.node_count) if arc.node_count is not None else "",
        f"{arc.last_heartbeat:%Y-%m-%d %H:%M}" if arc.last_heartbeat else t("never"),
    )


def card(detail: ClusterDetail) -> Message:
    """The state of its connection on top, then what it is made of; what could not be asked is said to be so."""
    site = detail.site
    mark, state = _state(detail.arc)
    head = t(
        "{mark}  {name} (site {site}) {state}",
        mark=mark,
        name=bold(site.cluster.name),
        site=code(site.name),
        state=state,
    )
    arc, facts = known(detail.arc, None), site.cluster.facts
    azure = (
        (
            (t("Last contact"), date(arc.last_heartbeat) if arc.last_heartbeat else t("never")),
            (t("Agents"), escape(arc.agent_version)),
            (t("Distribution"), escape(arc.distribution)),
            (t("Kubernetes, as Azure has it"), escape(arc.kubernetes_version)),
            (t("Location"), escape(arc.location)),
            (t("Agents' certificate expires"), date(arc.certificate_expires) if arc.certificate_expires else ""),
        )
        if arc
        else ()
    )
    inside = (
        (
            t("Kubernetes API"),
            _answered(detail.version, lambda version: t("answers, {version}", version=code(version))),
        ),
        (t("Nodes"), _answered(detail.nodes, _nodes)),
        (t("Storage classes"), _answered(detail.storage_classes, _storage_classes)),
        (
            t("Service ranges"),
            _answered(
                detail.ranges,
                lambda ranges: t(
                    "{ranges}, {number} in use", ranges=listed(map(code, ranges.ranges)), number=len(ranges.used)
                ),
                code(str(facts.service_range)) if facts else "",
            ),
        ),
        ("cert-manager", _cert_manager(detail)),
        (
            t("Connected registry extension"),
            _answered(
                detail.extensions,
                lambda extensions: (
                    listed(
                        f"{code(each.name)} {escape(each.provisioning_state)}"
                        for each in registry_extensions(extensions)
                    )
                    or t("none")
                ),
            ),
        ),
    )
    parts = [blocks.section(head), *blocks.fields(azure), *blocks.fields(inside)]
    parts += [blocks.context(f":grey_question:  {reason}") for reason in reasons(detail)]
    if known(detail.identity, "proven") == "unproven":
        note = t("Nothing in the cluster says which Arc-enabled cluster it is, so the bot writes nothing there.")
        parts.append(blocks.context(f":warning:  {note}"))
    parts.append(blocks.actions(button(t("Check"), runs=f"check {site.name}")))
    return Message(t("Cluster {name}", name=site.cluster.name), tuple(parts))


def _state(answer: Answer[ArcCluster | None]) -> tuple[str, str]:
    match answer:
        case Known(value=ArcCluster(connectivity="Connected")):
            return ":large_green_circle:", t("is connected to Azure Arc")
        case Known(value=ArcCluster(connectivity="Connecting")):
            return ":hourglass_flowing_sand:", t("is being connected to Azure Arc")
        case Known(value=ArcCluster(connectivity="Expired")):
            return ":red_circle:", t("has an expired certificate: it has to be connected to Azure Arc again")
        case Known(value=ArcCluster(connectivity=connectivity)):
            return ":red_circle:", t(
                "is {connectivity}", connectivity=escape(connectivity) or t("not known to be connected")
            )
        case Known():
            return ":red_circle:", t("is not in Azure Arc")
    return ":grey_question:", t("could not be asked for in Azure")


def _answered(answer: Answer[T], words: Callable[[T], str], stated: str = "") -> str:
    """An answer in words. `stated` is what the site file says where the bot has no access to the cluster."""
    if isinstance(answer, Known):
        return words(answer.value)
    if isinstance(answer, NotAsked):
        return t("{stated}, as the site file says", stated=stated) if stated else t("was not asked")
    return t("could not be asked")


def _nodes(nodes: Sequence[Node]) -> str:
    """By platform: the runtime needs a ready linux/amd64 one."""
    totals = Counter(f"{node.os}/{node.architecture}" for node in nodes)
    platforms = [
        f"{total} {escape(platform)}{_unready(node for node in nodes if f'{node.os}/{node.architecture}' == platform)}"
        for platform, total in totals.most_common(MOST_PLATFORMS)
    ]
    return listed(platforms) or t("none")


def _unready(nodes: Iterable[Node]) -> str:
    """How many of them take no Pods, and why."""
    unready = [node for node in nodes if not node.ready]
    if not unready:
        return ""
    troubles = dict.fromkeys(trouble for node in unready for trouble in node.troubles)
    if not troubles:
        return t(" ({total} not ready)", total=len(unready))
    return t(" ({total} not ready: {troubles})", total=len(unready), troubles=listed(map(escape, troubles)))


def _storage_classes(classes: Sequence[StorageClass]) -> str:
    ordered = sorted(classes, key=lambda item: (not item.default, item.name))
    names = [code(item.name) + (t(" (default)") if item.default else "") for item in ordered]
    further = [t("{number} more", number=len(names) - MOST_NAMES)] if len(names) > MOST_NAMES else []
    default = "" if any(item.default for item in classes) or not classes else t("; none is the default")
    return (listed([*names[:MOST_NAMES], *further]) or t("none")) + default


def contact(cluster: ArcCluster) -> str:
    """How Azure Arc reaches a cluster, and since when; in mrkdwn."""
    heartbeat = cluster.last_heartbeat
    since = t(", last heartbeat {heartbeat}", heartbeat=date(heartbeat)) if heartbeat else ""
    return f"{escape(cluster.connectivity)}{since}"


def _cert_manager(detail: ClusterDetail) -> str:
    """Whose it is. Microsoft's is an extension of its own; a connected registry's brings the community's along."""
    extensions = detail.extensions
    microsofts = [each for each in known(extensions, ()) if each.type == CERT_MANAGER_TYPE]
    if microsofts:
        state = t(
            "extension {name} {provisioning_state}",
            name=code(microsofts[0].name),
            provisioning_state=escape(microsofts[0].provisioning_state),
        )
        missing = "" if known(detail.cert_manager, True) else t("; its resource types are not there")
        return t("Microsoft's, {state}{missing}", state=state, missing=missing)
    facts = detail.site.cluster.facts
    stated = (t("installed") if facts.cert_manager else t("none")) if facts else ""
    if not isinstance(detail.cert_manager, Known) or not detail.cert_manager.value:
        return _answered(detail.cert_manager, lambda _: t("none"), stated)
    if not known(detail.cert_manager_runs, True):
        return t("its resource types are installed, and no Deployment of it is available")
    if isinstance(extensions, Unknown):
        return t("installed; by whom could not be asked")
    for each in registry_extensions(extensions.value):
        if brings_cert_manager(each):
            return t("installed by the extension {each}", each=code(each.name))
    return t("installed, not by an extension")


def reasons(detail: ClusterDetail) -> list[str]:
    """Why questions about the cluster have no answer, each reason once."""
    answers = (
        detail.arc,
        detail.extensions,
        detail.version,
        detail.nodes,
        detail.storage_classes,
        detail.cert_manager,
        detail.ranges,
    )
    texts = [errors.explanation(answer.error) for answer in answers if isinstance(answer, Unknown)]
    return list(dict.fromkeys(texts))
