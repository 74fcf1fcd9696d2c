"""Why a deployment does not go on: from what Azure and the cluster show to one cause of the failure catalogue. Pure.

The texts are those of Helm, the API server, the Arc agents and the runtime's log. The most specific cause wins; what is
only a consequence of another (a crash loop, a Failed without a text) counts when nothing better is known.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Token
from services.model.errors import (
    AddressOutside,
    AddressTaken,
    Busy,
    DomainError,
    Failure,
    Foreign,
    Locked,
    NameTaken,
    NotAllowed,
    NotAuthenticated,
    NotOfferedInRegion,
    ProviderNotRegistered,
    ResourceGroupUnknown,
    SubscriptionUnknown,
    Throttled,
    Unreadable,
    VersionNotOffered,
    WrongCluster,
)
from services.model.kubernetes import PULL_REASONS, START_REASONS, Runtime
from services.operations.causes import EngineCause, cause_of, facts_of
from services.operations.deploy.causes import Cause
from services.policy.sites import Site


@dataclass(frozen=True)
class _Sign:
    """Words by which a cause is known; named groups become facts."""

    cause: Cause
    words: re.Pattern[str]


@dataclass(frozen=True)
class _Diagnosis:
    cause: Cause | EngineCause
    facts: Mapping[str, object] = field(default_factory=dict)


def _sign(cause: Cause, words: str) -> _Sign:
    return _Sign(cause, re.compile(words, re.IGNORECASE | re.DOTALL))


_PROXY = _sign(
    Cause.PROXY,
    r"proxyconnect tcp|proxy authentication required|forbidden by proxy"
    r"|(tunnel|CONNECT)[^\n]{0,40}(response|status)[^\n]{0,10}(403|407|502|503)|proxy error"
    r"|proxy tunnel request to proxy",
)
_INSTALLATION = (
    _sign(Cause.ADDRESS_TAKEN, r"failed to allocate IP (?P<address>[0-9a-f.:]+): provided IP is already allocated"),
    _sign(
        Cause.ADDRESS_OUTSIDE,
        r"failed to allocate IP (?P<address>[0-9a-f.:]+):.*?is not in the valid range. "
        r"The range of valid IPs is (?P<ranges>[0-9a-f.:]+/\d+)",
    ),
    _sign(Cause.ADDRESS_OUTSIDE, r"failed to allocate IP (?P<address>[0-9a-f.:]+):.*?does not match the current range"),
    _sign(Cause.NAMESPACE_TERMINATING, r"namespace (?P<namespace>\S+) because it is being terminated"),
    _sign(
        Cause.CERT_MANAGER_CONFLICT,
        r"\"?[\w.-]*cert-manager[\w./-]*\"?.{0,80}?(exists and cannot be imported|already exists)",
    ),
    _sign(Cause.CERT_MANAGER_ABSENT, r"no matches for kind \"(Certificate|Issuer|ClusterIssuer)\""),
    _sign(
        Cause.RELEASE_LEFT,
        r"Unable to continue with (?:install|update): (?P<kind>\w+) \"(?P<object>[^\"]+)\""
        r".*?exists and cannot be imported.*?must equal \"[^\"]+\": current value is \"(?P<release>[^\"]+)\"",
    ),
    _sign(
        Cause.OWNERSHIP_CONFLICT,
        r"Unable to continue with (?:install|update): (?P<kind>\w+) \"(?P<object>[^\"]+)\""
        r".*?exists and cannot be imported",
    ),
    _sign(
        Cause.NAME_IN_USE,
        r"cannot re-use a name that is still in use|name (is )?still in use"
        r"|\"sh\.helm\.release\.v1\.[^\"]+\" already exists",
    ),
    _sign(Cause.RELEASE_FAILED, r"has no deployed releases"),
    _sign(Cause.RELEASE_BUSY, r"another operation \(install/upgrade/rollback\) is in progress"),
    _sign(Cause.UNCHANGEABLE, r"field is immutable|is immutable after creation|may not change once set"),
    _sign(Cause.WEBHOOK_UNREACHABLE, r"failed calling webhook \"(?P<webhook>[^\"]+)\""),
    _sign(Cause.WEBHOOK_UNREACHABLE, r"conversion webhook for (?P<webhook>[\w./-]+, Kind=\w+) failed"),
    _sign(Cause.ADMISSION_DENIED, r"admission webhook \"(?P<webhook>[^\"]+)\" denied the request"),
    _sign(Cause.ADMISSION_DENIED, r"ValidatingAdmissionPolicy '(?P<webhook>[^']+)'.{0,300}? denied request"),
    _sign(Cause.QUOTA_EXCEEDED, r"is forbidden: (exceeded quota|\[?(maximum|minimum) \S+ usage per )"),
    _sign(Cause.PULL_THROTTLED, r"429 Too Many Requests|toomanyrequests"),
    _sign(Cause.CHART_NOT_FOUND, r"chart path not found|chart .{0,80}not found"),
    _sign(Cause.STATUS_NOT_POPULATED, r"status not populated|unable to get the status from the local CRD"),
    _sign(Cause.WRITE_RACE, r"the object has been modified; please apply your changes to the latest version"),
    _sign(Cause.POD_SECURITY, r"violates PodSecurity"),
    _sign(
        Cause.PROVIDER_MISSING,
        r"(subscription is )?not registered (to use|with|for).{0,40}?(?P<provider>Microsoft\.\w+)",
    ),
    _sign(Cause.PROVIDER_MISSING, r"(?P<provider>Microsoft\.\w+).{0,40}?(is )?not registered"),
    _sign(Cause.DATA_ENDPOINT_OFF, r"data ?endpoint.{0,60}?(not |dis|must|need|require)"),
    _PROXY,
)
_GAVE_UP = (
    _sign(
        Cause.INSTALLATION_TIMED_OUT,
        r"timed out waiting for|context deadline exceeded|(pre|post)-(install|upgrade) hooks? failed"
        r"|failed (pre|post)-(install|upgrade)|BackoffLimitExceeded",
    ),
)
"""What Helm says of Pods that do not get ready; the Pods themselves tell more."""
_LOG = (
    _PROXY,
    # Only here: in an installation the same words are said of webhooks within the cluster.
    # The runtime is a .NET program, so its words for a bad certificate are .NET's beside those of Go.
    _sign(
        Cause.WRONG_TIME, r"certificate has expired or is not yet valid|NotTimeValid|IDX1022[23]|token is not yet valid"
    ),
    _sign(
        Cause.TLS_INSPECTED,
        r"x509: certificate (signed by unknown authority|is valid for)|unable to get local issuer certificate"
        r"|self[- ]signed certificate|UntrustedRoot|PartialChain|RemoteCertificateNameMismatch",
    ),
    _sign(Cause.NETWORK_RULES, r"client with IP '(?P<client>[0-9a-f.:]+)' is not allowed access"),
    _sign(Cause.ALREADY_ACTIVATED, r"ALREADY_ACTIVATED"),
    _sign(Cause.BAD_CONNECTION_STRING, r"connection string.{0,40}?(can't|cannot|invalid|not valid|malformed|missing)"),
    _sign(
        Cause.DISK_ERROR,
        r"no space left on device|not enough space|DiskError|read-only file system|UnauthorizedAccessException",
    ),
    _sign(Cause.BAD_PASSWORD, r"\bUNAUTHORIZED\b|incorrect password"),
    _sign(Cause.NO_AMD64_NODE, r"exec format error"),
    # In the words of Go, and of .NET, which puts the host in parentheses.
    _sign(
        Cause.NAME_NOT_RESOLVED,
        r"no such host|name or service not known|name resolution|server misbehaving|lookup \S+ on \S+: "
        r"|resource temporarily unavailable \(",
    ),
    _sign(
        Cause.FIREWALL,
        r"i/o timeout|connection (refused|reset|timed out)|TLS handshake timeout|network is unreachable"
        r"|can't be reached|no route to host|HttpClient\.Timeout",
    ),
)
_WARNINGS = (
    _sign(Cause.POD_SECURITY, r"violates PodSecurity"),
    # The scheduler's reasons: kubernetes, pkg/scheduler/framework/plugins/volumebinding.
    _sign(Cause.VOLUME_LOST, r"^ClaimLost: |bound to non-existent p(v|ersistentvolume)"),
    _sign(Cause.VOLUME_DELETED, r"persistentvolumeclaim \"[^\"]+\" (is being deleted|not found)"),
    _sign(
        Cause.STORAGE_PENDING,
        r"ProvisioningFailed|FailedBinding|storageclass.*?not found|no persistent volumes available"
        r"|unbound immediate PersistentVolumeClaims|did not have enough free storage"
        r"|didn't find available persistent volumes|binding volumes: ",
    ),
    _sign(Cause.PODS_REFUSED, r"^FailedCreate: "),
    # A node with room and the wrong architecture among others that are full says nothing of the architecture of those.
    _sign(
        Cause.NO_AMD64_NODE, r"0/(\d+) nodes are available: \1 node\(s\) didn't match Pod's node (affinity|selector)"
    ),
    _sign(
        Cause.NODE_CONDITION,
        r"taint \{node\.(kubernetes\.io|cloudprovider\.kubernetes\.io)/|node\(s\) were unschedulable"
        r"|^(Evicted|FreeDiskSpaceFailed|EvictionThresholdMet): ",
    ),
    # The second one since 1.34; the third one is of volumes with labels of a zone.
    _sign(
        Cause.VOLUME_ELSEWHERE,
        r"volume node affinity conflict|didn't match PersistentVolume's node affinity|no available volume zone",
    ),
)
_TAINTED = re.compile(r"untolerated taint")
_PROBED = re.compile(r"^Unhealthy: Liveness probe failed")
_UNREADY = re.compile(r"^(Unhealthy|NodeNotReady): ")
_THROTTLED_PULL = re.compile(r"429 Too Many Requests|toomanyrequests|pull QPS exceeded", re.IGNORECASE)
_ENDED_BY_NODE = frozenset({"Evicted", "Terminated", "NodeShutdown", "Shutdown", "NodeLost"})
"""Reasons of a Pod that its node has ended or refused because it is short of a resource, shuts down or is gone."""
_PULL_FAILED = re.compile(r"Failed to pull image")
_BY_CONNECTIVITY: Mapping[str, Cause] = {
    "Offline": Cause.CLUSTER_OFFLINE,
    "Expired": Cause.CLUSTER_EXPIRED,
    "AgentNotInstalled": Cause.CLUSTER_NO_AGENTS,
}
_VANISHING = {"Lost": Cause.VOLUME_LOST, "Terminating": Cause.VOLUME_DELETED}
"""Of a claim whose volume is gone, or which is deleted itself and only waits for its Pod to end."""
_WELL = frozenset({"online", "syncing"})
_LONGEST = 300
_BY_SIGNAL = frozenset({128 + 9, 128 + 15})
"""Exit codes of a container that its node has ended, as it does when a liveness probe fails."""

_OF_SITE_FILE: Mapping[str, Cause] = {
    Cause.ADDRESS_TAKEN: Cause.LISTED_ADDRESS_TAKEN,
    Cause.ADDRESS_OUTSIDE: Cause.LISTED_ADDRESS_OUTSIDE,
    Cause.CERT_MANAGER_CONFLICT: Cause.STATED_CERT_MANAGER_CONFLICT,
    Cause.CERT_MANAGER_ABSENT: Cause.STATED_CERT_MANAGER_ABSENT,
}
_CODED = (
    NotAuthenticated,
    NotAllowed,
    Throttled,
    Busy,
    Locked,
    SubscriptionUnknown,
    ResourceGroupUnknown,
    VersionNotOffered,
    NotOfferedInRegion,
    ProviderNotRegistered,
    NameTaken,
    Unreadable,
    WrongCluster,
)
"""Errors whose code alone names the cause."""


def diagnose(
    extension: Extension | None = None,
    runtime: Runtime | None = None,
    connected: ConnectedRegistry | None = None,
    cluster: ArcCluster | None = None,
    error: DomainError | None = None,
    *,
    token: Token | None = None,
    last: bool = False,
) -> Failure | None:
    """The cause, or None: nothing is known to be wrong, so it is still going. With an `error` there always is a cause.

    A cause may be seen before Azure gives up (it waits for hours), or pass by itself (a fresh password takes up to a
    minute to be known everywhere): the caller decides how long a cause must last. With `last` nobody waits any longer,
    so a Pod that does not start is a cause, although it may only be slow.
    """
    if isinstance(error, Failure):
        return error
    texts = _texts(extension, error)
    diagnosis = (
        _of_addresses(error)
        or _of_identity(error)
        or _read(_INSTALLATION, texts)
        or _of_arc(cluster)
        or _of_runtime(runtime, connected, token, last=last)
        or _of_extension(extension, texts, runtime, connected)
        or _of_error(error)
        or _of_crash(runtime, connected)
    )
    if diagnosis is None:
        return None
    correlation = error.correlation_id if isinstance(error, Foreign) else ""
    return Failure(diagnosis.cause, {**_context(extension, runtime, connected, error), **diagnosis.facts}, correlation)


def at_site(failure: Failure, site: Site) -> Failure:
    """The same failure, with the site file as its cause where that stated what the bot could not ask the cluster."""
    stated = _OF_SITE_FILE.get(failure.cause) if site.cluster.facts is not None else None
    return replace(failure, cause=stated) if stated is not None else failure


def refused_address(extension: Extension | None) -> str:
    """The Service address that a failed extension could not have, by its own error; empty where that is not the cause.

    It is in use, or outside of the range; `diagnose` says which.
    """
    if extension is None or extension.provisioning_state.casefold() != "failed":
        return ""
    diagnosis = _read(_INSTALLATION, _texts(extension, None))
    if diagnosis is None or diagnosis.cause not in {Cause.ADDRESS_TAKEN, Cause.ADDRESS_OUTSIDE}:
        return ""
    return str(diagnosis.facts["address"])


def _of_addresses(error: DomainError | None) -> _Diagnosis | None:
    if isinstance(error, AddressTaken):
        return _Diagnosis(Cause.ADDRESS_TAKEN, {"address": error.address})
    if isinstance(error, AddressOutside):
        return _Diagnosis(Cause.ADDRESS_OUTSIDE, {"address": error.address, "ranges": ", ".join(error.ranges)})
    return None


def _of_identity(error: DomainError | None) -> _Diagnosis | None:
    """What stops the bot itself says nothing of the registry, nor does the registry of it; a code outweighs texts."""
    return _of_error(error) if isinstance(error, _CODED) else None


def _of_arc(cluster: ArcCluster | None) -> _Diagnosis | None:
    """A cluster that Azure doesn't hear of gets no extension; what it shows by itself then is old."""
    cause = _BY_CONNECTIVITY.get(cluster.connectivity) if cluster is not None else None
    if cluster is None or cause is None:
        return None
    return _Diagnosis(cause, {"cluster": cluster.name, "heartbeat": cluster.last_heartbeat})


def _of_runtime(
    runtime: Runtime | None, connected: ConnectedRegistry | None, token: Token | None, *, last: bool
) -> _Diagnosis | None:
    if connected is not None and (complaint := _complaint(connected)):
        return complaint
    if connected is not None and connected.connection_state.casefold() in _WELL:
        return None
    if runtime is None:
        return None
    return _of_home(runtime) or _of_pod(runtime) or _of_log(runtime, token) or (_of_start(runtime) if last else None)


def _complaint(connected: ConnectedRegistry) -> _Diagnosis | None:
    """What the runtime itself reports to Azure (Azure/acr: connected-registry-error-codes)."""
    if not connected.status_details:
        return None
    newest_first = connected.status_details[::-1]
    gravest = next((detail for detail in newest_first if detail.is_of_disk), newest_first[0])
    facts = {"code": gravest.code, "message": gravest.description}
    return _Diagnosis(Cause.DISK_ERROR if gravest.is_of_disk else Cause.UNHEALTHY, facts)


def _of_home(runtime: Runtime) -> _Diagnosis | None:
    """What ends the namespace or the volume, whether the Pod runs or not."""
    if runtime.namespace_phase == "Terminating":
        cause = Cause.NAMESPACE_HELD if runtime.namespace_message else Cause.NAMESPACE_TERMINATING
        return _Diagnosis(cause, {"namespace": "connected-registry", "message": runtime.namespace_message})
    return _Diagnosis(_VANISHING[runtime.volume_phase]) if runtime.volume_phase in _VANISHING else None


def _of_pod(runtime: Runtime) -> _Diagnosis | None:
    """What keeps the Pod from running. A claim that is Pending is no sign alone: many classes wait for a Pod."""
    if runtime.pod_phase == "Running" and not runtime.waiting_reason:
        return None
    if runtime.pod_phase == "Failed" and runtime.waiting_reason:
        cause = Cause.NODE_CONDITION if runtime.waiting_reason in _ENDED_BY_NODE else Cause.UNSCHEDULABLE
        return _Diagnosis(cause, {"message": f"{runtime.waiting_reason}: {runtime.pod_message}"})
    if runtime.waiting_reason in PULL_REASONS:
        return _of_pull(runtime)
    if runtime.waiting_reason in START_REASONS:
        return _of_start(runtime)
    if runtime.ended_reason == "OOMKilled":
        return _Diagnosis(Cause.OUT_OF_MEMORY, {"restarts": runtime.restarts})
    return _of_events(runtime)


def _of_pull(runtime: Runtime) -> _Diagnosis:
    # The events after the node's own words only say that it waits for its next try.
    telling = tuple(filter(_PULL_FAILED.search, runtime.warnings))
    message = _last(telling) or _last(runtime.warnings)
    cause = Cause.PULL_THROTTLED if _THROTTLED_PULL.search(message) else Cause.IMAGE_PULL
    return _Diagnosis(cause, {"message": message})


def _of_events(runtime: Runtime) -> _Diagnosis | None:
    """What warnings say of a Pod that does not run: the newest one that still holds."""
    unschedulable = runtime.waiting_reason == "Unschedulable"
    # Events outlive what they tell of, and some are of the namespace's other Pods.
    stale: Mapping[Cause | EngineCause, bool] = {
        Cause.STORAGE_PENDING: runtime.volume_phase == "Bound",
        Cause.VOLUME_LOST: runtime.volume_phase == "Pending",
        Cause.VOLUME_DELETED: bool(runtime.volume_phase),
        Cause.POD_SECURITY: bool(runtime.pod_phase),
        Cause.NO_AMD64_NODE: not unschedulable,
        Cause.NODE_CONDITION: not (unschedulable or runtime.pod_phase == "Failed"),
        Cause.VOLUME_ELSEWHERE: not unschedulable,
        Cause.PODS_REFUSED: bool(runtime.pod_phase),
    }
    for warning in reversed(runtime.warnings):
        diagnosis = _read(_WARNINGS, (warning,))
        if diagnosis is not None and not stale.get(diagnosis.cause):
            return diagnosis
    if not unschedulable:
        return None
    message = _last(runtime.warnings)
    if runtime.unfit_nodes and _TAINTED.search(message):
        return _Diagnosis(Cause.NODE_CONDITION, {"message": f"{message} {', '.join(runtime.unfit_nodes)}"})
    return _Diagnosis(Cause.UNSCHEDULABLE, {"message": message})


def _of_start(runtime: Runtime) -> _Diagnosis | None:
    """A Pod that has a node and does not run there: a volume, a Secret, the network or the container runtime."""
    # The phase of a Pod on a node that is gone is unknown.
    if runtime.pod_phase in {"Running", "Unknown"} and not runtime.waiting_reason:
        return None if runtime.deployment_available else _of_unready(runtime)
    is_slow = runtime.waiting_reason not in START_REASONS and not runtime.warnings
    if runtime.waiting_reason in {"", "CrashLoopBackOff"} or is_slow:
        return None
    return _Diagnosis(Cause.POD_NOT_STARTED, {"reason": runtime.waiting_reason, "message": _last(runtime.warnings)})


def _of_unready(runtime: Runtime) -> _Diagnosis | None:
    """A Pod that runs and is not ready; between two ends of its container it looks like any other."""
    if runtime.restarts and runtime.ended_reason == "OOMKilled":
        return _Diagnosis(Cause.OUT_OF_MEMORY, {"restarts": runtime.restarts})
    message = _last(tuple(filter(_UNREADY.search, runtime.warnings)))
    return _Diagnosis(Cause.POD_NOT_READY, {"message": message}) if message else None


def _of_log(runtime: Runtime, token: Token | None) -> _Diagnosis | None:
    """The newest telling line; the log before the last restart where the new one says nothing yet."""
    for log in (runtime.log, runtime.previous_log):
        diagnosis = _read(_LOG, reversed(log.splitlines()))
        if diagnosis is None:
            continue
        if diagnosis.cause is Cause.BAD_PASSWORD and token is not None and not token.enabled:
            return _Diagnosis(Cause.TOKEN_DISABLED, {**diagnosis.facts, "token": token.name})
        return diagnosis
    return None


def _of_extension(
    extension: Extension | None, texts: list[str], runtime: Runtime | None, connected: ConnectedRegistry | None
) -> _Diagnosis | None:
    """What the extension says of itself; that somebody gave up waiting says less than the Pod that kept crashing."""
    if extension is None or extension.provisioning_state not in {"Failed", "Canceled"}:
        return None
    if gave_up := _read(_GAVE_UP, texts):
        return _of_crash(runtime, connected) or gave_up
    if texts:
        return _Diagnosis(Cause.INSTALLATION_FAILED, {"message": _short(texts[0])})
    return _of_crash(runtime, connected) or _Diagnosis(Cause.SILENT_FAILURE)


def _of_error(error: DomainError | None) -> _Diagnosis | None:
    if error is None:
        return None
    cause = Cause.PROVIDER_MISSING if isinstance(error, ProviderNotRegistered) else cause_of(error)
    return _Diagnosis(cause, facts_of(error))


def _of_crash(runtime: Runtime | None, connected: ConnectedRegistry | None) -> _Diagnosis | None:
    if runtime is None or runtime.waiting_reason != "CrashLoopBackOff":
        return None
    if connected is not None and connected.connection_state.casefold() in _WELL:
        return None
    probe = _last(tuple(filter(_PROBED.search, runtime.warnings)))
    if probe and runtime.exit_code in _BY_SIGNAL:
        return _Diagnosis(Cause.PROBE_FAILED, {"restarts": runtime.restarts, "message": probe})
    lines = (runtime.previous_log or runtime.log).strip().splitlines()
    message = _short(_last(lines) or runtime.ended_message)
    facts = {"restarts": runtime.restarts, "message": message, "exit_code": runtime.exit_code}
    return _Diagnosis(Cause.CRASHING if message else Cause.CRASHING_SILENTLY, facts)


def _texts(extension: Extension | None, error: DomainError | None) -> list[str]:
    """All texts that Azure gives, the error's own last."""
    problems = [problem.message for problem in extension.problems if problem.message] if extension else []
    return problems + ([error.message] if isinstance(error, Foreign) and error.message else [])


def _read(signs: Iterable[_Sign], texts: Iterable[str]) -> _Diagnosis | None:
    for text in texts:
        for sign in signs:
            if match := sign.words.search(text):
                facts = {key: value for key, value in match.groupdict().items() if value}
                return _Diagnosis(sign.cause, {"message": _short(text), **facts})
    return None


def _context(
    extension: Extension | None,
    runtime: Runtime | None,
    connected: ConnectedRegistry | None,
    error: DomainError | None,
) -> dict[str, object]:
    """Facts that sentences of several causes use; empty where unknown."""
    settings = extension.settings if extension else {}
    return {
        **facts_of(error),
        "extension": extension.name if extension else "",
        "state": extension.provisioning_state if extension else "",
        "address": settings.get("service.clusterIP", ""),
        "storage_class": (runtime.volume_class if runtime else "") or settings.get("pvc.storageClassName", ""),
        "name": connected.name if connected else "",
        "ranges": "",
    }


def _last(lines: Iterable[str]) -> str:
    return next(iter(reversed(tuple(lines))), "")


def _short(text: str) -> str:
    """As much as fits on a card, and no word in part."""
    text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rpartition(' ')[0]} …"
