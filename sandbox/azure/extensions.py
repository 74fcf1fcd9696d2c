"""Arc-connected clusters, AKS clusters, and Microsoft.KubernetesConfiguration extensions.

ARM only stores what an extension should be; the cluster's agent fetches it and reports the outcome.
"""

import re
import uuid
from datetime import timedelta
from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import Answer, Call, ControlPlane, Router
from sandbox.azure.cloud import PROTECTED_SETTINGS_LIFE, Cloud, Cluster, Extension, Origin, stamp
from sandbox.azure.errors import ArmError, group_not_found, invalid, parent_not_found, resource_not_found
from sandbox.azure.operations import Operation
from sandbox.azure.shapes import ANY, Shape

GROUP = "/subscriptions/{subscription}/resourcegroups/{group}"
CLUSTERS = f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters"
CLUSTER = f"{CLUSTERS}/{{cluster}}"
EXTENSIONS = f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions"
EXTENSION = f"{EXTENSIONS}/{{extension}}"
MANAGED = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/{{cluster}}"
AGENT_TIME = 1.0
"""At immediate speed, the real seconds that a poll of an extension's operation is held while the agent works."""
CONNECTED_REGISTRY = "microsoft.containerregistry.connectedregistry"
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", re.IGNORECASE)
BODY: Shape = {
    "identity": {"type": str},
    "properties": {
        "extensionType": str,
        "autoUpgradeMinorVersion": bool,
        "releaseTrain": str,
        "version": str,
        "scope": {"cluster": {"releaseNamespace": str}, "namespace": {"targetNamespace": str}},
        "configurationSettings": {ANY: str},
        "configurationProtectedSettings": {ANY: str},
    },
}
CLUSTER_BODY: Shape = {
    "location": str,
    "tags": {ANY: str},
    "identity": {"type": str},
    "properties": {"agentPublicKeyCertificate": str, "distribution": str, "infrastructure": str},
}
READ = "Microsoft.Kubernetes/connectedClusters/read"
ACTION = "Microsoft.KubernetesConfiguration/extensions"


class Clusters:
    """Routes of connected clusters, and of AKS clusters, which are only read."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._cloud = plane.cloud

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind = versions.CONNECTED_CLUSTERS
        router.add("GET", CLUSTER, self._get, kind=kind, action=READ)
        router.add("GET", CLUSTERS, self._list, kind=kind, action=READ)
        write, delete = READ.replace("read", "write"), READ.replace("read", "delete")
        router.add("PUT", CLUSTER, self._put, kind=kind, action=write, body=CLUSTER_BODY)
        router.add("DELETE", CLUSTER, self._delete, kind=kind, action=delete)
        place = "/subscriptions/{subscription}/providers/Microsoft.Kubernetes/locations/{location}"
        read = "Microsoft.Kubernetes/locations/operationStatuses/read"
        for poll, word in ((self._plane.status, "operationStatuses"), (self._plane.result, "operationResults")):
            path = f"{place}/{word}/{{operation}}"
            router.add("GET", path, poll, kind=versions.CONNECTED_CLUSTER_OPERATIONS, action=read)
        path = "/subscriptions/{subscription}/providers/Microsoft.Kubernetes/connectedClusters"
        router.add("GET", path, self._list, kind=kind, action=READ)
        action = "Microsoft.ContainerService/managedClusters/read"
        router.add("GET", MANAGED, self._managed, kind=versions.MANAGED_CLUSTERS, action=action)

    def _get(self, call: Call) -> Answer:
        return Answer(200, self._body(find_cluster(self._cloud, call), call))

    def _put(self, call: Call) -> Answer:
        """A new cluster is Connecting until somebody says otherwise: no agent of this sandbox serves it."""
        group, name = call.names["group"], call.names["cluster"]
        if self._cloud.group(group) is None:
            raise group_not_found(group)
        existing = self._cloud.cluster(group, name)
        if existing is not None:
            return Answer(200, self._body(existing, call))
        if not call.properties.get("agentPublicKeyCertificate"):
            raise invalid("The property agentPublicKeyCertificate is missing.", code="ValidationFailed")
        location = versions.region(
            call.body.get("location"),
            self._cloud.environment.regions,
            code="LocationNotAvailableForResourceType",
            where="resource type 'Microsoft.Kubernetes/connectedClusters'. List of available regions for the resource "
            "type",
        )
        origin = Origin.now(call.principal.client_id, call.now)
        cluster = Cluster(name, group, location, str(uuid.uuid4()), call.now, origin, status="Connecting")
        self._cloud.clusters[group.lower(), name.lower()] = cluster
        operation = self._plane.begin("", call.path, lambda ended: ended.succeed(), "Accepted")
        headers = self._plane.watch(call, self._operation(location, "operationStatuses", operation))
        return Answer(201, self._body(cluster, call), headers)

    def _delete(self, call: Call) -> Answer:
        key = call.names["group"].lower(), call.names["cluster"].lower()
        cluster = self._cloud.clusters.get(key)
        if cluster is None:
            return Answer(204)

        def finish(operation: Operation) -> None:
            self._cloud.clusters.pop(key, None)
            operation.succeed()

        operation = self._plane.begin("", call.path, finish, "Deleting")
        return Answer(
            202, None, self._plane.fetch(call, self._operation(cluster.location, "operationResults", operation))
        )

    def _operation(self, location: str, word: str, operation: Operation) -> str:
        provider = f"/subscriptions/{self._cloud.subscription}/providers/Microsoft.Kubernetes"
        return f"{provider}/locations/{location}/{word}/{operation.id}"

    def _list(self, call: Call) -> Answer:
        group = call.names.get("group")
        if group is not None and self._cloud.group(group) is None:
            raise group_not_found(group)
        bodies = [
            self._body(cluster, call)
            for cluster in self._cloud.clusters.values()
            if group is None or cluster.group.lower() == group.lower()
        ]
        return Answer(200, {"value": bodies})

    def _body(self, cluster: Cluster, call: Call) -> dict[str, Any]:
        status = cluster.connectivity(call.now)
        return {
            "id": self._cloud.cluster_id(cluster),
            "name": cluster.name,
            "type": "microsoft.kubernetes/connectedclusters",
            "location": cluster.location,
            "tags": {},
            "identity": {
                "type": "SystemAssigned",
                "principalId": cluster.principal,
                "tenantId": self._cloud.tenant,
            },
            "systemData": cluster.origin.body(),
            "properties": {
                "provisioningState": "Succeeded",
                "connectivityStatus": status,
                "lastConnectivityTime": stamp(cluster.last_heard if status != "AgentNotInstalled" else None),
                "managedIdentityCertificateExpirationTime": stamp(cluster.origin.created_at + timedelta(days=90)),
                "agentPublicKeyCertificate": "",
                "agentVersion": cluster.agent_version,
                "kubernetesVersion": cluster.kubernetes_version,
                "totalNodeCount": cluster.nodes,
                "totalCoreCount": cluster.nodes * 4,
                "distribution": "generic",
                "infrastructure": "generic",
                "privateLinkState": "Disabled",
                "azureHybridBenefit": "NotApplicable",
            },
        }

    def _managed(self, call: Call) -> Answer:
        group, name = call.names["group"], call.names["cluster"]
        if self._cloud.group(group) is None:
            raise group_not_found(group)
        entry = self._cloud.managed_clusters.get((group.lower(), name.lower()))
        if entry is None:
            raise resource_not_found("Microsoft.ContainerService/managedClusters", name, group)
        identifier = (
            f"/subscriptions/{self._cloud.subscription}/resourceGroups/{entry['resource_group']}"
            f"/providers/Microsoft.ContainerService/managedClusters/{entry['name']}"
        )
        properties = {
            "provisioningState": "Succeeded",
            "powerState": {"code": "Running"},
            "kubernetesVersion": entry.get("version", "1.33"),
            "networkProfile": {
                "networkPlugin": "azure",
                "serviceCidr": entry.get("service_cidr", "10.0.0.0/16"),
                "dnsServiceIP": entry.get("dns_service_ip", "10.0.0.10"),
            },
            "oidcIssuerProfile": {"enabled": bool(entry.get("oidc", False))},
        }
        return Answer(
            200,
            {
                "id": identifier,
                "name": entry["name"],
                "type": "Microsoft.ContainerService/ManagedClusters",
                "location": entry.get("location", "westeurope"),
                "properties": properties,
            },
        )


def find_cluster(cloud: Cloud, call: Call, *, child: str | None = None) -> Cluster:
    """The connected cluster of a route, or the 404 that ARM answers, for itself or for what lies below it (`child`)."""
    group, name = call.names["group"], call.names["cluster"]
    if cloud.group(group) is None:
        raise group_not_found(group)
    cluster = cloud.cluster(group, name)
    if cluster is not None:
        return cluster
    if child is None:
        raise resource_not_found("Microsoft.Kubernetes/connectedClusters", name, group)
    parent = (
        f"/subscriptions/{cloud.subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Kubernetes/connectedClusters/{name}"
    )
    raise parent_not_found(call.method, child, parent)


class Extensions:
    """Routes of cluster extensions."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._cloud = plane.cloud

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind = versions.EXTENSIONS
        router.add("GET", EXTENSIONS, self._list, kind=kind, action=f"{ACTION}/read")
        router.add("GET", EXTENSION, self._get, kind=kind, action=f"{ACTION}/read")
        router.add("PUT", EXTENSION, self._put, kind=kind, action=f"{ACTION}/write", body=BODY)
        router.add("PATCH", EXTENSION, self._patch, kind=kind, action=f"{ACTION}/write", body=BODY)
        router.add("DELETE", EXTENSION, self._delete, kind=kind, action=f"{ACTION}/delete")
        kind, action = versions.EXTENSION_OPERATIONS, f"{ACTION}/operations/read"
        router.add("GET", f"{EXTENSION}/operations/{{operation}}", self._status, kind=kind, action=action)

    def _list(self, call: Call) -> Answer:
        cluster = find_cluster(self._cloud, call, child=ACTION)
        return Answer(
            200, {"value": [self._body(cluster, one) for one in cluster.extensions.values()], "nextLink": None}
        )

    def _get(self, call: Call) -> Answer:
        return Answer(200, self._body(*self._find(call)))

    def _put(self, call: Call) -> Answer:
        cluster = find_cluster(self._cloud, call, child=ACTION)
        name = call.names["extension"]
        if not NAME.fullmatch(name):
            raise invalid(f"The extension name '{name}' is invalid.", code="InvalidResourceName")
        existing = cluster.extensions.get(name.lower())
        extension_type = call.properties.get("extensionType") or ""
        if not extension_type:
            raise invalid("The extensionType of the extension is missing.", code="ValidationFailed")
        if existing is not None and existing.extension_type.lower() != extension_type.lower():
            raise ArmError(
                409,
                "ExtensionTypeChangeNotAllowed",
                f"Extension {name} has the type {existing.extension_type}, which cannot be changed to "
                f"{extension_type}.",
            )
        for installed in cluster.extensions.values():
            if installed is not existing and installed.extension_type.lower() == extension_type.lower():
                raise ArmError(
                    409,
                    "ExtensionTypeAlreadyInstalled",
                    f"Extension type {extension_type} is already installed on cluster {cluster.name} by the extension "
                    f"{installed.name}. Only one instance of a cluster-scoped extension type is allowed in a cluster.",
                )
        extension = _new_extension(cluster, call, name, extension_type)
        if existing is not None:
            self._supersede(existing)
            extension.origin.created_by, extension.origin.created_at = (
                existing.origin.created_by,
                existing.origin.created_at,
            )
            extension.principal = existing.principal or extension.principal
            extension.state = "Updating"
        cluster.extensions[name.lower()] = extension
        headers = self._await_agent(call, cluster, extension)
        # The service names a host of its own region, where an ARM token must never go.
        headers["Location"] = (
            f"https://{cluster.location}.dp.kubernetesconfiguration.azure.com/subscriptions/operations/"
            f"{extension.operation}?api-version=2023-05-01"
        )
        return Answer(200 if existing else 201, self._body(cluster, extension), headers)

    def _patch(self, call: Call) -> Answer:
        cluster, extension = self._find(call)
        properties = call.properties
        extension.settings = _present(extension.settings | (properties.get("configurationSettings") or {}))
        if protected := properties.get("configurationProtectedSettings"):
            # az sends an empty object with every update, so an empty one keeps the secrets.
            extension.protected = _present(protected)
        if properties.get("autoUpgradeMinorVersion") is not None:
            extension.auto_upgrade = properties["autoUpgradeMinorVersion"]
        extension.release_train = properties.get("releaseTrain") or extension.release_train
        extension.version = properties.get("version") or (None if extension.auto_upgrade else extension.version)
        self._supersede(extension)
        extension.generation, extension.delivered = cluster.next_generation(), False
        extension.state, extension.error, extension.statuses = "Updating", None, []
        extension.origin.change(call.principal.client_id, call.now)
        headers = self._await_agent(call, cluster, extension)
        return Answer(202, self._body(cluster, extension), headers)

    def _delete(self, call: Call) -> Answer:
        cluster = find_cluster(self._cloud, call, child=ACTION)
        extension = cluster.extensions.get(call.names["extension"].lower())
        if extension is None:
            return Answer(204)
        self._supersede(extension)
        extension.generation, extension.state = cluster.next_generation(), "Deleting"

        def finish(operation: Operation) -> None:
            if cluster.extensions.get(extension.name.lower()) is extension:
                del cluster.extensions[extension.name.lower()]
                if cluster.has_agent:
                    cluster.leaving.append(extension)
            operation.succeed()

        if call.query.get("forcedelete", "").lower() == "true":
            finish(Operation("", call.path, call.now))
            return Answer(200, {"version": "1.1", "statusCode": 200, "reasonPhrase": "OK", "isSuccessStatusCode": True})
        operation = self._plane.begin("", call.path, finish, "Deleting")
        return Answer(202, None, self._watch(call, cluster, extension, operation))

    def _await_agent(self, call: Call, cluster: Cluster, extension: Extension) -> dict[str, str]:
        """An operation that ends with the agent's report, or after 48 hours without one."""
        if not cluster.has_agent:
            operation = self._plane.begin("", call.path, lambda ended: _installed(extension, ended), extension.state)
        else:
            operation = self._plane.operations.begin("", call.path, extension.state)
            self._plane.operations.after(PROTECTED_SETTINGS_LIFE.total_seconds(), lambda: _expire(extension, operation))
        extension.operation = operation.id
        return self._watch(call, cluster, extension, operation)

    def _supersede(self, extension: Extension) -> None:
        operation = self._plane.operations.find(extension.operation or "")
        if operation is not None:
            operation.cancel()

    def _watch(self, call: Call, cluster: Cluster, extension: Extension, operation: Operation) -> dict[str, str]:
        """As recorded from the service: unsigned, and spelled differently."""
        base = self._cloud.cluster_id(cluster).replace("/connectedClusters/", "/ConnectedClusters/")
        path = f"{base}/providers/{ACTION}/{extension.name}/operations/{operation.id}"
        return {"Azure-AsyncOperation": f"{call.base}{path}?api-Version={call.api_version}"} | self._plane.pause()

    async def _status(self, call: Call) -> Answer:
        operation = self._plane.operations.find(call.names["operation"])
        if operation is not None and not self._plane.speed.arm_operation:
            # At immediate speed, the agent's work is done before the first poll is answered.
            await operation.over(AGENT_TIME)
        answer = self._plane.status(call)
        resource = call.path.rsplit("/operations/", 1)[0]
        body = {"id": call.path, "name": call.names["operation"], "resourceId": resource, "properties": None}
        return Answer(200, body | (answer.body or {}), self._plane.pause())

    def _find(self, call: Call) -> tuple[Cluster, Extension]:
        cluster = find_cluster(self._cloud, call, child=ACTION)
        extension = cluster.extensions.get(call.names["extension"].lower())
        if extension is None:
            raise ArmError(
                404,
                "ResourceNotFound",
                f"The Resource 'Microsoft.KubernetesConfiguration/extensions/{call.names['extension']}' under cluster "
                f"'{cluster.name}' was not found.",
            )
        return cluster, extension

    def _body(self, cluster: Cluster, extension: Extension) -> dict[str, Any]:
        scope: dict[str, Any] = {"cluster": {"releaseNamespace": extension.release_namespace}}
        if extension.target_namespace is not None:
            scope = {"namespace": {"targetNamespace": extension.target_namespace}}
        base = f"{self._cloud.cluster_id(cluster)}/providers/Microsoft.KubernetesConfiguration/extensions"
        properties: dict[str, Any] = {
            "extensionType": extension.extension_type,
            "autoUpgradeMinorVersion": extension.auto_upgrade,
            "releaseTrain": extension.release_train,
            "version": extension.version,
            "currentVersion": extension.current_version,
            "scope": scope,
            "configurationSettings": dict(extension.settings),
            "configurationProtectedSettings": dict.fromkeys(extension.protected, ""),
            "provisioningState": extension.state,
            "statuses": list(extension.statuses),
            "isSystemExtension": False,
        }
        if extension.error is not None:
            properties["errorInfo"] = extension.error
        body: dict[str, Any] = {
            "id": f"{base}/{extension.name}",
            "name": extension.name,
            "type": "Microsoft.KubernetesConfiguration/extensions",
            "systemData": extension.origin.body(),
            "properties": properties,
        }
        if extension.principal is not None:
            tenant = self._cloud.tenant
            body["identity"] = {"type": "SystemAssigned", "principalId": extension.principal, "tenantId": tenant}
        return body


def _new_extension(cluster: Cluster, call: Call, name: str, extension_type: str) -> Extension:
    properties = call.properties
    scope = properties.get("scope") or {}
    namespace = (scope.get("cluster") or {}).get("releaseNamespace")
    target = (scope.get("namespace") or {}).get("targetNamespace")
    registry = extension_type.lower() == CONNECTED_REGISTRY
    if registry and target is not None:
        raise invalid(
            f"Extension type {extension_type} can only be installed at cluster scope.", code="ValidationFailed"
        )
    auto_upgrade = properties.get("autoUpgradeMinorVersion")
    identity = (call.body.get("identity") or {}).get("type") or ""
    return Extension(
        name=name,
        extension_type=extension_type,
        origin=Origin.now(call.principal.client_id, call.now),
        generation=cluster.next_generation(),
        auto_upgrade=True if auto_upgrade is None else auto_upgrade,
        release_train=properties.get("releaseTrain") or "Stable",
        version=properties.get("version"),
        release_namespace=namespace or ("connected-registry" if registry else name),
        target_namespace=target,
        settings=_present(properties.get("configurationSettings") or {}),
        protected=_present(properties.get("configurationProtectedSettings") or {}),
        principal=str(uuid.uuid4()) if identity.lower() == "systemassigned" else None,
    )


def _present(settings: dict[str, str | None]) -> dict[str, str]:
    """The settings without those that are null, which remove a setting."""
    return {key: value for key, value in settings.items() if value is not None}


def _installed(extension: Extension, operation: Operation) -> None:
    if extension.state in ("Creating", "Updating"):
        extension.state = "Succeeded"
        extension.current_version = extension.version or extension.current_version or "0.11.0"
    operation.succeed()


def _expire(extension: Extension, operation: Operation) -> None:
    """An extension that no agent fetched for 48 hours becomes Failed, and its secrets are dropped."""
    if operation.ended or extension.delivered:
        return
    error = ArmError(
        400,
        "ExtensionCreationFailed",
        "The extension operation did not complete within 48 hours because the cluster was not connected.",
    )
    extension.state, extension.error = "Failed", error.error()
    extension.protected = dict.fromkeys(extension.protected, "")
    operation.fail(error)
