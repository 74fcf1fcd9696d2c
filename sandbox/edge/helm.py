"""Helm: installs and removes a release. A refusal of the cluster ends the installation."""

from typing import Any

from sandbox.edge import chart, scenarios
from sandbox.edge.cloud import Extension
from sandbox.edge.cluster import Cluster, RefusedError
from sandbox.edge.scenarios import InstallationError, helm_failure

Object = dict[str, Any]
OWNER = "meta.helm.sh/release-name"
MISSING_CLASS = "missing-storage-class"
CONFLICT = 409


async def install(cluster: Cluster, extension: Extension, scenario: str | None) -> None:
    """Create or update the chart's objects.

    Objects that were created before a failure stay, as with Helm.

    Raises:
        InstallationError: with the report for Azure.
    """
    address = extension.settings.get("service.clusterIP", "")
    if scenario in scenarios.INSTALL:
        raise scenarios.installation_error(scenario or "", extension.name, extension.namespace, address)
    if extension.version and extension.version not in chart.VERSIONS:
        raise helm_failure(extension.name, scenarios.CHART_NOT_FOUND)
    for key, value in (
        ("connectionString", extension.protected.get("connectionString")),
        ("service.clusterIP", extension.settings.get("service.clusterIP")),
    ):
        if not value:
            text = f"execution error at (connected-registry-arc-extension/templates/validate.yaml): {key} is required"
            raise helm_failure(extension.name, text)
    try:
        # Create the namespace and Helm's own record. A record of the same name that Arc didn't write means that
        # somebody else's release has the name.
        if await cluster.find("Namespace", extension.namespace) is None:
            await cluster.create(chart.namespace(extension.namespace))
        record = chart.release_secret(extension)
        secret = await cluster.find("Secret", record["metadata"]["name"], extension.namespace)
        if secret is None:
            await cluster.create(record)
        elif _owner(secret) != extension.name:
            raise helm_failure(extension.name, scenarios.NAME_IN_USE)
        for manifest in await _cert_manager(cluster, extension) + _manifests(extension, scenario):
            await _apply(cluster, extension, manifest)
    except RefusedError as error:
        raise helm_failure(extension.name, f"failed to create resource: {error.message}") from error


async def uninstall(cluster: Cluster, extension: Extension) -> None:
    """Remove a release with its namespace and its objects outside of it, if it exists."""
    for manifest in reversed([*chart.cert_manager(extension), *chart.connected_registry(extension)]):
        meta = manifest["metadata"]
        current = await cluster.find(manifest["kind"], meta["name"], meta.get("namespace", ""))
        if current and _owner(current) == extension.name:
            await cluster.delete(manifest["kind"], meta["name"], meta.get("namespace", ""))
    secret = chart.release_secret(extension)["metadata"]["name"]
    if await cluster.find("Secret", secret, extension.namespace):
        await cluster.delete("Secret", secret, extension.namespace)
        await cluster.delete("Namespace", extension.namespace)


async def _cert_manager(cluster: Cluster, extension: Extension) -> list[Object]:
    enabled = chart.flag(extension.settings, "cert-manager.enabled", default=True)
    own = chart.flag(extension.settings, "cert-manager.install", default=True)
    if not enabled:
        return []
    kinds = [manifest for manifest in chart.cert_manager(extension) if manifest["kind"] == "CustomResourceDefinition"]
    existing = await cluster.find("CustomResourceDefinition", kinds[0]["metadata"]["name"])
    if own and existing is None and (namespace := await cluster.find("Namespace", "cert-manager")):
        existing, kinds = namespace, [namespace]
    if own and existing is not None and _owner(existing) != extension.name:
        kind, name = kinds[0].get("kind", "Namespace"), kinds[0]["metadata"]["name"]
        text = scenarios.conflict(kind, name, "", extension.name, extension.namespace)
        raise helm_failure(extension.name, text)
    if not own and existing is None:
        text = (
            "unable to build kubernetes objects from release manifest: resource mapping not found for name: "
            f'"connected-registry-tls" namespace: "{extension.namespace}" from "": no matches for kind "Certificate" '
            'in version "cert-manager.io/v1" ensure CRDs are installed first'
        )
        raise helm_failure(extension.name, text)
    return chart.cert_manager(extension) if own else []


def _manifests(extension: Extension, scenario: str | None) -> list[Object]:
    manifests = chart.connected_registry(extension)
    if scenario == "storage-class-missing":
        next(item for item in manifests if item["kind"] == "PersistentVolumeClaim")["spec"]["storageClassName"] = (
            MISSING_CLASS
        )
    return manifests


async def _apply(cluster: Cluster, extension: Extension, manifest: Object) -> None:
    """Read before creating, as Helm does: with an address in use, a create doesn't reveal that the name exists."""
    kind, name, namespace = manifest["kind"], manifest["metadata"]["name"], manifest["metadata"].get("namespace", "")
    current = await cluster.find(kind, name, namespace)
    if current is None:
        await cluster.create(manifest)
    elif _owner(current) == extension.name:
        await cluster.patch(kind, name, namespace, _changes(manifest))
    else:
        text = scenarios.conflict(kind, name, namespace, extension.name, extension.namespace)
        raise helm_failure(extension.name, text)


def _changes(manifest: Object) -> Object:
    """The body of an upgrade's patch; for a claim only what may change, as an unset class clashes with the default."""
    if manifest["kind"] != "PersistentVolumeClaim" or "storageClassName" in manifest["spec"]:
        return {key: manifest[key] for key in ("spec", "data", "stringData") if key in manifest}
    return {"spec": {"resources": manifest["spec"]["resources"]}}


def _owner(obj: Object) -> str | None:
    owner: str | None = (obj["metadata"].get("annotations") or {}).get(OWNER)
    return owner


__all__ = ["InstallationError", "install", "uninstall"]
