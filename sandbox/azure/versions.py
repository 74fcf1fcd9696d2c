"""The api-versions that each resource type accepts.

A well-formed version between the oldest and the newest one of its type is accepted, listed or not: the real lists
grow every few weeks, and a client may be newer than this list.
"""

import re
from dataclasses import dataclass

from sandbox.azure.errors import ArmError, invalid

FORM = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta|-privatepreview)?", re.IGNORECASE)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def region(location: str | None, regions: tuple[str, ...], *, code: str, where: str) -> str:
    """The short name of one of the `regions`; raises a 400 `ArmError` with `code` for any other."""
    if not location:
        raise invalid("The location property is required for this definition.", code="LocationRequired")
    plain = location.replace(" ", "").lower()
    if plain not in regions:
        raise invalid(
            f"The provided location '{location}' is not available for {where} is '{','.join(regions)}'.", code=code
        )
    return plain


@dataclass(frozen=True)
class ResourceType:
    """A resource type of a provider and the api-versions it lists, newest first."""

    namespace: str
    name: str
    versions: tuple[str, ...]
    newest: str = "2026-12-31"
    oldest: str = ""
    """Where it answers to older versions than it lists."""

    @property
    def full_name(self) -> str:
        """`namespace/type` in lower case."""
        return f"{self.namespace}/{self.name}".lower()

    def check(self, version: str, regions: tuple[str, ...], offered: tuple[str, ...] | None = None) -> None:
        """Refuse a version that this type doesn't have, as ARM does. With `offered`, only those are accepted."""
        listed = self.versions if offered is None else offered
        if not FORM.fullmatch(version):
            raise invalid(
                f"The api-version '{version}' is invalid. The supported versions are '{','.join(listed)}'.",
                code="InvalidApiVersionParameter",
            )
        oldest = self.oldest or self.versions[-1]
        if version in listed or (offered is None and oldest[:10] <= version[:10] <= self.newest[:10]):
            return
        if self.namespace == "Microsoft.Resources":
            raise invalid(
                f"The api-version '{version}' is invalid. The supported versions are '{','.join(listed)}'.",
                code="InvalidApiVersionParameter",
            )
        raise ArmError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{regions[0]}' and API version '{version}' for type "
            f"'{self.name}'. The supported api-versions are '{', '.join(listed)}'. "
            f"The supported locations are '{', '.join(regions)}'.",
        )


_ACR = _listed(
    "2026-11-01 2026-09-01-preview 2026-03-01-preview 2026-01-01-preview 2025-12-01-preview 2025-11-01 "
    "2025-09-01-preview 2025-06-01-preview 2025-05-01-preview 2025-04-01 2025-03-01-preview 2024-11-01-preview "
    "2023-11-01-preview 2023-08-01-preview 2023-07-01 2023-06-01-preview 2023-01-01-preview 2022-12-01 "
    "2022-02-01-preview 2021-12-01-preview 2021-09-01 2021-08-01-preview 2021-06-01-preview 2020-11-01-preview "
    "2019-12-01-preview 2019-06-01-preview 2019-05-01-preview 2019-05-01 2017-10-01"
)


def _acr(name: str, since: str) -> ResourceType:
    versions = tuple(version for version in _ACR if version >= since)
    return ResourceType("Microsoft.ContainerRegistry", name, versions, newest="2026-11-01")


_KUBERNETES = _listed(
    "2025-12-01-preview 2025-08-01-preview 2024-12-01-preview 2024-07-15-preview 2024-06-01-preview 2024-01-01 "
    "2023-11-01-preview 2022-10-01-preview 2022-05-01-preview 2021-10-01 2021-03-01 2020-01-01-preview"
)
_EXTENSIONS = _listed(
    "2025-03-01 2024-11-01 2023-05-01 2022-11-01 2022-07-01 2022-04-02-preview 2022-03-01 2021-09-01 "
    "2021-05-01-preview 2020-07-01-preview"
)
_RESOURCES = _listed(
    "2025-04-01 2025-03-01 2024-11-01 2024-07-01 2024-03-01 2023-07-01 2022-12-01 2022-09-01 2022-01-01 2021-04-01 "
    "2021-01-01 2020-10-01 2020-01-01 2019-10-01 2019-06-01 2018-05-01 2016-06-01 2016-02-01 2015-01-01 2014-04-01"
)

REGISTRIES = _acr("registries", "2017-10-01")
REGISTRY_OPERATIONS = _acr("registries/operationStatuses", "2017-10-01")
REGISTRY_RESULTS = _acr("locations/operationResults", "2017-10-01")
REGISTRY_NAMES = _acr("checkNameAvailability", "2017-10-01")
REPLICATIONS = _acr("registries/replications", "2017-10-01")
SCOPE_MAPS = _acr("registries/scopeMaps", "2019-05-01-preview")
TOKENS = _acr("registries/tokens", "2019-05-01-preview")
CREDENTIALS = _acr("registries/generateCredentials", "2019-05-01-preview")
IMPORT = _acr("registries/importImage", "2017-10-01")
_CONNECTED = _listed("2026-09-01-preview 2026-03-01-preview 2026-01-01-preview 2025-12-01-preview 2025-09-01-preview")
"""What the service listed in 2026-09. It answers to others, of which 2025-11-01 is the stable one of the SDKs."""
CONNECTED_REGISTRIES = ResourceType(
    "Microsoft.ContainerRegistry", "registries/connectedRegistries", _CONNECTED, oldest="2020-11-01-preview"
)
DEACTIVATE = ResourceType(
    "Microsoft.ContainerRegistry", "registries/connectedRegistries/deactivate", _CONNECTED, oldest="2020-11-01-preview"
)
RESYNC = _acr("registries/connectedRegistries/resync", "2026-01-01-preview")
CONNECTED_CLUSTERS = ResourceType("Microsoft.Kubernetes", "connectedClusters", _KUBERNETES)
EXTENSIONS = ResourceType("Microsoft.KubernetesConfiguration", "extensions", _EXTENSIONS)
EXTENSION_OPERATIONS = ResourceType("Microsoft.KubernetesConfiguration", "operations", _EXTENSIONS)
CONNECTED_CLUSTER_OPERATIONS = ResourceType("Microsoft.Kubernetes", "locations/operationStatuses", _KUBERNETES)
EXTENSION_TYPES = ResourceType(
    "Microsoft.KubernetesConfiguration",
    "extensionTypes",
    ("2024-11-01-preview", "2023-05-01-preview", "2022-01-15-preview"),
)
MANAGED_CLUSTERS = ResourceType(
    "Microsoft.ContainerService",
    "managedClusters",
    ("2025-10-01", "2025-05-01", "2024-09-01", "2023-08-01", "2017-08-31"),
)
CUSTOM_LOCATIONS = ResourceType("Microsoft.ExtendedLocation", "customLocations", ("2021-08-31-preview", "2021-08-15"))
SUBSCRIPTIONS = ResourceType("Microsoft.Resources", "subscriptions", _RESOURCES)
GROUPS = ResourceType("Microsoft.Resources", "resourceGroups", _RESOURCES)
PROVIDERS = ResourceType("Microsoft.Resources", "providers", _RESOURCES)
RESOURCES = ResourceType("Microsoft.Resources", "resources", _RESOURCES)
LOCKS = ResourceType(
    "Microsoft.Authorization", "locks", ("2020-05-01", "2017-04-01", "2016-09-01", "2015-06-01", "2015-01-01")
)
PERMISSIONS = ResourceType("Microsoft.Authorization", "permissions", ("2022-04-01", "2018-07-01", "2015-07-01"))

ALL = (
    REGISTRIES, REGISTRY_OPERATIONS, REGISTRY_RESULTS, REGISTRY_NAMES, REPLICATIONS, SCOPE_MAPS, TOKENS, CREDENTIALS,
    IMPORT, CONNECTED_REGISTRIES, DEACTIVATE, RESYNC, CONNECTED_CLUSTERS, EXTENSIONS, EXTENSION_OPERATIONS,
    CONNECTED_CLUSTER_OPERATIONS, EXTENSION_TYPES, MANAGED_CLUSTERS,
    CUSTOM_LOCATIONS, SUBSCRIPTIONS, GROUPS, PROVIDERS, RESOURCES, LOCKS, PERMISSIONS,
)  # fmt: skip
NAMESPACES = tuple(dict.fromkeys(kind.namespace for kind in ALL))
