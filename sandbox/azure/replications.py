"""Microsoft.ContainerRegistry: geo-replications of a registry. The home region is always one of them."""

from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import Answer, Call, ControlPlane, Router
from sandbox.azure.cloud import Registry
from sandbox.azure.errors import child_not_found, refused
from sandbox.azure.operations import Operation
from sandbox.azure.registries import KIND, REGISTRY, find_registry, results_path
from sandbox.azure.shapes import Shape

REPLICATION = f"{REGISTRY}/replications/{{replication}}"
BODY: Shape = {"location": str, "properties": {"regionEndpointEnabled": bool, "zoneRedundancy": str}}


class Replications:
    """Routes of replications."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._cloud = plane.cloud

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind, action = versions.REPLICATIONS, f"{KIND}/replications"
        router.add("GET", f"{REGISTRY}/replications", self._list, kind=kind, action=f"{action}/read")
        router.add("GET", REPLICATION, self._get, kind=kind, action=f"{action}/read")
        router.add("PUT", REPLICATION, self._put, kind=kind, action=f"{action}/write", body=BODY)
        router.add("DELETE", REPLICATION, self._delete, kind=kind, action=f"{action}/delete")
        read = f"{action}/operationStatuses/read"
        router.add("GET", f"{REPLICATION}/operationStatuses/{{operation}}", self._plane.status, kind=kind, action=read)

    def _list(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/replications")
        return Answer(200, {"value": [self._body(registry, *one) for one in self._all(registry).items()]})

    def _get(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/replications")
        name = call.names["replication"]
        for replication, location in self._all(registry).items():
            if replication.lower() == name.lower():
                return Answer(200, self._body(registry, replication, location))
        raise child_not_found(name)

    def _put(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/replications")
        if registry.sku != "Premium":
            raise refused(
                "ReplicationNotSupported",
                f"Replication is not supported for the SKU {registry.sku}. "
                "For more information, please visit https://aka.ms/acr/skus.",
            )
        name = call.names["replication"]
        location = versions.region(
            call.body.get("location"),
            self._cloud.environment.regions,
            code="LocationNotAvailableForResourceType",
            where=f"resource type '{KIND}/replications'. List of available regions for the resource type",
        )
        if location in self._all(registry).values() and registry.replications.get(name) != location:
            raise refused("LocationInUse", f"Registry {registry.name} has a replication in {location}.", status=409)
        new = name not in registry.replications
        registry.replications[name] = location
        operation = self._plane.begin("replications-", call.path, lambda ended: ended.succeed(), "Creating")
        path = f"{self._cloud.registry_id(registry)}/replications/{name}/operationStatuses/{operation.id}"
        return Answer(201 if new else 200, self._body(registry, name, location), self._plane.watch(call, path))

    def _delete(self, call: Call) -> Answer:
        registry = find_registry(self._cloud, call, child="registries/replications")
        name = call.names["replication"]
        if name not in self._all(registry):
            return Answer(204)
        if name not in registry.replications:
            raise refused("HomeReplication", "The replication of the home region cannot be deleted.", status=409)

        def finish(operation: Operation) -> None:
            registry.replications.pop(name, None)
            operation.succeed()

        operation = self._plane.begin("replications-", call.path, finish, "Deleting")
        return Answer(202, None, self._plane.fetch(call, results_path(self._cloud, registry, operation)))

    def _all(self, registry: Registry) -> dict[str, str]:
        home = {registry.location: registry.location} if registry.sku == "Premium" else {}
        return home | registry.replications

    def _body(self, registry: Registry, name: str, location: str) -> dict[str, Any]:
        return {
            "type": f"{KIND}/replications",
            "id": f"{self._cloud.registry_id(registry)}/replications/{name}",
            "name": name,
            "location": location,
            "tags": {},
            "properties": {
                "provisioningState": "Succeeded",
                "status": {"displayStatus": "Ready"},
                "regionEndpointEnabled": True,
                "zoneRedundancy": "Disabled",
            },
        }
