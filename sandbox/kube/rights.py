"""The roles and bindings that a cluster starts with.

`BUILT_IN` are those of every API server; the others are an operator's grants: user `bot` gets the least
rights with which a bot can deploy and watch connected registries, user `reader` may look at everything but secrets.
"""

from sandbox.kube.resources import Json

READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{GROUP}/v1"


def rule(groups: list[str], resources: list[str], verbs: list[str], names: list[str] | None = None) -> Json:
    """One rule of a role."""
    return {"apiGroups": groups, "resources": resources, "verbs": verbs} | ({"resourceNames": names} if names else {})


def paths(*given: str) -> Json:
    """A rule for paths outside the resources."""
    return {"nonResourceURLs": list(given), "verbs": ["get"]}


def cluster_role(name: str, *rules: Json) -> Json:
    """A ClusterRole."""
    return {"apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}


def role(namespace: str, name: str, *rules: Json) -> Json:
    """A Role."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": "Role", "metadata": metadata, "rules": list(rules)}


def cluster_binding(name: str, role_name: str, *subjects: Json) -> Json:
    """A ClusterRoleBinding to a ClusterRole."""
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role_name}
    metadata = {"name": name}
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": list(subjects),
    }


def binding(namespace: str, name: str, *subjects: Json, kind: str = "Role") -> Json:
    """A RoleBinding to the role of the same name."""
    reference = {"apiGroup": GROUP, "kind": kind, "name": name}
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": API_VERSION,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": list(subjects),
    }


def user(name: str) -> Json:
    """A subject that is a user."""
    return {"apiGroup": GROUP, "kind": "User", "name": name}


def group(name: str) -> Json:
    """A subject that is a group."""
    return {"apiGroup": GROUP, "kind": "Group", "name": name}


EVERYBODY = (group("system:authenticated"), group("system:unauthenticated"))

_LOOKED_AT = [
    rule(
        [""],
        [
            "bindings",
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "namespaces",
            "persistentvolumeclaims",
            "pods",
            "pods/log",
            "pods/status",
            "resourcequotas",
            "serviceaccounts",
            "services",
            "services/status",
        ],
        READ,
    ),
    rule(["apps"], ["*"], READ),
    rule(["batch"], ["*"], READ),
    rule(["discovery.k8s.io"], ["endpointslices"], READ),
    rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], READ),
    rule(["policy"], ["poddisruptionbudgets"], READ),
]
_EDITED = [
    rule(
        [""],
        [
            "configmaps",
            "endpoints",
            "events",
            "persistentvolumeclaims",
            "pods",
            "secrets",
            "serviceaccounts",
            "services",
        ],
        [*READ, *WRITE],
    ),
    rule(["apps", "batch"], ["*"], [*READ, *WRITE]),
    rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], [*READ, *WRITE]),
]

BUILT_IN: list[Json] = [
    cluster_role("cluster-admin", rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}),
    cluster_role("admin", *_EDITED, *_LOOKED_AT, rule([GROUP], ["roles", "rolebindings"], [*READ, *WRITE])),
    cluster_role("edit", *_EDITED, *_LOOKED_AT),
    cluster_role("view", *_LOOKED_AT),
    cluster_role(
        "system:discovery",
        paths(
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version"
        ),
    ),
    cluster_role("system:public-info-viewer", paths("/healthz", "/livez", "/readyz", "/version", "/version/")),
    cluster_role(
        "system:basic-user",
        rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ),
    cluster_binding("cluster-admin", "cluster-admin", group("system:masters")),
    cluster_binding("system:discovery", "system:discovery", group("system:authenticated")),
    cluster_binding("system:basic-user", "system:basic-user", group("system:authenticated")),
    cluster_binding("system:public-info-viewer", "system:public-info-viewer", *EVERYBODY),
]

BOT = user("bot")
READER = user("reader")
ARC_NAMESPACE = "azure-arc"

_HEALTH = [
    rule([""], ["pods", "services", "events", "persistentvolumeclaims"], READ),
    rule(["events.k8s.io"], ["events"], READ),
    rule(["apps"], ["deployments", "daemonsets", "replicasets"], READ),
]

BOT_CLUSTER: list[Json] = [
    cluster_role(
        "registry-bot",
        rule([""], ["services"], READ),
        rule([""], ["nodes", "namespaces", "persistentvolumes"], READ),
        rule([""], ["namespaces"], ["create"]),
        rule(["networking.k8s.io"], ["servicecidrs", "ipaddresses"], READ),
        rule(["storage.k8s.io"], ["storageclasses"], READ),
        rule(["apiextensions.k8s.io"], ["customresourcedefinitions"], READ),
        # Which Arc resource the cluster is.
        rule([""], ["configmaps"], ["get"], ["azure-clusterconfig"]),
        rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        # An extension's namespace comes and goes with it, so reading in it is granted cluster-wide.
        *_HEALTH,
        rule([""], ["pods/log"], ["get"]),
        rule(["cert-manager.io"], ["certificates"], ["list"]),
    ),
    cluster_binding("registry-bot", "registry-bot", BOT),
]
BOT_NAMESPACED: dict[str, list[Json]] = {
    ARC_NAMESPACE: [
        role(
            ARC_NAMESPACE,
            "registry-bot",
            *_HEALTH,
            rule(["clusterconfig.azure.com"], ["extensionconfigs"], READ),
            rule(["arc.azure.com"], ["connectedclusters"], READ),
        ),
        binding(ARC_NAMESPACE, "registry-bot", BOT),
    ],
    "default": [
        # Workloads and the secrets that they pull by, which the bot makes and never reads.
        role(
            "default",
            "registry-bot-workloads",
            rule([""], ["secrets"], ["create", "delete"]),
            rule(["apps"], ["deployments"], ["create", "patch", "delete"]),
            # Jobs that ask the edge what it has.
            rule(["batch"], ["jobs"], ["create", "delete"]),
        ),
        binding("default", "registry-bot-workloads", BOT),
        # Service addresses are held here by placeholders until an extension takes them over.
        role("default", "registry-bot-addresses", rule([""], ["services"], ["create", "delete"])),
        binding("default", "registry-bot-addresses", BOT),
    ],
}
READER_CLUSTER: list[Json] = [
    cluster_role(
        "registry-reader",
        *_LOOKED_AT,
        rule([""], ["nodes", "persistentvolumes"], READ),
        rule(["events.k8s.io"], ["events"], READ),
        rule(["networking.k8s.io"], ["servicecidrs", "ipaddresses"], READ),
        rule(["storage.k8s.io"], ["storageclasses"], READ),
        rule(["apiextensions.k8s.io"], ["customresourcedefinitions"], READ),
        rule(["coordination.k8s.io"], ["leases"], READ),
        rule([GROUP], ["*"], READ),
        rule(["clusterconfig.azure.com", "arc.azure.com"], ["*"], READ),
    ),
    cluster_binding("registry-reader", "registry-reader", READER),
]
