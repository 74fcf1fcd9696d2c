"""Users, and role-based access control by the roles and bindings in the store."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, Json
from sandbox.kube.status import StatusError
from sandbox.kube.store import Store

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"


@dataclass(frozen=True)
class User:
    """A user of the API server."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    def info(self) -> Json:
        """The form in which reviews answer."""
        return {"username": self.name, "groups": list(self.groups)} | ({"uid": self.uid} if self.uid else {})


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))


@dataclass(frozen=True)
class Attributes:
    """A requested action: a verb on a resource, or on a path outside the resources."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def target(self) -> str:
        """The resource as rules name it, such as `pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    def refusal(self, user: User) -> str:
        """The API server's text for a refusal."""
        if not self.resource:
            return f'User "{user.name}" cannot {self.verb} path "{self.path}"'
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return f'User "{user.name}" cannot {self.verb} resource "{self.target}" in API group "{self.group}" {where}'


@dataclass
class Authorizer:
    """Decides by the current bindings."""

    store: Store

    def check(self, user: User, attributes: Attributes) -> None:
        """Return if it is allowed.

        Raises:
            StatusError: 403 with the API server's text.
        """
        if self.allows(user, attributes):
            return
        why = attributes.refusal(user)
        if not attributes.resource:
            raise StatusError(403, "Forbidden", f"forbidden: {why}", {})
        qualified = f"{attributes.resource}.{attributes.group}" if attributes.group else attributes.resource
        subject = f'{qualified} "{attributes.name}"' if attributes.name else qualified
        details: Json = {"name": attributes.name} if attributes.name else {}
        details |= ({"group": attributes.group} if attributes.group else {}) | {"kind": attributes.resource}
        raise StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", details)

    def allows(self, user: User, attributes: Attributes) -> bool:
        """Whether a rule of this user covers the action."""
        if MASTERS in user.groups:
            return True
        return any(_covers(rule, attributes) for rule in self.rules(user, attributes.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Json]:
        """A user's cluster-wide rules, and those of a namespace if one is given."""
        for binding in self.store.items(CLUSTER_ROLE_BINDINGS.key):
            if _binds(binding, user):
                yield from self._role_rules(binding)
        for binding in self.store.items(ROLE_BINDINGS.key, namespace) if namespace else ():
            if _binds(binding, user):
                yield from self._role_rules(binding)

    def _role_rules(self, binding: Json) -> list[Json]:
        reference = binding["roleRef"]
        if reference["kind"] == "ClusterRole":
            role = self.store.get(CLUSTER_ROLES.key, "", reference["name"])
        else:
            role = self.store.get(ROLES.key, binding["metadata"]["namespace"], reference["name"])
        return list((role or {}).get("rules") or [])


def _binds(binding: Json, user: User) -> bool:
    home = binding["metadata"].get("namespace", "")
    for subject in binding.get("subjects") or []:
        match subject["kind"]:
            case "User" if subject["name"] == user.name:
                return True
            case "Group" if subject["name"] in user.groups:
                return True
            case "ServiceAccount":
                account = f"system:serviceaccount:{subject.get('namespace') or home}:{subject['name']}"
                if account == user.name:
                    return True
            case _:
                continue
    return False


def _covers(rule: Json, attributes: Attributes) -> bool:
    if not _listed(rule, "verbs", attributes.verb):
        return False
    if not attributes.resource:
        return any(
            attributes.path == path or (path.endswith("*") and attributes.path.startswith(path[:-1]))
            for path in rule.get("nonResourceURLs") or []
        )
    if not _listed(rule, "apiGroups", attributes.group):
        return False
    resources = rule.get("resources") or []
    if not (
        {"*", attributes.target} & set(resources)
        or (attributes.subresource and f"*/{attributes.subresource}" in resources)
    ):
        return False
    names = rule.get("resourceNames") or []
    return not names or attributes.name in names


def _listed(rule: Json, part: str, value: str) -> bool:
    values = rule.get(part) or []
    return value in values or "*" in values
