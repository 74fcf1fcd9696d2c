"""Microsoft.KubernetesConfiguration: the extension types that a cluster or a region offers, and their versions."""

from typing import Any

from sandbox.azure import versions
from sandbox.azure.arm import Answer, Call, ControlPlane, Router
from sandbox.azure.errors import ArmError
from sandbox.azure.extensions import CLUSTER, CONNECTED_REGISTRY, find_cluster

PROVIDER = "Microsoft.KubernetesConfiguration"
ACTION = f"{PROVIDER}/extensionTypes/read"
PLACES = (
    f"{CLUSTER}/providers/{PROVIDER}/extensionTypes",
    f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}/extensionTypes",
)
TYPES = {
    CONNECTED_REGISTRY: ("Microsoft", "Connected registry for Azure Container Registry", ("0.11.0", "0.10.0", "0.9.0")),
    "microsoft.flux": ("Microsoft", "GitOps with Flux", ("1.24.1", "1.23.0")),
    "microsoft.certmanagement": ("Microsoft", "Certificate Management for Azure Arc", ("0.6.0",)),
}
"""Publisher, description and versions by type; the newest version first."""


class ExtensionTypes:
    """Routes of extension types, below a connected cluster and below a region."""

    def __init__(self, plane: ControlPlane) -> None:
        self._cloud = plane.cloud

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind = versions.EXTENSION_TYPES
        for place in PLACES:
            router.add("GET", place, self._list, kind=kind, action=ACTION)
            router.add("GET", f"{place}/{{type}}", self._get, kind=kind, action=ACTION)
            router.add("GET", f"{place}/{{type}}/versions", self._versions, kind=kind, action=ACTION)

    def _list(self, call: Call) -> Answer:
        self._check_place(call)
        return Answer(200, {"value": [_body(f"{call.path.rstrip('/')}/{name}", name) for name in TYPES]})

    def _get(self, call: Call) -> Answer:
        return Answer(200, _body(call.path, self._name(call)))

    def _versions(self, call: Call) -> Answer:
        name = self._name(call)
        entries = [
            {
                "id": f"{call.path}/{version}",
                "name": version,
                "type": f"{PROVIDER}/extensionTypes/versions",
                "properties": {"version": version, "unsupportedKubernetesVersions": {}},
            }
            for version in TYPES[name][2]
        ]
        return Answer(200, {"value": entries})

    def _name(self, call: Call) -> str:
        self._check_place(call)
        name = call.names["type"].lower()
        if name not in TYPES:
            raise ArmError(404, "ExtensionTypeNotFound", f"The extension type '{call.names['type']}' was not found.")
        return name

    def _check_place(self, call: Call) -> None:
        if "cluster" in call.names:
            find_cluster(self._cloud, call, child="extensionTypes")


def _body(resource_id: str, name: str) -> dict[str, Any]:
    publisher, description, _ = TYPES[name]
    scopes = {"defaultScope": "cluster", "clusterScopeSettings": {"allowMultipleInstances": False}}
    return {
        "id": resource_id,
        "name": name,
        "type": f"{PROVIDER}/extensionTypes",
        "properties": {
            "publisher": publisher,
            "description": description,
            "isSystemExtension": False,
            "isManagedIdentityRequired": False,
            "supportedScopes": scopes,
            "supportedClusterTypes": ["connectedclusters", "managedclusters"],
        },
    }
