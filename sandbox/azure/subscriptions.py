"""Subscriptions, tenants, resource groups, resource providers and the list of all resources."""

from collections.abc import Callable
from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import ALWAYS_REGISTERED, Answer, Call, ControlPlane, Router, pages
from sandbox.azure.cloud import Cluster, Registry, ResourceGroup
from sandbox.azure.errors import ArmError, group_not_found
from sandbox.azure.filters import parse
from sandbox.azure.operations import Operation
from sandbox.azure.registries import registry_body
from sandbox.azure.shapes import ANY, Shape

PAGE = 1000
SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = "/subscriptions/{subscription}/resourcegroups/{group}"
APPLICATIONS = {
    "Microsoft.ContainerRegistry": ("6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26",),
    "Microsoft.KubernetesConfiguration": ("c699bf69-fb1d-4eaf-999b-99e6b2ae4d85",),
}
"""Microsoft's own applications that act for a provider, as far as they are published."""
REGISTRATION_TIMES = 2
"""Registering a provider takes this many times as long as an ARM operation."""


class Subscriptions:
    """Routes of Microsoft.Resources."""

    def __init__(self, plane: ControlPlane, forget_registry: Callable[[Registry], None]) -> None:
        self._plane = plane
        self._cloud = plane.cloud
        self._forget_registry = forget_registry

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        subscriptions, groups, providers = versions.SUBSCRIPTIONS, versions.GROUPS, versions.PROVIDERS
        subscription_read = "Microsoft.Resources/subscriptions/read"
        router.add("GET", "/subscriptions", self._list, kind=subscriptions, action=subscription_read)
        router.add("GET", "/tenants", self._tenants, kind=subscriptions, action="Microsoft.Resources/tenants/read")
        router.add("GET", SUBSCRIPTION, self._get, kind=subscriptions, action=subscription_read)
        router.add("GET", f"{SUBSCRIPTION}/locations", self._locations, kind=subscriptions, action=subscription_read)
        router.add(
            "GET",
            f"{SUBSCRIPTION}/operationresults/{{operation}}",
            self._plane.result,
            kind=groups,
            action=subscription_read,
        )
        kind, action = versions.GROUPS, "Microsoft.Resources/subscriptions/resourceGroups"
        router.add("GET", f"{SUBSCRIPTION}/resourcegroups", self._groups, kind=kind, action=f"{action}/read")
        router.add("GET", GROUP, self._get_group, kind=kind, action=f"{action}/read")
        router.add("HEAD", GROUP, self._has_group, kind=kind, action=f"{action}/read")
        body: Shape = {"location": str, "tags": {ANY: str}}
        router.add("PUT", GROUP, self._put_group, kind=kind, action=f"{action}/write", body=body)
        router.add("DELETE", GROUP, self._delete_group, kind=kind, action=f"{action}/delete")
        read = "Microsoft.Resources/subscriptions/providers/read"
        router.add("GET", f"{SUBSCRIPTION}/providers", self._providers, kind=providers, action=read)
        router.add("GET", f"{SUBSCRIPTION}/providers/{{namespace}}", self._provider, kind=providers, action=read)
        for word, handler in (("register", self._register_provider), ("unregister", self._unregister_provider)):
            path = f"{SUBSCRIPTION}/providers/{{namespace}}/{word}"
            router.add("POST", path, handler, kind=providers, action=f"{{namespace}}/{word}/action")
        kind, read = versions.RESOURCES, "Microsoft.Resources/subscriptions/resources/read"
        router.add("GET", f"{SUBSCRIPTION}/resources", self._resources, kind=kind, action=read)
        router.add("GET", f"{GROUP}/resources", self._resources, kind=kind, action=read)

    def _list(self, _call: Call) -> Answer:
        body: dict[str, Any] = {"value": [self._subscription()], "count": {"type": "Total", "value": 1}}
        return Answer(200, body)

    def _get(self, _call: Call) -> Answer:
        return Answer(200, self._subscription())

    def _subscription(self) -> dict[str, Any]:
        return {
            "id": f"/subscriptions/{self._cloud.subscription}",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": self._cloud.subscription,
            "tenantId": self._cloud.tenant,
            "displayName": self._cloud.subscription_name,
            "state": self._cloud.governance.subscription_state,
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "EnterpriseAgreement_2014-09-01",
                "spendingLimit": "Off",
            },
        }

    def _tenants(self, _call: Call) -> Answer:
        tenant = self._cloud.tenant
        entry = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Contoso", "tenantCategory": "Home"}
        return Answer(200, {"value": [entry]})

    def _locations(self, _call: Call) -> Answer:
        base = f"/subscriptions/{self._cloud.subscription}/locations"
        entries = [
            {
                "id": f"{base}/{region}",
                "name": region,
                "type": "Region",
                "displayName": region,
                "regionalDisplayName": region,
                "metadata": {"regionType": "Physical", "regionCategory": "Recommended", "geography": ""},
            }
            for region in self._cloud.environment.regions
        ]
        return Answer(200, {"value": entries})

    def _groups(self, call: Call) -> Answer:
        entries = [self._group_body(group) for group in self._cloud.groups.values()]
        return Answer(200, pages(entries, call, PAGE))

    def _get_group(self, call: Call) -> Answer:
        return Answer(200, self._group_body(self._group(call)))

    def _has_group(self, call: Call) -> Answer:
        return Answer(204 if self._cloud.group(call.names["group"]) else 404)

    def _put_group(self, call: Call) -> Answer:
        name = call.names["group"]
        location = versions.region(
            call.body.get("location"),
            self._cloud.environment.regions,
            code="LocationNotAvailableForResourceGroup",
            where="resource group. List of available regions",
        )
        existing = self._cloud.group(name)
        group = ResourceGroup(existing.name if existing else name, location, call.body.get("tags") or {})
        if existing and existing.location != group.location:
            raise ArmError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in location "
                f"'{existing.location}'.",
            )
        self._cloud.groups[name.lower()] = group
        return Answer(200 if existing else 201, self._group_body(group))

    def _delete_group(self, call: Call) -> Answer:
        group = self._group(call)

        def finish(operation: Operation) -> None:
            self._empty(group)
            self._cloud.groups.pop(group.name.lower(), None)
            operation.succeed()

        operation = self._plane.begin("rg-", call.path, finish, "Deleting")
        path = f"/subscriptions/{self._cloud.subscription}/operationresults/{operation.id}"
        return Answer(202, None, self._plane.fetch(call, path))

    def _empty(self, group: ResourceGroup) -> None:
        name = group.name.lower()
        for registry in [one for one in self._cloud.registries.values() if one.group.lower() == name]:
            self._forget_registry(registry)
        for key in [key for key in self._cloud.clusters if key[0] == name]:
            del self._cloud.clusters[key]

    def _group(self, call: Call) -> ResourceGroup:
        group = self._cloud.group(call.names["group"])
        if group is None:
            raise group_not_found(call.names["group"])
        return group

    def _group_body(self, group: ResourceGroup) -> dict[str, Any]:
        return {
            "id": f"/subscriptions/{self._cloud.subscription}/resourceGroups/{group.name}",
            "name": group.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": group.location,
            "tags": group.tags,
            "properties": {"provisioningState": "Succeeded"},
        }

    def _providers(self, _call: Call) -> Answer:
        return Answer(200, {"value": [self._provider_body(namespace) for namespace in versions.NAMESPACES]})

    def _provider(self, call: Call) -> Answer:
        return Answer(200, self._provider_body(_namespace(call)))

    def _register_provider(self, call: Call) -> Answer:
        namespace = _namespace(call)
        if self._cloud.providers.get(namespace.lower()) != "Registered":
            self._cloud.providers[namespace.lower()] = "Registering"
            seconds = self._plane.speed.arm_operation * REGISTRATION_TIMES
            self._plane.operations.after(seconds, lambda: self._registered(namespace))
        return Answer(200, self._provider_body(namespace))

    def _registered(self, namespace: str) -> None:
        if self._cloud.providers.get(namespace.lower()) == "Registering":
            self._cloud.providers[namespace.lower()] = "Registered"

    def _unregister_provider(self, call: Call) -> Answer:
        namespace = _namespace(call)
        self._cloud.providers[namespace.lower()] = "Unregistered"
        return Answer(200, self._provider_body(namespace))

    def _provider_body(self, namespace: str) -> dict[str, Any]:
        state = self._cloud.providers.get(namespace.lower(), "NotRegistered")
        return {
            "id": f"/subscriptions/{self._cloud.subscription}/providers/{namespace}",
            "namespace": namespace,
            "authorizations": [{"applicationId": one} for one in APPLICATIONS.get(namespace, ())],
            "registrationPolicy": "RegistrationRequired",
            "registrationState": "Registered" if namespace in ALWAYS_REGISTERED else state,
            "resourceTypes": [
                {
                    "resourceType": kind.name,
                    "locations": list(self._cloud.environment.regions),
                    "apiVersions": list(self._cloud.offers.get(kind.full_name, kind.versions)),
                    "capabilities": "None",
                }
                for kind in versions.ALL
                if kind.namespace == namespace
            ],
        }

    def _resources(self, call: Call) -> Answer:
        entries = self._everything()
        if group := call.names.get("group"):
            self._group(call)
            entries = [entry for entry in entries if _group_of(entry).lower() == group.lower()]
        if text := call.query.get("$filter"):
            terms = parse(text, ("resourceType", "name", "location", "resourceGroup"))
            entries = [entry for entry in entries if all(term.fits(_value(entry, term.name)) for term in terms)]
        top = call.query.get("$top", "")
        return Answer(200, pages(entries, call, int(top) if top.isdigit() and int(top) else PAGE))

    def _everything(self) -> list[dict[str, Any]]:
        resources = [_resource(registry_body(self._cloud, registry)) for registry in self._cloud.registries.values()]
        return resources + [self._cluster(cluster) for cluster in self._cloud.clusters.values()]

    def _cluster(self, cluster: Cluster) -> dict[str, Any]:
        return {
            "id": self._cloud.cluster_id(cluster),
            "name": cluster.name,
            "type": "Microsoft.Kubernetes/connectedClusters",
            "location": cluster.location,
            "tags": {},
            "systemData": cluster.origin.body(),
        }


def _resource(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("id", "name", "type", "sku", "location", "tags", "systemData")}


def _value(entry: dict[str, Any], name: str) -> str:
    values: dict[str, str] = {
        "resourceType": entry["type"],
        "name": entry["name"],
        "location": entry["location"],
        "resourceGroup": _group_of(entry),
    }
    return values[name]


def _group_of(entry: dict[str, Any]) -> str:
    return str(entry["id"]).split("/")[4]


def _namespace(call: Call) -> str:
    name = call.names["namespace"]
    for namespace in versions.NAMESPACES:
        if namespace.lower() == name.lower():
            return namespace
    raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.")
