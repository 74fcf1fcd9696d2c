"""What to do about an incident, by its reason. Pure."""

from collections.abc import Mapping

from handlers.kit.language import phrase, t
from handlers.kit.text import code
from services.model.health import HealthReason
from services.model.incident import Incident
from services.policy.sites import RUNTIME_NAMESPACE

_RUNS = phrase("{look} shows whether it runs in its cluster, and why not.")
_EDGE = phrase(
    "See whether the edge has power and a way to Azure. {look} shows whether it runs in its cluster, and why not."
)
_MAKE_ROOM = phrase(
    "Make room on the volume of the connected registry, or enlarge it. On its cluster, {volumes} shows the volume."
)
_READ_LOG = phrase(
    "See whether the repositories that it may sync are still in the cloud registry, and read its log on its cluster:"
    " {log}."
)
_REASONS: Mapping[HealthReason, str] = {
    HealthReason.CLUSTER_OFFLINE: phrase(
        "See whether the cluster has power and a way to Azure. On it, {agents} shows whether the Arc agents run."
    ),
    HealthReason.CLUSTER_EXPIRED: phrase(
        "Connect the cluster to Arc again. Plan for it: what was installed by Arc extensions has to be deployed again."
    ),
    HealthReason.EXTENSION_FAILED: phrase("{look} says why the extension failed."),
    HealthReason.STATUS_DISK: _MAKE_ROOM,
    HealthReason.DISK_FILLING: _MAKE_ROOM,
    HealthReason.STATUS_DETAILS: _RUNS,
    HealthReason.STATUS_UNEXPLAINED: _RUNS,
    HealthReason.SYNC_FAILED: _READ_LOG,
    HealthReason.SYNC_NEVER: _READ_LOG,
    HealthReason.SCHEDULE_UNREADABLE: phrase("Set its synchronisation schedule to a cron expression of five fields."),
}
_LINES: Mapping[str, str] = {
    "agents": "kubectl get pods --namespace azure-arc",
    "volumes": f"kubectl get persistentvolumeclaims --namespace {RUNTIME_NAMESPACE}",
    "log": (
        f"kubectl logs --namespace {RUNTIME_NAMESPACE} --selector app.kubernetes.io/name=connected-registry --tail 100"
    ),
}
_UNREADABLE: Mapping[str, str] = {
    "NotAllowed": phrase("Grant the bot's identity the reading role at the cloud registry (deploy/azure)."),
    "NotAuthenticated": phrase("Have the bot's sign-in fixed: `check SITE` says why Azure rejects it."),
    "Absent": phrase("If it was deleted on purpose, take its sites out of the site file."),
    "SubscriptionUnknown": phrase("Check the subscription in the site file, and the role of the bot's identity there."),
    "ResourceGroupUnknown": phrase("Check the resource group in the site file."),
    "Throttled": phrase("Wait: the bot asks again when Azure allows it."),
    **dict.fromkeys(
        ("Unreachable", "Unreadable"),
        phrase("Wait: the bot keeps asking. If it lasts, see whether the bot's machine has a way to Azure."),
    ),
}
"""By the kind of error that a poll ended with."""


def of(incident: Incident) -> str:
    """A sentence or two, in mrkdwn."""
    if incident.reason == HealthReason.UNREADABLE:
        refused = phrase("`check SITE` says what Azure answers, and what helps.")
        return t(_UNREADABLE.get(str(incident.facts.get("error") or "Unreachable"), refused))
    name = incident.subject.rpartition("/")[2] if incident.kind == "registry" else "NAME"
    lines = {"look": f"extension show {name}", **_LINES}
    return t(_REASONS.get(incident.reason, _EDGE), **{gap: code(line) for gap, line in lines.items()})
