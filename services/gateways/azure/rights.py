"""Every action that the roles in `deploy/azure` give the bot at a registry and at a cluster. The one list of them.

The roles are held equal to this list by a test. Two of their parts are left out: the subscription's, without which the
first request says what is missing, and `resync`, which not every cloud offers.
"""

_ACR = "Microsoft.ContainerRegistry/registries"
_EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"

READING_AT_ACR = (
    f"{_ACR}/read",
    f"{_ACR}/scopeMaps/read",
    f"{_ACR}/tokens/read",
    f"{_ACR}/connectedRegistries/read",
)
READING_AT_CLUSTER = ("Microsoft.Kubernetes/connectedClusters/read", f"{_EXTENSIONS}/read")
PULL, LIST = f"{_ACR}/pull/read", f"{_ACR}/metadata/read"
PULLING = (PULL, LIST)
"""The digest of an image, and a repository's tags with their times.

In a registry with attribute-based permissions (ABAC) data actions give these instead."""
DEPLOYING_AT_ACR = (
    f"{_ACR}/write",
    f"{_ACR}/operationStatuses/read",
    f"{_ACR}/importImage/action",
    "Microsoft.ContainerRegistry/locations/operationResults/read",
    f"{_ACR}/scopeMaps/write",
    f"{_ACR}/scopeMaps/delete",
    f"{_ACR}/scopeMaps/operationStatuses/read",
    f"{_ACR}/tokens/write",
    f"{_ACR}/tokens/delete",
    f"{_ACR}/tokens/operationStatuses/read",
    f"{_ACR}/generateCredentials/action",
    f"{_ACR}/connectedRegistries/write",
    f"{_ACR}/connectedRegistries/delete",
    f"{_ACR}/connectedRegistries/deactivate/action",
)
"""Beyond reading."""
DEPLOYING_AT_CLUSTER = (f"{_EXTENSIONS}/write", f"{_EXTENSIONS}/delete", f"{_EXTENSIONS}/operations/read")
ASKING = ("Microsoft.Authorization/permissions/read",)
"""Which of these the identity has."""
ASKING_FOR_LOCKS = ("Microsoft.Authorization/locks/read",)
EVERYTHING = "*"
ASSIGNING = "Microsoft.Authorization/roleAssignments/write"
"""By this an identity can give itself any other right."""
