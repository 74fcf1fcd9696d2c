"""Failures on demand at the edge, besides those that follow from the state of the world.

Each is an entry of the catalogue of failures that operators of connected registries meet; the texts are those that
Helm, the API server and the Arc agents give.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class InstallationError(Exception):
    """An installation that ends as Failed, with the report for Azure."""

    message: str
    code: str = "ExtensionCreationFailed"
    statuses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def report(self) -> dict[str, Any]:
        """`error` and `statuses` of the status report; a failure without a text has neither."""
        if not self.message:
            return {"statuses": []}
        return {"error": {"code": self.code, "message": self.message}, "statuses": self.statuses}


def helm_failure(release: str, text: str) -> InstallationError:
    """The extension manager's report of an error of Helm: in a frame, with general advice, and the cause innermost."""
    message = (
        "The extension operation failed with the following error:  Error: [ InnerError: [Helm installation failed : "
        "Unable to create/update Kubernetes resources for the extension : Recommendation Please check that there are "
        "no policies blocking the resource creation/update for the extension : "
        f"InnerError [release {release} failed: {text}]]] occurred while doing the operation : [Create] on the config, "
        "For general troubleshooting visit: https://aka.ms/k8s-extensions-TSG"
    )
    status = {"code": "InstallationFailed", "displayStatus": "Failed", "level": "Error", "message": message}
    return InstallationError(message, "ExtensionOperationFailed", [status])


NAME_IN_USE = "cannot re-use a name that is still in use"
CHART_NOT_FOUND = "chart path not found"
STATUS_NOT_POPULATED = (
    " error: Unable to get the status from the local CRD with the error : "
    "{Error : Retry for given duration didn't get any results with err {status not populated}}"
)

INSTALL = frozenset(
    {
        "service-ip-taken",
        "cert-manager-present",
        "name-in-use",
        "namespace-terminating",
        "chart-not-found",
        "crd-status-not-populated",
        "crd-write-race",
        "silent-failure",
        "webhook-untrusted",
        "release-busy",
        "quota-exceeded",
    }
)
"""Scenarios that end an installation as Failed."""
RUNTIME = frozenset(
    {
        "storage-class-missing",
        "bad-password",
        "already-activated",
        "firewall",
        "proxy",
        "disk-full",
        "partial-index",
        "token-disabled",
        "trust-missing",
        "out-of-memory",
        "crash-without-log",
        "pull-throttled",
        "node-pressure",
    }
)
"""Scenarios that affect an extension after its installation."""
NAMES = INSTALL | RUNTIME


def installation_error(scenario: str, release: str, namespace: str, address: str) -> InstallationError:
    """How an installation fails under one of the `INSTALL` scenarios."""
    if scenario == "crd-status-not-populated":
        return InstallationError(STATUS_NOT_POPULATED)
    if scenario == "silent-failure":
        return InstallationError("")
    return helm_failure(release, _helm_text(scenario, release, namespace, address))


def _helm_text(scenario: str, release: str, namespace: str, address: str) -> str:
    texts = {
        "service-ip-taken": address_in_use(address),
        "cert-manager-present": conflict(
            "CustomResourceDefinition", "certificaterequests.cert-manager.io", "", release, namespace
        ),
        "name-in-use": NAME_IN_USE,
        "namespace-terminating": f'failed to create resource: secrets "sh.helm.release.v1.{release}.v1" is forbidden: '
        f"unable to create new content in namespace {namespace} because it is being terminated",
        "chart-not-found": CHART_NOT_FOUND,
        # cert-manager.io/docs: troubleshooting, webhook; the frame is the API server's.
        "webhook-untrusted": "failed to create resource: Internal error occurred: failed calling webhook "
        '"webhook.cert-manager.io": failed to call webhook: Post '
        '"https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s": tls: failed to verify certificate: '
        "x509: certificate signed by unknown authority",
        "release-busy": "another operation (install/upgrade/rollback) is in progress",
        "quota-exceeded": 'failed to create resource: persistentvolumeclaims "connected-registry-pvc" is forbidden: '
        "exceeded quota: claims, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=2, limited: "
        "persistentvolumeclaims=2",
        "crd-write-race": f'Operation cannot be fulfilled on extensionconfigs.clusterconfig.azure.com "{release}": '
        "the object has been modified; please apply your changes to the latest version and try again",
    }
    return texts[scenario]


def address_in_use(address: str) -> str:
    """The API server's refusal of a Service address that is in use, in the words of Helm."""
    return (
        'failed to create resource: Service "connected-registry" is invalid: spec.clusterIPs: Invalid value: '
        f'["{address}"]: failed to allocate IP {address}: provided IP is already allocated'
    )


def conflict(kind: str, name: str, namespace: str, release: str, release_namespace: str) -> str:
    """Helm's refusal to adopt an object that it didn't create."""
    return (
        "rendered manifests contain a resource that already exists. Unable to continue with install: "
        f'{kind} "{name}" in namespace "{namespace}" exists and cannot be imported into the current release: '
        'invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set '
        f'to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "{release}"; '
        f'annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to '
        f'"{release_namespace}"'
    )
