"""What a foreign system's error means to people: one sentence and one remedy for cards, findings and answers.

By the error's class, and by its `reason` if one class covers several cases. The system's own message is not in here:
every view shows it after the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.model.azure import resource_group, subscription


@dataclass(frozen=True)
class Refusal:
    """Templates over an error's facts; `line` is for a shell, or empty if no command helps."""

    sentence: str
    remedy: str
    line: str = ""


def place(facts: Mapping[str, object]) -> dict[str, object]:
    """Subscription and resource group for an error's `line`: of the scope that Azure names, else of the target.

    A target may be at the cluster, whose group and subscription need not be the cloud registry's. Without an ARM id
    there is nothing in it.
    """
    arm_id = str(facts.get("scope") or facts.get("target") or "")
    values = {"subscription": subscription(arm_id), "group": resource_group(arm_id)}
    return {name: value for name, value in values.items() if value}


def words(error: str, reason: str = "", code: str = "") -> Refusal | None:
    """The words for an error's class name and `reason`, or for the bot's own `code`; None if it has them elsewhere."""
    return (WORDS.get((error, reason)) if reason else None) or KUBECONFIG.get(code) or WORDS.get((error, ""))


KUBECONFIG: Mapping[str, Refusal] = {
    "KubeconfigMissing": Refusal(
        "There is no kubeconfig at {target}, so the cluster can't be reached.",
        "Set `cluster.kubernetes.kubeconfig` in the site file, or put the file there.",
    ),
    "KubeconfigInvalid": Refusal("The kubeconfig {target} can't be used.", "Fix the file, then try again."),
    "ContextMissing": Refusal(
        "The kubeconfig has no such context: {target}.",
        "Set `cluster.kubernetes.context` in the site file to one that `kubectl config get-contexts` lists.",
    ),
    "CredentialPluginMissing": Refusal(
        "The kubeconfig's credential plugin can't be run.",
        "Install it where the bot runs, or give the bot a kubeconfig with a token.",
    ),
    "CredentialPluginSilent": Refusal(
        "The kubeconfig's credential plugin does not come to an end.",
        "Run the plugin by hand as the bot's user: it may wait for a person. Give the bot one that signs in by itself.",
    ),
    "CredentialPluginInteractive": Refusal(
        "The kubeconfig's credential plugin needs a person at a terminal.",
        "Give the bot a plugin that signs in by itself, or a kubeconfig with a token.",
    ),
    "CredentialPluginFailed": Refusal(
        "The kubeconfig's credential plugin returned no credentials.",
        "Run the plugin by hand as the bot's user to see why.",
    ),
}
"""Codes of the bot's own for a kubeconfig, whatever class of error they have."""


_OWNER = "Only those who run the bot can do that."

WORDS: Mapping[tuple[str, str], Refusal] = {
    ("Locked", "lock"): Refusal(
        "A management lock forbids this change of {target}.",
        "Remove the lock, or ask whoever set it.",
        "az lock list --resource-group {group} --subscription {subscription} --output table",
    ),
    ("Locked", "lock_on_subscription"): Refusal(
        "A management lock on the whole subscription forbids this change of {target}.",
        "Remove the lock, or ask whoever set it.",
        "az lock list --subscription {subscription} --output table",
    ),
    ("Locked", "policy"): Refusal(
        "An Azure policy forbids this change of {target}.",
        "Change what it objects to, if the site file has that, or ask those who manage the policy for an exemption.",
    ),
    ("Locked", "region"): Refusal(
        "Azure itself does not let the subscription have {target}, as a rule because of the region.",
        "Choose a region that the subscription may use (`acr.create_in` in the site file), or ask Azure's support for"
        " this one.",
    ),
    ("Locked", "subscription"): Refusal(
        "The subscription is disabled: it can be read but not changed.", "Have it enabled, then try again."
    ),
    ("Locked", "deny_assignment"): Refusal(
        "A deny assignment forbids this change of {target}, regardless of the bot's rights.",
        "Ask those who manage the resource group.",
    ),
    ("Locked", "deleting"): Refusal(
        "The resource group of {target} is being deleted.", "Wait until it is gone, or name another one."
    ),
    ("SubscriptionUnknown", ""): Refusal(
        "The bot's identity can't see the subscription in this cloud, so the state of {target} is unknown.",
        "Compare `subscription` in the site file, and the bot's `AZURE_CLOUD` and tenant, with the portal.",
        "az account list --output table",
    ),
    ("ResourceGroupUnknown", ""): Refusal(
        "The resource group of {target} does not exist in the subscription.",
        "Compare `resource_group` in the site file with the portal. The bot creates no resource groups.",
        "az group list --subscription {subscription} --output table",
    ),
    ("ProviderNotRegistered", ""): Refusal(
        "The subscription has not registered {provider}.",
        "Register it; that takes up to ten minutes.",
        "az provider register --namespace {provider} --subscription {subscription} --wait",
    ),
    ("VersionNotOffered", ""): Refusal(
        "This cloud offers {resource_type} in no API version that the bot supports. Its newest one is {newest}.",
        "Update the bot, or try that version with the setting `REGISTRY_BOT_AZURE_API_VERSIONS`: {setting}.",
    ),
    ("NotOfferedInRegion", ""): Refusal(
        "This is not offered in the region {region}. It is offered in: {offered}.",
        "Choose one of these regions. For an extension, the region of the Arc-enabled cluster decides.",
    ),
    ("NameTaken", ""): Refusal(
        "Somebody else has this name: names of cloud registries are unique in the whole cloud.",
        "Choose another `acr.name` in the site file.",
    ),
    ("Busy", ""): Refusal("{target} is being changed already.", "Wait until that has finished, then try again."),
    ("Refused", "quota"): Refusal(
        "A quota or a limit of the service is reached, so {target} can't be made or changed.",
        "Delete what nobody needs, or have the limit raised.",
    ),
    ("Unreadable", ""): Refusal(
        "SYSTEM's answer could not be understood, so the state of {target} is unknown.",
        "Check whether a proxy answered in its place, then try again.",
    ),
    ("Unreachable", "context"): Refusal(
        "The site names no context, and the kubeconfig {target} has several.",
        "Set `cluster.kubernetes.context` in the site file to the one that leads to this site's cluster.",
        "kubectl config get-contexts",
    ),
    ("Unreachable", "arc_kubeconfig"): Refusal(
        "The Arc proxy of this site has written no kubeconfig at {target}, so it probably does not run.",
        "Start it where the bot runs, with `--file` naming that place (docs/connect.md, An Arc proxy beside the bot).",
    ),
    ("Unreachable", "arc_proxy"): Refusal(
        "The Arc proxy of this site does not listen where its kubeconfig says, so it does not run.",
        "Start it where the bot runs (docs/connect.md, An Arc proxy beside the bot), and look why it ended.",
    ),
    ("Unreachable", "arc_relay"): Refusal(
        "The Arc proxy of this site runs, but has no answer from the cluster.",
        "Check again in a minute. If it stays like that, restart the proxy: it fetches a new credential for the relay"
        " then; and check that the bot's machine reaches Azure Relay (docs/connect.md has its hosts by cloud).",
    ),
    ("AgentsAway", ""): Refusal(
        "Azure Arc has no contact with the cluster ({state}, last heartbeat {last_heartbeat}), so its Arc proxy leads"
        " nowhere.",
        "Look at the site: whether it has power, whether it reaches Azure, and whether the Arc agents run there."
        " Restarting the proxy does not help.",
        "kubectl get pods --namespace azure-arc",
    ),
    ("AgentsAway", "expired"): Refusal(
        "The Arc agents' identity has expired (last heartbeat {last_heartbeat}), so the Arc proxy leads nowhere.",
        "Disconnect the cluster from Azure Arc and connect it again, at the site. Restarting the proxy does not help.",
    ),
    ("WrongCluster", ""): Refusal(
        "The kubeconfig leads to another cluster: to {actual} instead of the site's cluster {expected}.",
        "Set `cluster.kubernetes.kubeconfig` and `cluster.kubernetes.context` in the site file to the site's cluster."
        " If it is the right cluster, connected to Azure Arc again under another name, correct `cluster` there.",
        "kubectl config get-contexts",
    ),
    ("WrongCluster", "own"): Refusal(
        "The site names no kubeconfig, so the bot would use the cluster that it runs in, which does not identify itself"
        " as {expected}.",
        "Set `cluster.kubernetes.kubeconfig` and `cluster.kubernetes.context` in the site file. If it is the right"
        " cluster, apply `deploy/rbac/read-only.yaml`.",
    ),
    ("WrongCluster", "unproven"): Refusal(
        "The bot writes nothing into {target}, because the cluster does not identify itself.",
        "Apply `deploy/rbac/read-only.yaml`, and check that the Arc agents are running.",
        "kubectl get configmap azure-clusterconfig --namespace azure-arc",
    ),
    ("NoAccess", ""): Refusal(
        "The bot has no access to the cluster of {target} (`access: none` in the site file), so it can't look or do"
        " anything there.",
        "To allow it, let the bot reach the cluster's API server, by itself or through an Arc proxy beside it (`access:"
        " arc`), and give the site a kubeconfig in place of `access: none`.",
    ),
    ("Throttled", "until"): Refusal("SYSTEM throttles requests about {target} until {until}.", "Try again after that."),
    ("NotAllowed", "scope"): Refusal(
        "SYSTEM does not let the bot do this: the bot's own identity lacks {action} at {scope}.",
        "Grant it that right; a role that was granted or activated a moment ago takes up to ten minutes to act."
        f" {_OWNER}",
    ),
    ("NotAllowed", "images"): Refusal(
        "The bot's own identity may not read images of {target}: it lacks {action}.",
        "Give it a role that reads images (docs/connect.md names them); a new one takes up to ten minutes to act. In a"
        " registry with permissions by repository (ABAC), AcrPull gives nothing, and a condition on a role may leave"
        f" this repository out. {_OWNER}",
    ),
    ("Refused", "network"): Refusal(
        "The network rules of the cloud registry keep the bot from the images of {target}.",
        "Allow the address that its message names, or let the bot reach the registry's private endpoint. What Azure"
        " Resource Manager does for the bot is not affected.",
    ),
    ("NotAuthenticated", "arc_credential"): Refusal(
        "The cluster rejects the token that its Arc proxy was started with: it has expired, or its account is gone.",
        f"Create a new token, and restart the proxy with it (docs/connect.md, An Arc proxy beside the bot). {_OWNER}",
    ),
    ("NotAuthenticated", "unknown"): Refusal(
        "The site file names an identity that the bot was not started with ({message}).",
        f"Add it to the file that `REGISTRY_BOT_IDENTITIES` names, and restart the bot. {_OWNER}",
    ),
    ("NotAuthenticated", "subject"): Refusal(
        "Microsoft Entra has no federated credential that matches the bot's token.",
        f"Compare subject, issuer and audience exactly; subjects are case-sensitive. {_OWNER}",
    ),
    ("NotAuthenticated", "secret"): Refusal(
        "Microsoft Entra rejects the bot's client secret.", f"Create a new secret. {_OWNER}"
    ),
    ("NotAuthenticated", "tenant"): Refusal(
        "The bot's tenant or cloud is wrong.",
        "Check the tenant of the bot's identity, and `AZURE_CLOUD`. A site in another tenant needs an identity of that"
        f" tenant (`identity` in the site file). {_OWNER}",
    ),
    ("NotAuthenticated", "application"): Refusal(
        "The tenant has no application with the client id of the bot's identity, or no service principal of it.",
        "Check the client id and the tenant of that identity, and `AZURE_CLOUD`. An application of another tenant needs"
        f" a service principal in this one (`az ad sp create`). {_OWNER}",
    ),
    ("NotAuthenticated", "disabled"): Refusal(
        "The bot's application is disabled in Microsoft Entra.",
        f"Ask whoever disabled it before it is enabled again. {_OWNER}",
    ),
    ("NotAuthenticated", "person"): Refusal(
        "Microsoft Entra wants a person to sign in: the bot uses somebody's own sign-in, which has ended.",
        "Give the bot an identity of its own (docs/connect.md). Until then, that person can sign in again on the bot's"
        f" machine by `az login`. {_OWNER}",
    ),
    ("NotAuthenticated", "clock"): Refusal(
        "The token by which the bot signs in is not valid at this time.",
        "Compare the clock of the bot's machine with the right time, and check that its token file is renewed."
        f" {_OWNER}",
    ),
    ("NotAuthenticated", "policy"): Refusal(
        "Conditional access blocks the bot from signing in.",
        "The sign-in log of Microsoft Entra names the policy: have it allow the place where the bot runs, or leave out"
        f" the bot's identity. {_OWNER}",
    ),
}
