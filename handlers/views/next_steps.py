"""What to do about an incident, by its reason. Pure."""

from collections.abc import Mapping

from handlers.kit.text import code
from services.model.health import HealthReason
from services.model.incident import Incident
from services.policy.sites import RUNTIME_NAMESPACE

_LOOK = "{look} shows whether it runs in its cluster, and why not."
_EDGE = f"See whether the edge has power and a way to Azure. {_LOOK}"
_LOG = f"kubectl logs --namespace {RUNTIME_NAMESPACE} --selector app.kubernetes.io/name=connected-registry --tail 100"
_READ_LOG = (
    "See whether the repositories that it may sync are still in the cloud registry, and read its log on its cluster:"
    f" {code(_LOG)}."
)
_REASONS: Mapping[HealthReason, str] = {
    HealthReason.CLUSTER_OFFLINE: (
        "See whether the cluster has power and a way to Azure."
        f" On it, {code('kubectl get pods --namespace azure-arc')} shows whether the Arc agents run."
    ),
    HealthReason.CLUSTER_EXPIRED: (
        "Connect the cluster to Arc again. Plan for it: what was installed by Arc extensions has to be deployed again."
    ),
    HealthReason.EXTENSION_FAILED: ("{look} says why the extension failed."),
    HealthReason.STATUS_DISK: (
        "Make room on the volume of the connected registry, or enlarge it. On its cluster,"
        f" {code(f'kubectl get persistentvolumeclaims --namespace {RUNTIME_NAMESPACE}')} shows the volume."
    ),
    HealthReason.STATUS_DETAILS: _LOOK,
    HealthReason.STATUS_UNEXPLAINED: _LOOK,
    HealthReason.SYNC_FAILED: _READ_LOG,
    HealthReason.SYNC_NEVER: _READ_LOG,
    HealthReason.SCHEDULE_UNREADABLE: "Set its synchronisation schedule to a cron expression of five fields.",
}
_UNREADABLE: Mapping[str, str] = {
    "NotAllowed": "Grant the bot's identity the reading role at the cloud registry (deploy/azure).",
    "NotAuthenticated": "Renew the credentials of the bot's identity.",
    "Absent": "If it was deleted on purpose, take its sites out of the site file.",
    "SubscriptionUnknown": "Check the subscription in the site file, and the role of the bot's identity there.",
    "ResourceGroupUnknown": "Check the resource group in the site file.",
    "Throttled": "Wait: the bot asks again when Azure allows it.",
}
"""By the kind of error that a poll ended with."""


def of(incident: Incident) -> str:
    """A sentence or two, in mrkdwn."""
    if incident.reason == HealthReason.UNREADABLE:
        waiting = "Wait: the bot keeps asking. If it lasts, see whether the bot's machine has a way to Azure."
        return _UNREADABLE.get(str(incident.facts.get("error")), waiting)
    name = incident.subject.rpartition("/")[2] if incident.kind == "registry" else "NAME"
    return _REASONS.get(incident.reason, _EDGE).format(look=code(f"extension show {name}"))
