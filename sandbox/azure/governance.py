"""Management locks, deny assignments, policies, and the subscription's own state.

ARM checks them after the caller's roles, before a resource provider sees the request.

Words and codes follow refusals that people have published; see docs/decisions/sandbox.md for what stays unconfirmed.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from sandbox.azure.errors import ArmError

Level = Literal["ReadOnly", "CanNotDelete"]
LEVELS: tuple[str, ...] = get_args(Level)
SUBSCRIPTION_STATES = ("Enabled", "Warned", "PastDue", "Disabled")
CLOSED_STATES = ("Disabled",)
"""States in which nothing can be written."""
CHANGES = ("PUT", "PATCH", "POST", "DELETE")


@dataclass(frozen=True)
class Rule:
    """Something that is assigned to a scope and holds for everything below it."""

    name: str
    scope: str
    """ARM id of a subscription, a resource group or a resource, without a slash at its end."""

    def covers(self, resource: str) -> bool:
        """Whether a resource is the scope itself or lies below it."""
        return f"{resource}/".lower().startswith(f"{self.scope}/".lower())


@dataclass(frozen=True)
class Lock(Rule):
    """A management lock."""

    level: Level = "ReadOnly"

    def body(self) -> dict[str, Any]:
        """As Microsoft.Authorization shows it."""
        return {
            "id": f"{self.scope}/providers/Microsoft.Authorization/locks/{self.name}",
            "type": "Microsoft.Authorization/locks",
            "name": self.name,
            "properties": {"level": self.level},
        }


@dataclass(frozen=True)
class DenyAssignment(Rule):
    """Actions that nobody may take, whatever their roles."""

    actions: tuple[str, ...] = ("*/write", "*/delete", "*/action")


@dataclass(frozen=True)
class Policy(Rule):
    """An assigned policy with the effect `deny`, which refuses to create or change resources of some types."""

    types: tuple[str, ...] = ("*",)
    """Patterns of resource types, such as `Microsoft.ContainerRegistry/registries`."""
    allowed_locations: tuple[str, ...] = ()
    """Regions that it permits; if empty, it permits none of its types anywhere."""
    display_name: str = ""

    def violated(self, kind: str, body: dict[str, Any]) -> bool:
        """Whether a resource of this type may not be written so."""
        if not any(fnmatchcase(kind.lower(), pattern.lower()) for pattern in self.types):
            return False
        location = str(body.get("location") or "").replace(" ", "").lower()
        return not self.allowed_locations or bool(location and location not in self.allowed_locations)

    def refusal(self, resource: str, kind: str) -> ArmError:
        """403 with the evaluation of the policy beside it."""
        target, provider = resource.rsplit("/", 1)[-1], f"{self.scope}/providers/Microsoft.Authorization"
        definition = str(uuid.uuid5(uuid.NAMESPACE_URL, self.name))
        assignment_id, definition_id = (
            f"{provider}/policyAssignments/{self.name}",
            (f"/providers/Microsoft.Authorization/policyDefinitions/{definition}"),
        )
        title = self.display_name or self.name
        identifiers = [
            {
                "policyAssignment": {"name": title, "id": assignment_id},
                "policyDefinition": {"name": title, "id": definition_id},
            }
        ]
        evaluated = {
            "result": "True",
            "expressionKind": "Field",
            "expression": "type",
            "path": "type",
            "expressionValue": kind,
            "targetValue": kind,
            "operator": "Equals",
        }
        info = {
            "evaluationDetails": {"evaluatedExpressions": [evaluated]},
            "policyDefinitionId": definition_id,
            "policyDefinitionName": definition,
            "policyDefinitionDisplayName": title,
            "policyDefinitionEffect": "deny",
            "policyAssignmentId": assignment_id,
            "policyAssignmentName": self.name,
            "policyAssignmentDisplayName": title,
            "policyAssignmentScope": self.scope,
            "policyAssignmentParameters": {},
        }
        identifier = json.dumps(identifiers, separators=(",", ":"))
        return ArmError(
            403,
            "RequestDisallowedByPolicy",
            f"Resource '{target}' was disallowed by policy. Policy identifiers: '{identifier}'.",
            target=target,
            additional=({"type": "PolicyViolation", "info": info},),
        )


@dataclass
class Governance:
    """All rules in force; those of one kind have different names."""

    locks: dict[str, Lock] = field(default_factory=dict)
    deny_assignments: dict[str, DenyAssignment] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    subscription_state: str = "Enabled"

    def check(self, *, method: str, resource: str, kind: str, action: str, caller: tuple[str, str]) -> None:
        """Raise the `ArmError` of the first rule that forbids a request; `caller` is a client id and an object id."""
        reading = method not in CHANGES or action.lower().endswith("/read")
        for denial in self.deny_assignments.values():
            if denial.covers(resource) and any(fnmatchcase(action.lower(), one.lower()) for one in denial.actions):
                client, oid = caller
                raise ArmError(
                    403,
                    "DenyAssignmentAuthorizationFailed",
                    f"The client '{client}' with object id '{oid}' has permission to perform action '{action}' on "
                    f"scope '{resource}'; however, the access is denied because of the deny assignment with name "
                    f"'{denial.name}' and Id '{uuid.uuid5(uuid.NAMESPACE_URL, denial.name).hex}' at scope "
                    f"'{denial.scope}'.",
                )
        if reading:
            return
        self._check_subscription(resource)
        if not kind.lower().startswith("microsoft.authorization/"):
            self._check_locks(method, resource)

    def check_policies(self, *, method: str, resource: str, kind: str, body: dict[str, Any]) -> None:
        """Raise the `ArmError` of the first policy that a PUT or PATCH violates."""
        for policy in self.policies.values() if method in ("PUT", "PATCH") else ():
            if policy.covers(resource) and policy.violated(kind, body):
                raise policy.refusal(resource, kind)

    def _check_subscription(self, resource: str) -> None:
        if self.subscription_state in CLOSED_STATES:
            subscription = resource.strip("/").split("/")[1]
            raise ArmError(
                409,
                "ReadOnlyDisabledSubscription",
                f"The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform "
                "any write actions on this subscription until it is re-enabled.",
            )

    def _check_locks(self, method: str, resource: str) -> None:
        scopes = list(dict.fromkeys(self._locked(method, resource)))
        if scopes:
            # POST counts as writing, even where it only reads a secret.
            verb = "delete" if method == "DELETE" else "write"
            names = ",".join(f"'{scope}'" for scope in scopes)
            raise ArmError(
                409,
                "ScopeLocked",
                f"The scope '{resource}' cannot perform {verb} operation because following scope(s) are locked: "
                f"{names}. Please remove the lock and try again.",
            )

    def _locked(self, method: str, resource: str) -> Iterator[str]:
        """The scopes whose locks forbid this. Deleting also meets the locks of what lies below."""
        for lock in self.locks.values():
            below = method == "DELETE" and Rule("", resource).covers(lock.scope)
            if (lock.covers(resource) or below) and (method == "DELETE" or lock.level == "ReadOnly"):
                yield lock.scope
