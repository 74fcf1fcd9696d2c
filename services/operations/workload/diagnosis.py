"""Why a workload's Pods do not run with the image: from what the cluster shows to one cause. Pure.

The texts are those of containerd, the kubelet, the scheduler and the API server.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.model.errors import Failure
from services.model.kubernetes import PULL_REASONS, START_REASONS, DeployedWorkload, WorkloadPod
from services.operations.workload.words import Cause


@dataclass(frozen=True)
class _Sign:
    """Words by which a cause is known."""

    cause: Cause
    words: re.Pattern[str]


def _sign(cause: Cause, words: str) -> _Sign:
    return _Sign(cause, re.compile(words, re.IGNORECASE | re.DOTALL))


_PULL = (
    _sign(Cause.NODE_PROXY, r"proxyconnect|proxy authentication required|forbidden by proxy"),
    # In front of the certificate that is not trusted: whoever trusts it is not helped.
    _sign(
        Cause.CERTIFICATE_INVALID,
        r"certificate has expired or is not yet valid|certificate is (not )?valid for|cannot validate certificate",
    ),
    _sign(Cause.UNTRUSTED_CERTIFICATE, r"x509:|failed to verify certificate"),
    _sign(Cause.PLAIN_HTTP, r"server gave HTTP response to HTTPS client"),
    # In front of "not found", which this text ends with too.
    _sign(
        Cause.WRONG_ARCHITECTURE,
        r"no match for platform in manifest|no matching manifest for|no image found in (manifest list|image index) for",
    ),
    _sign(
        Cause.PULL_UNAUTHORIZED,
        r"401 Unauthorized|insufficient_scope|pull access denied|failed to authorize|authorization failed"
        r"|unauthorized: |requested access to the resource is denied",
    ),
    _sign(
        Cause.EDGE_UNREACHABLE,
        r"i/o timeout|connection (refused|reset)|no route to host|no such host|TLS handshake timeout"
        r"|network is unreachable|deadline exceeded|50[234] (Bad Gateway|Service Unavailable|Gateway)",
    ),
    _sign(
        Cause.IMAGE_NOT_AT_EDGE,
        r"failed to resolve reference .{0,500}: not found|(manifest|blob) unknown|404 Not Found",
    ),
)
_FRAME = re.compile(
    r"^.*?failed to (?:pull and unpack image|resolve reference) \"[^\"]*\": "
    r"(?:failed to resolve reference \"[^\"]*\": )?",
    re.DOTALL,
)
"""What kubelet and containerd say around the cause: which image it is, several times."""
_STARTING = frozenset({"ContainerCreating", "PodInitializing"})
_QUOTA = re.compile(r"exceeded quota", re.IGNORECASE)
_CANNOT_RUN = re.compile(r"exec format error", re.IGNORECASE)
LASTING = frozenset({Cause.WRONG_ARCHITECTURE, Cause.QUOTA_EXCEEDED, Cause.PODS_REFUSED})
"""Causes that no waiting mends."""


def diagnose(workload: DeployedWorkload, *, last: bool = False) -> Failure | None:
    """The cause that the workload shows; None while nothing is wrong with it.

    With `last` nobody waits any longer, so a Pod that does not start is a cause, although it may only be slow.
    """
    if workload.refusal:
        cause = Cause.QUOTA_EXCEEDED if _QUOTA.search(workload.refusal) else Cause.PODS_REFUSED
        return Failure(cause, {"message": workload.refusal})
    # A Pod that its node has ended stays beside the one in its place, and says nothing of it.
    pods = [pod for pod in workload.pods if pod.state != "failed"] or workload.pods
    causes = [failure for pod in pods if (failure := _of_pod(pod, last=last)) is not None]
    if not causes:
        return None
    # People have to see to all nodes of which one thing is true, such as a certificate that they don't trust.
    first = causes[0]
    nodes = dict.fromkeys(failure.facts["node"] for failure in causes if failure.cause == first.cause)
    return Failure(first.cause, {**first.facts, "nodes": tuple(filter(None, nodes))})


def _of_pod(pod: WorkloadPod, *, last: bool) -> Failure | None:
    facts: Mapping[str, object] = {"node": pod.node, "pod": pod.name, "message": _last(pod)}
    if pod.exit_code and _CANNOT_RUN.search(f"{pod.log}\n{pod.message}"):
        words = _last(pod) or next(filter(_CANNOT_RUN.search, pod.log.splitlines()), "")
        return Failure(Cause.WRONG_ARCHITECTURE, {**facts, "message": words})
    if pod.state == "failed" or pod.reason == "Unschedulable":
        words = f"{pod.reason}: {pod.message}" if pod.state == "failed" else pod.message
        return Failure(Cause.NO_NODE, {**facts, "message": words})
    if pod.reason in START_REASONS or (last and pod.state == "waiting" and pod.reason in _STARTING):
        return Failure(Cause.NOT_STARTED, {**facts, "reason": pod.reason, "message": pod.message or _last(pod)})
    if pod.reason not in PULL_REASONS:
        return None
    # Newer kubelets repeat containerd's words in the message, older ones have them in an event alone.
    for text in (pod.message, *reversed(pod.warnings)):
        for sign in _PULL:
            if sign.words.search(text):
                return Failure(sign.cause, {**facts, "message": _FRAME.sub("", text)})
    return Failure(Cause.PULL_FAILED, facts)


def _last(pod: WorkloadPod) -> str:
    return _FRAME.sub("", pod.message or (pod.warnings[-1] if pod.warnings else ""))
