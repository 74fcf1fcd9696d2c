"""What a foreign system's error means to people: one sentence and one remedy for cards, findings and answers.

By the error's class, and by the word in its `reason` where one class covers several cases. The system's own words are
not in here: every view shows them behind the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Templates with gaps for facts; `line` is for a shell, empty where none helps."""

    sentence: str
    remedy: str
    line: str = ""


def words(error: str, reason: str = "") -> Refusal | None:
    """The words for an error's class name and `reason`; None for an error that the views word themselves."""
    return WORDS.get((error, reason)) or WORDS.get((error, ""))


_OWNER = "Whoever runs the bot has to see to that."

WORDS: Mapping[tuple[str, str], Refusal] = {
    ("Locked", "lock"): Refusal(
        "A management lock forbids this change of {target}.",
        "Remove the lock, or ask those who set it.",
        "az lock list --resource-group {group} --output table",
    ),
    ("Locked", "policy"): Refusal(
        "An Azure policy forbids this change of {target}.",
        "Change the site file so that it fits the policy, or ask for an exemption.",
    ),
    ("Locked", "subscription"): Refusal(
        "The subscription is disabled: it can be read and not changed.", "Have it enabled, then try again."
    ),
    ("Locked", "deny_assignment"): Refusal(
        "A deny assignment forbids this change of {target}, whatever rights the bot has.",
        "Ask those who manage the resource group.",
    ),
    ("Locked", "deleting"): Refusal(
        "The resource group of {target} is being deleted.", "Wait until it is gone, or name another one."
    ),
    ("SubscriptionUnknown", ""): Refusal(
        "The bot's identity sees no such subscription in this cloud, which says nothing about {target}.",
        "Compare `subscription` in the site file, and the bot's `AZURE_CLOUD` and tenant, with the portal.",
        "az account show --subscription {subscription}",
    ),
    ("ResourceGroupUnknown", ""): Refusal(
        "The subscription has no such resource group, which says nothing about {target}.",
        "Compare `resource_group` in the site file with the portal. The bot creates no resource groups.",
        "az group list --output table",
    ),
    ("ProviderNotRegistered", ""): Refusal(
        "The subscription has not registered {provider}.",
        "Register it; that takes up to ten minutes.",
        "az provider register --namespace {provider} --wait",
    ),
    ("VersionNotOffered", ""): Refusal(
        "This cloud offers {resource_type} in no api-version that the bot knows. It offers: {offered}.",
        "Set `REGISTRY_BOT_AZURE_API_VERSIONS` to one of them, or update the bot.",
    ),
    ("NotOfferedInRegion", ""): Refusal(
        "This is not offered in the region {region}. It is offered in: {offered}.",
        "Choose one of these regions. For an extension, the region of the Arc-enabled cluster decides.",
    ),
    ("NameTaken", ""): Refusal(
        "Somebody else has this name: names of cloud registries are unique in the whole cloud.",
        "Choose another `acr.name` in the site file.",
    ),
    ("Busy", ""): Refusal("Another change of {target} is under way.", "Wait until it has ended, then try again."),
    ("Unreadable", ""): Refusal(
        "SYSTEM's answer about {target} could not be understood, which says nothing about {target}.",
        "Look for a proxy on the way, which may have answered in its place. Then try again.",
    ),
    ("WrongCluster", ""): Refusal(
        "The kubeconfig leads to another cluster: it is {actual}, and the site's is {expected}.",
        "Set `cluster.kubernetes.kubeconfig` and `cluster.kubernetes.context` in the site file to the site's cluster.",
        "kubectl config get-contexts",
    ),
    ("WrongCluster", "own"): Refusal(
        "The site names no kubeconfig, so its cluster would be the one that the bot runs in. That one does not say that"
        " it is {expected}.",
        "Set `cluster.kubernetes.kubeconfig` and `cluster.kubernetes.context` in the site file. If it is that cluster,"
        " apply `deploy/rbac/read-only.yaml`.",
    ),
    ("WrongCluster", "unproven"): Refusal(
        "Nothing is written into {target}, since it does not say which Arc-enabled cluster it is.",
        "Apply `deploy/rbac/read-only.yaml`, and look whether the Arc agents run.",
        "kubectl get configmap azure-clusterconfig --namespace azure-arc",
    ),
    ("Throttled", "until"): Refusal(
        "SYSTEM was asked too often and wants no request about {target} before {until}.", "Try again after that."
    ),
    ("NotAllowed", "scope"): Refusal(
        "SYSTEM does not let the bot do this: the bot's own identity lacks {action} at {scope}.",
        "Give it that right. Whoever asked can't change it.",
    ),
    ("NotAuthenticated", "subject"): Refusal(
        "Microsoft Entra knows no federated credential that fits the bot's token.",
        f"Compare subject, issuer and audience letter by letter; subjects are case-sensitive. {_OWNER}",
    ),
    ("NotAuthenticated", "secret"): Refusal(
        "Microsoft Entra does not accept the bot's client secret.", f"Create a new secret. {_OWNER}"
    ),
    ("NotAuthenticated", "tenant"): Refusal(
        "The bot's tenant or cloud does not fit.", f"Compare `AZURE_TENANT_ID` and `AZURE_CLOUD`. {_OWNER}"
    ),
    ("NotAuthenticated", "policy"): Refusal(
        "Conditional access keeps the bot from signing in.", f"Exempt the bot's identity. {_OWNER}"
    ),
}
