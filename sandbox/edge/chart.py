"""The manifests that Helm renders: the connected registry's chart and the Arc agents'. Pure functions."""

import hashlib
from typing import Any

from sandbox.edge.cloud import Extension

Object = dict[str, Any]

KUBELET = "sandbox.local/kubelet"
LOG, PREVIOUS_LOG = "sandbox.local/log", "sandbox.local/previous-log"
INSTANCE, CONTENT = "sandbox.local/instance", "sandbox.local/content"
GENERATION = "sandbox.local/generation"
EDGE = {KUBELET: "edge"}
"""The annotation of Pods that the edge agent runs as their kubelet."""

APP = "app.kubernetes.io/name"
REGISTRY, CLAIM, TRUST = "connected-registry", "connected-registry-pvc", "connected-registry-trust-distribution"
CONNECTION_SECRET = "connected-registry-secret"  # noqa: S105 - its name, not its content
CERTIFICATE_SECRET = "connected-registry-tls"  # noqa: S105 - likewise
ARC, ARC_RELEASE = "azure-arc", "1.31.3"
ARC_AGENTS = (
    "config-agent",
    "extension-manager",
    "controller-manager",
    "clusteridentityoperator",
    "resource-sync-agent",
    "cluster-metadata-operator",
    "metrics-agent",
    "kube-aad-proxy",
    "clusterconnect-agent",
    "flux-logs-agent",
    "extension-events-collector",
)
CERT_MANAGER = ("cert-manager", "cert-manager-cainjector", "cert-manager-webhook")
CERT_MANAGER_KINDS = ("CertificateRequest", "Certificate", "ClusterIssuer", "Issuer")
VERSIONS = ("0.8.0", "0.9.0", "0.10.0", "0.11.0")
"""The chart versions that exist."""
IMAGE_HOST = "mcr.microsoft.com"


def version(extension: Extension) -> str:
    """The chart version that an extension gets: the pinned one or the newest."""
    return extension.version or VERSIONS[-1]


def connected_registry(extension: Extension) -> list[Object]:
    """The chart's objects in the order in which Helm creates them, without cert-manager's."""
    settings = extension.settings
    manifests = [connection_secret(extension), claim(extension), service(extension)]
    if "tls.crt" in extension.protected:
        manifests.append(certificate_secret(extension))
    if flag(settings, "trustDistribution.enabled", default=True):
        manifests.append(trust(extension))
    return [*manifests, runtime(extension)]


def flag(settings: dict[str, str], key: str, *, default: bool) -> bool:
    """A setting that is true or false, written in any case."""
    return settings.get(key, str(default)).strip().lower() == "true"


def connection_secret(extension: Extension) -> Object:
    """The Secret with the connection string, exactly as it was given."""
    data = {"ACR_REGISTRY_CONNECTION_STRING": extension.protected.get("connectionString", "")}
    return {**_owned(extension, "v1", "Secret", CONNECTION_SECRET), "type": "Opaque", "stringData": data}


def certificate_secret(extension: Extension) -> Object:
    """The Secret with a certificate of one's own, in base64 as given (Learn: tutorial-connected-registry-arc)."""
    keys = {"tls.crt": "tls.crt", "tls.key": "tls.key", "tls.cacrt": "ca.crt"}
    data = {name: extension.protected[key] for key, name in keys.items() if key in extension.protected}
    return {**_owned(extension, "v1", "Secret", CERTIFICATE_SECRET), "type": "kubernetes.io/tls", "data": data}


def claim(extension: Extension) -> Object:
    """The claim for the volume; the cluster's default class unless the settings name one."""
    request = extension.settings.get("pvc.storageRequest") or "500Gi"
    spec: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": request}}}
    if storage_class := extension.settings.get("pvc.storageClassName"):
        spec["storageClassName"] = storage_class
    return {**_owned(extension, "v1", "PersistentVolumeClaim", CLAIM), "spec": spec}


def service(extension: Extension) -> Object:
    """The Service at the address that images are pulled from."""
    plain = flag(extension.settings, "httpEnabled", default=False)
    port = (
        {"name": "http", "port": 80, "targetPort": 8080}
        if plain
        else {"name": "https", "port": 443, "targetPort": 8443}
    )
    spec: Object = {
        "type": extension.settings.get("service.type") or "ClusterIP",
        "clusterIP": extension.settings.get("service.clusterIP", ""),
        "selector": {APP: REGISTRY},
        "ports": [{**port, "protocol": "TCP"}],
    }
    return {**_owned(extension, "v1", "Service", REGISTRY), "spec": spec}


def trust(extension: Extension) -> Object:
    """The DaemonSet that makes each node's containerd trust the registry."""
    pod = _pod(TRUST, f"{IMAGE_HOST}/acr/connected-registry/trust-distribution:{version(extension)}")
    if flag(extension.settings, "trustDistribution.useNodeSelector", default=False):
        pod["spec"]["nodeSelector"] = {"containerd-configured-by": "connected-registry"}
    spec = {"selector": {"matchLabels": {APP: TRUST}}, "template": pod}
    return {**_owned(extension, "apps/v1", "DaemonSet", TRUST), "spec": spec}


def runtime(extension: Extension) -> Object:
    """The Deployment of the registry itself: one replica, on a linux/amd64 node, never two on one volume."""
    pod = _pod(REGISTRY, f"{IMAGE_HOST}/acr/connected-registry:{version(extension)}")
    settings = repr((sorted(extension.settings.items()), sorted(extension.protected.items()), version(extension)))
    pod["metadata"]["annotations"]["checksum/config"] = hashlib.sha256(settings.encode()).hexdigest()[:16]
    pod["spec"]["nodeSelector"] = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM}}]
    container = pod["spec"]["containers"][0]
    container["volumeMounts"] = [{"name": "data", "mountPath": "/var/acr/data"}]
    container["envFrom"] = [{"secretRef": {"name": CONNECTION_SECRET}}]
    return _deployment(extension, REGISTRY, pod)


def cert_manager(extension: Extension) -> list[Object]:
    """The objects of the cert-manager subchart."""
    kinds = [_cert_manager_kind(extension, kind) for kind in CERT_MANAGER_KINDS]
    image = IMAGE_HOST + "/azurearck8s/{}:1.16.2"
    return [*kinds, *(_deployment(extension, name, _pod(name, image.format(name))) for name in CERT_MANAGER)]


def release_secret(extension: Extension) -> Object:
    """Helm's own record of a release, which reserves its name."""
    secret = _owned(extension, "v1", "Secret", f"sh.helm.release.v1.{extension.name}.v1")
    secret["metadata"]["labels"] |= {"owner": "helm", "name": extension.name, "status": "deployed", "version": "1"}
    return {**secret, "type": "helm.sh/release.v1", "stringData": {"release": version(extension)}}


def namespace(name: str) -> Object:
    """A namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
    }


def extension_config(extension: Extension) -> Object:
    """The Arc agents' object for an extension; protected settings aren't in it."""
    return {
        "apiVersion": "clusterconfig.azure.com/v1beta1",
        "kind": "ExtensionConfig",
        "metadata": {
            "name": extension.name,
            "namespace": ARC,
            "annotations": {GENERATION: str(extension.generation)},
        },
        "spec": {
            "extensionType": extension.type,
            "version": extension.version,
            "releaseTrain": extension.train,
            "autoUpgradeMinorVersion": extension.version is None,
            "parameter": extension.settings,
            "releaseNamespace": extension.namespace,
            "installationType": "Helm",
        },
    }


def arc_agents() -> list[Object]:
    """The relevant part of what `az connectedk8s connect` creates in a cluster."""
    identity = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "azure-identity-certificate", "namespace": ARC},
        "type": "Opaque",
        "stringData": {"expiry": "in the sandbox: never"},
    }
    release = Extension(name=ARC, type="", generation=1, namespace=ARC)
    image = IMAGE_HOST + "/azurearck8s/{}:" + ARC_RELEASE
    kinds = [
        _kind("clusterconfig.azure.com", "v1beta1", "ExtensionConfig", "extensionconfigs", "Namespaced"),
        _kind("arc.azure.com", "v1beta1", "ConnectedCluster", "connectedclusters", "Namespaced"),
    ]
    agents = [_deployment(release, name, _pod(name, image.format(name))) for name in ARC_AGENTS]
    return [namespace(ARC), *kinds, identity, *agents]


def _cert_manager_kind(extension: Extension, kind: str) -> Object:
    scope = "Cluster" if kind.startswith("Cluster") else "Namespaced"
    definition = _kind("cert-manager.io", "v1", kind, kind.lower() + "s", scope)
    definition["metadata"] |= {key: value for key, value in _meta(extension).items() if key != "namespace"}
    return definition


def _kind(group: str, version: str, kind: str, plural: str, scope: str) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    if group != "cert-manager.io":
        served["subresources"] = {"status": {}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": scope, "versions": [served]},
    }


def _owned(extension: Extension, api: str, kind: str, name: str) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **_meta(extension)}}


def _meta(extension: Extension) -> Object:
    owner = {"meta.helm.sh/release-name": extension.name, "meta.helm.sh/release-namespace": extension.namespace}
    return {
        "namespace": extension.namespace,
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": owner,
    }


def _deployment(extension: Extension, name: str, pod: Object) -> Object:
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {APP: name}}, "template": pod}
    deployment = _owned(extension, "apps/v1", "Deployment", name)
    deployment["metadata"]["labels"][APP] = name
    return {**deployment, "spec": spec}


def _pod(name: str, image: str) -> Object:
    return {
        "metadata": {"labels": {APP: name}, "annotations": dict(EDGE)},
        "spec": {"containers": [{"name": name, "image": image}]},
    }
