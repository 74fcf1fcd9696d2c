"""Reviews: checks of rights and tokens, which clients request by creating an object."""

from collections.abc import Callable

from sandbox.kube.rbac import Attributes, Authorizer, User
from sandbox.kube.resources import Json, Resource


def reviewed(
    resource: Resource, review: Json, user: User, authorizer: Authorizer, whose: Callable[[str], User | None]
) -> Json:
    """The review with its answer."""
    spec = review.get("spec") or {}
    match resource.kind:
        case "SelfSubjectAccessReview":
            status = _access(spec, user, authorizer)
        case "SubjectAccessReview" | "LocalSubjectAccessReview":
            asked_for = User(spec.get("user") or "", tuple(spec.get("groups") or spec.get("group") or ()))
            status = _access(spec, asked_for, authorizer)
        case "SelfSubjectRulesReview":
            namespace = spec.get("namespace") or "default"
            resource_rules: list[Json] = []
            path_rules: list[Json] = []
            if "system:masters" in user.groups:
                resource_rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
                path_rules.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
            for rule in authorizer.rules(user, namespace):
                (path_rules if rule.get("nonResourceURLs") else resource_rules).append(rule)
            status = {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}
        case "TokenReview":
            owner = whose(spec.get("token") or "")
            status = {"authenticated": True, "user": owner.info()} if owner else {"user": {}, "error": "invalid token"}
        case _:
            status = {"userInfo": user.info()}
    answer = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {"creationTimestamp": None}}
    return answer | ({"spec": spec} if "spec" in review else {}) | {"status": status}


def _access(spec: Json, user: User, authorizer: Authorizer) -> Json:
    requested = spec.get("resourceAttributes") or {}
    path = spec.get("nonResourceAttributes")
    if path:
        attributes = Attributes(path.get("verb", ""), path=path.get("path", ""))
    else:
        attributes = Attributes(
            verb=requested.get("verb", ""),
            group=requested.get("group", ""),
            resource=requested.get("resource", ""),
            subresource=requested.get("subresource", ""),
            namespace=requested.get("namespace", ""),
            name=requested.get("name", ""),
        )
    if authorizer.allows(user, attributes):
        return {"allowed": True, "reason": f'RBAC: allowed for user "{user.name}"'}
    return {"allowed": False}
