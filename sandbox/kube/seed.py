"""The objects of a cluster when it starts: its own, nodes, storage, Arc agents, and rights."""

import hashlib
import ipaddress
from typing import Any

from sandbox.kube import rights
from sandbox.kube.addresses import bounds
from sandbox.kube.cluster import Cluster
from sandbox.kube.resources import (
    CONFIG_MAPS,
    DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICE_CIDRS,
    SERVICES,
    STORAGE_CLASSES,
    Json,
)

ARC_AGENTS = {
    "cluster-metadata-operator": ("cluster-metadata-operator", "fluent-bit"),
    "clusterconnect-agent": ("clusterconnect-agent", "fluent-bit", "tunnel"),
    "clusteridentityoperator": ("manager", "fluent-bit"),
    "config-agent": ("config-agent", "fluent-bit"),
    "controller-manager": ("manager", "fluent-bit"),
    "extension-events-collector": ("extension-events-collector", "fluent-bit"),
    "extension-manager": ("manager", "fluent-bit"),
    "flux-logs-agent": ("flux-logs-agent",),
    "kube-aad-proxy": ("kube-aad-proxy", "fluent-bit"),
    "metrics-agent": ("metrics-agent", "fluent-bit"),
    "resource-sync-agent": ("resource-sync-agent", "fluent-bit"),
}
"""Deployment to container names, as the Arc agents' Helm chart installs them."""
CERT_MANAGER = ("cert-manager", "cert-manager-cainjector", "cert-manager-webhook")
CERT_MANAGER_KINDS = {
    "certificates": ("Certificate", "cert-manager.io", "Namespaced"),
    "certificaterequests": ("CertificateRequest", "cert-manager.io", "Namespaced"),
    "issuers": ("Issuer", "cert-manager.io", "Namespaced"),
    "clusterissuers": ("ClusterIssuer", "cert-manager.io", "Cluster"),
    "orders": ("Order", "acme.cert-manager.io", "Namespaced"),
    "challenges": ("Challenge", "acme.cert-manager.io", "Namespaced"),
}
ENVIRONMENTS = {
    "public": "AZUREPUBLICCLOUD",
    "china": "AZURECHINACLOUD",
    "us-government": "AZUREUSGOVERNMENTCLOUD",
}
"""Azure's clouds as the Arc agents call them."""
PROVISIONER = "rancher.io/local-path"


def seed(cluster: Cluster, world: dict[str, Any], arc: dict[str, str] | None = None) -> None:
    """Create all objects; `world` is the cluster's entry under `kube.clusters`, `arc` what its Arc agents know."""
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        namespace(cluster, name)
    for manifest in (*rights.BUILT_IN, *rights.BOT_CLUSTER, *rights.READER_CLUSTER):
        apply(cluster, manifest)
    apply_namespaced_rights(cluster, "default")
    _services(cluster)
    for at, node in enumerate(world.get("nodes") or []):
        _node(cluster, node, at)
    for storage_class in world.get("storage_classes") or []:
        annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if storage_class.get("default") else {}
        body = {
            "metadata": {"name": storage_class["name"], "annotations": annotations},
            "provisioner": storage_class.get("provisioner", PROVISIONER),
            "volumeBindingMode": storage_class.get("binding", "WaitForFirstConsumer"),
            "reclaimPolicy": "Delete",
        }
        cluster.create(STORAGE_CLASSES, "", body)
    if world.get("arc", True):
        _arc(cluster, arc or {})
    if world.get("cert_manager"):
        _cert_manager(cluster)


def arc_settings(azure: dict[str, Any], name: str) -> dict[str, str]:
    """What the Arc agents of a cluster know about its resource in Azure; nothing where the world has none."""
    for tenant in (azure, *azure.get("neighbours", ())):
        for entry in tenant.get("connected_clusters", ()):
            if entry.get("kube") == name:
                return {
                    "AZURE_TENANT_ID": str(tenant["tenant"]),
                    "AZURE_SUBSCRIPTION_ID": str(tenant["subscription"]["id"]),
                    "AZURE_RESOURCE_GROUP": entry["resource_group"],
                    "AZURE_RESOURCE_NAME": entry["name"],
                    "AZURE_REGION": entry.get("location", "westeurope"),
                    "AZURE_ENVIRONMENT": ENVIRONMENTS[azure.get("cloud", "public")],
                }
    return {}


def apply(cluster: Cluster, manifest: Json) -> Json | None:
    """Create an object from its manifest, unless it exists."""
    resource = cluster.catalogue.of_kind(manifest["apiVersion"], manifest["kind"])
    if resource is None:
        return None
    home = manifest["metadata"].get("namespace", "")
    existing = cluster.store.get(resource.key, home, manifest["metadata"]["name"])
    return existing or cluster.create(resource, home, manifest)


def apply_namespaced_rights(cluster: Cluster, name: str) -> None:
    """Create the operator's grants in a namespace when that namespace appears."""
    for manifest in rights.BOT_NAMESPACED.get(name, ()):
        apply(cluster, manifest)


def namespace(cluster: Cluster, name: str) -> None:
    """A namespace with its service account, so that Pods can be created in it at once."""
    if cluster.store.get(NAMESPACES.key, "", name) is None:
        cluster.create(NAMESPACES, "", {"metadata": {"name": name}})
        cluster.create(SERVICE_ACCOUNTS, name, {"metadata": {"name": "default"}})


def _services(cluster: Cluster) -> None:
    if cluster.knows_ranges:
        spec = {"cidrs": cluster.service_cidrs[:1]}
        cluster.create(SERVICE_CIDRS, "", {"metadata": {"name": "kubernetes"}, "spec": spec})
        for at, cidr in enumerate(cluster.service_cidrs[1:], 1):
            metadata = {"name": f"extra-{at}"}
            cluster.create(SERVICE_CIDRS, "", {"metadata": metadata, "spec": {"cidrs": [cidr]}})
    first, _ = bounds(ipaddress.ip_network(cluster.service_cidrs[0]))
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    body = {"metadata": {"name": "kubernetes", "labels": labels}, "spec": {"clusterIP": str(first), "ports": [port]}}
    cluster.create(SERVICES, "default", body)
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
    ]
    dns = {"clusterIP": str(first + 9), "ports": ports, "selector": {"k8s-app": "kube-dns"}}
    cluster.create(
        SERVICES, "kube-system", {"metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns"}}, "spec": dns}
    )
    labels = {"k8s-app": "kube-dns"}
    cluster.create(
        DEPLOYMENTS,
        "kube-system",
        _deployment("coredns", ("coredns",), "registry.k8s.io/coredns/coredns:v1.12.0", labels),
    )


def _node(cluster: Cluster, node: dict[str, Any], at: int) -> None:
    name, arch = node["name"], node.get("arch", "amd64")
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": arch,
    }
    if at == 0:
        labels |= {"node-role.kubernetes.io/control-plane": ""}
    metadata = {"name": name, "labels": labels | (node.get("labels") or {})}
    spec = {"podCIDR": f"10.244.{at}.0/24", "podCIDRs": [f"10.244.{at}.0/24"], "providerID": f"kind://podman/{name}"}
    if node.get("taints"):
        spec["taints"] = node["taints"]
    body = {"metadata": metadata, "spec": spec, "status": _node_status(cluster, name, arch, at)}
    cluster.create(NODES, "", body)


def _node_status(cluster: Cluster, name: str, arch: str, at: int) -> Json:
    quiet = ("MemoryPressure", "DiskPressure", "PIDPressure")
    now = cluster.now()
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    conditions = [
        {"type": kind, "status": "False", "reason": f"KubeletHasNo{kind}", "message": f"kubelet has no {kind}"} | times
        for kind in quiet
    ]
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    amount = {"cpu": "4", "memory": "8131224Ki", "pods": "110", "ephemeral-storage": "64Gi"}
    return {
        "addresses": [{"type": "InternalIP", "address": f"172.18.0.{at + 2}"}, {"type": "Hostname", "address": name}],
        "allocatable": amount,
        "capacity": amount,
        "conditions": [*conditions, ready | times],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [{"names": ["registry.k8s.io/pause:3.10"], "sizeBytes": 320448}],
        "nodeInfo": {
            "architecture": arch,
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "kernelVersion": "6.1.0-37-cloud",
            "containerRuntimeVersion": "containerd://2.1.3",
            "kubeletVersion": cluster.version,
            "kubeProxyVersion": cluster.version,
            "bootID": _hex(cluster, name, "boot"),
            "machineID": _hex(cluster, name, "machine"),
            "systemUUID": _hex(cluster, name, "system"),
        },
    }


def _hex(cluster: Cluster, *parts: str) -> str:
    return hashlib.sha256("/".join((cluster.name, *parts)).encode()).hexdigest()[:32]


def _arc(cluster: Cluster, settings: dict[str, str]) -> None:
    _definition(cluster, "extensionconfigs", "ExtensionConfig", "clusterconfig.azure.com", "v1beta1")
    _definition(cluster, "connectedclusters", "ConnectedCluster", "arc.azure.com", "v1beta1")
    home = rights.ARC_NAMESPACE
    namespace(cluster, home)
    apply_namespaced_rights(cluster, home)
    cluster.create(
        SECRETS, home, {"metadata": {"name": "azure-identity-certificate"}, "data": {"tls.crt": "", "tls.key": ""}}
    )
    config = {"AZURE_ENVIRONMENT": "AZUREPUBLICCLOUD", "AZURE_ARC_AGENT_VERSION": "1.29.3"} | settings
    cluster.create(CONFIG_MAPS, home, {"metadata": {"name": "azure-clusterconfig"}, "data": config})
    for name, containers in ARC_AGENTS.items():
        labels = {"app.kubernetes.io/component": name, "app.kubernetes.io/name": "azure-arc-k8s"}
        image = f"mcr.microsoft.com/azurearck8s/{name}:1.29.3"
        cluster.create(DEPLOYMENTS, home, _deployment(name, containers, image, labels))
    apply(
        cluster,
        {
            "apiVersion": "arc.azure.com/v1beta1",
            "kind": "ConnectedCluster",
            "metadata": {"name": "clustermetadata", "namespace": home},
            "spec": {"azureResourceName": cluster.name},
            "status": {"arcAgentVersion": "1.29.3", "kubernetesVersion": cluster.version},
        },
    )


def _cert_manager(cluster: Cluster) -> None:
    namespace(cluster, "cert-manager")
    for plural, (kind, group, scope) in CERT_MANAGER_KINDS.items():
        _definition(cluster, plural, kind, group, "v1", scope=scope)
    for name in CERT_MANAGER:
        labels = {"app.kubernetes.io/instance": "cert-manager", "app.kubernetes.io/name": name}
        image = f"quay.io/jetstack/{name.replace('cert-manager', 'cert-manager-controller', 1)}:v1.18.2"
        if name != "cert-manager":
            image = f"quay.io/jetstack/{name}:v1.18.2"
        cluster.create(DEPLOYMENTS, "cert-manager", _deployment(name, (name,), image, labels))


def _deployment(name: str, containers: tuple[str, ...], image: str, labels: dict[str, str]) -> Json:
    listed = [{"name": one, "image": image} for one in containers]
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": listed}},
        },
    }


def _definition(
    cluster: Cluster, plural: str, kind: str, group: str, version: str, *, scope: str = "Namespaced"
) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    served = {"name": version, "served": True, "storage": True, "schema": schema}
    if group.endswith("azure.com"):
        served["subresources"] = {"status": {}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    body = {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": [served]},
    }
    cluster.create(DEFINITIONS, "", body)
