"""Which node takes a Pod, and why others do not, in the words of kube-scheduler. Pure functions."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
SILENT_ABOUT_TAINTS = 35
"""Minor version of Kubernetes since which the scheduler does not name the taint (kubernetes#134740)."""
DAEMON_TOLERATIONS: tuple[Json, ...] = tuple(
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": effect}
    for state, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
)
"""What the controller of DaemonSets adds to their Pods (kubernetes.io: DaemonSet, taints and tolerations)."""
_CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_MISMATCH = "node(s) didn't match Pod's node affinity/selector"


def node_for(spec: Json, nodes: Sequence[Json]) -> str | None:
    """The first node that takes a Pod of this specification; None if none does."""
    return next((str(node["metadata"]["name"]) for node in nodes if not refusal(spec, node)), None)


def refusals(spec: Json, nodes: Sequence[Json]) -> str:
    """Why no node takes it, as the scheduler sums it up."""
    counts = Counter(refusal(spec, node) for node in nodes)
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items())) or "no nodes available"


def refusal(spec: Json, node: Json) -> str:
    """Why a node does not take it; empty if it does.

    Of the scheduler's filters the first one that refuses speaks, in the order of kubernetes' default plugins.
    """
    own = node.get("spec") or {}
    if own.get("unschedulable") and not _is_tolerated(_CORDONED, spec):
        return "node(s) were unschedulable"
    for taint in own.get("taints") or []:
        if taint["effect"] in {"NoSchedule", "NoExecute"} and not _is_tolerated(taint, spec):
            return _untolerated(taint, node)
    labels = node["metadata"].get("labels") or {}
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return _MISMATCH
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    return "" if not terms or any(_matches(term, node["metadata"]["name"], labels) for term in terms) else _MISMATCH


def _matches(term: Json, name: str, labels: Json) -> bool:
    expressions = [(one, labels.get(one["key"])) for one in term.get("matchExpressions") or []]
    fields = [(one, name if one["key"] == "metadata.name" else None) for one in term.get("matchFields") or []]
    return all(_holds(expression, value) for expression, value in [*expressions, *fields])


def _holds(expression: Json, value: str | None) -> bool:
    values = expression.get("values") or []
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(expression["operator"], False)


def _is_tolerated(taint: Json, spec: Json) -> bool:
    return any(_tolerates(toleration, taint) for toleration in spec.get("tolerations") or [])


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    return bool(toleration.get("key") == taint["key"]) and toleration.get("value", "") == taint.get("value", "")


def _untolerated(taint: Json, node: Json) -> str:
    version = re.match(r"v1\.(\d+)", ((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion", ""))
    if version and int(version[1]) >= SILENT_ABOUT_TAINTS:
        return "node(s) had untolerated taint(s)"
    return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
