"""What the preflight checks found, in words: one sentence, how to mend it, and the line that mends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from handlers.views import refusals
from handlers.views.facts import sentence, shell
from services.model.plan import Finding
from services.operations.deploy.checks.codes import Code

Level = Literal["ok", "warning", "blocker", "unknown"]
ICONS: dict[Level, str] = {
    "ok": ":white_check_mark:",
    "warning": ":warning:",
    "blocker": ":no_entry:",
    "unknown": ":grey_question:",
}
_ORDER: tuple[Level, ...] = ("blocker", "unknown", "warning", "ok")


@dataclass(frozen=True)
class Told:
    """A finding as people read it. `line` is for their own shell; `command` is what a button of the bot runs."""

    level: Level
    icon: str
    sentence: str
    mend: str = ""
    line: str = ""
    command: str = ""


@dataclass(frozen=True)
class _Words:
    sentence: str
    mend: str = ""
    line: str = ""
    command: str = ""


def told(finding: Finding) -> Told:
    """The finding in mrkdwn; `line` and `command` are plain text, empty where there is none."""
    words = _unasked(finding) if finding.code == Code.UNASKED else WORDS[Code(finding.code)]
    return Told(
        finding.level,
        ICONS[finding.level],
        sentence(words.sentence, finding.facts),
        sentence(words.mend, finding.facts),
        shell(words.line, finding.facts),
        shell(words.command, finding.facts),
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Most urgent first; otherwise in the order of the checks."""
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.level)))


def _unasked(finding: Finding) -> _Words:
    """Why a question has no answer: the bot's own identity, or the way to the other system."""
    system = "the cluster" if finding.facts.get("service") == "kubernetes" else "Azure"
    words = _UNASKED.get(str(finding.facts.get("error")), _UNASKED["Unreachable"])
    if refusal := refusals.words(str(finding.facts.get("error")), str(finding.facts.get("reason") or "")):
        own = " In its words: {message}" if finding.facts.get("message") else ""
        words = _Words(f"{{title}} has no answer. {refusal.sentence}{own}", refusal.remedy, refusal.line)
    if finding.facts.get("error") == "NotAllowed" and not finding.facts.get("action"):
        words = _NOT_ALLOWED
    if finding.facts.get("code") in _KUBECONFIG:
        words = _KUBECONFIG[str(finding.facts["code"])]
    return _Words(words.sentence.replace("SYSTEM", system), words.mend, words.line, "check {site}")


_UNASKED = {
    "Unreachable": _Words(
        "Could not ask SYSTEM: {title} has no answer ({code}: {message}).", "It may pass; check again."
    ),
    "NotAuthenticated": _Words(
        "SYSTEM does not accept the bot's identity ({code}), so {title} has no answer.",
        "Renew the bot's credentials and check again.",
    ),
    "NotAllowed": _Words(
        "The bot itself may not ask SYSTEM for {title}: it lacks {action}.",
        "Give the bot's identity that right; the one who asked can't change it.",
    ),
    "Throttled": _Words("SYSTEM is asked too often, so {title} has no answer.", "Check again in a minute."),
    "Refused": _Words("SYSTEM refused the question {title} ({code}: {message}).", "Check again."),
}
_NOT_ALLOWED = _Words(
    "The bot itself may not ask SYSTEM for {title} ({code}: {message}).",
    "Give the bot's identity that right; the one who asked can't change it.",
)
_KUBECONFIG = {
    "KubeconfigMissing": _Words(
        "There is no kubeconfig at {target}, so the cluster can't be asked.",
        "Set `cluster.kubernetes.kubeconfig` in the site file, or put the file there.",
    ),
    "KubeconfigInvalid": _Words("The kubeconfig {target} can't be used: {message}.", "Mend the file and check again."),
    "ContextMissing": _Words(
        "The kubeconfig has no such context: {target}.",
        "Set `cluster.kubernetes.context` in the site file to one that `kubectl config get-contexts` lists.",
    ),
    "CredentialPluginFailed": _Words(
        "The kubeconfig's credential plugin gave no credentials ({message}).",
        "Run the plugin by hand as the bot's user to see why.",
    ),
}

_REGISTRY = "--registry {registry} --resource-group {group}"
_ACR = "--name {registry} --resource-group {group}"
_CLUSTER = "--cluster-name {cluster} --cluster-type connectedClusters --resource-group {cluster_group}"

WORDS: dict[Code, _Words] = {
    Code.PROVIDERS_REGISTERED: _Words("All resource providers are registered."),
    Code.PROVIDERS_MISSING: _Words(
        "Not registered yet: {missing}.",
        "The deployment registers them; it takes up to ten minutes.",
        "for provider in Microsoft.Kubernetes Microsoft.KubernetesConfiguration Microsoft.ExtendedLocation"
        " Microsoft.ContainerRegistry; "
        'do az provider register --subscription {subscription} --namespace "$provider"; done',
    ),
    Code.REGISTRY_FOUND: _Words("The registry {registry} exists in {location}."),
    Code.REGISTRY_TO_CREATE: _Words(
        "There is no registry {registry} yet: it is created in {location}, tier Premium, and costs money from then on."
    ),
    Code.REGISTRY_ABSENT: _Words(
        "There is no registry {registry} in the resource group {group}.",
        "Create it, or set `acr.create_in` in the site file to let the deployment do so.",
        f"az acr create {_ACR} --subscription {{subscription}} --sku Premium --data-endpoint-enabled true",
    ),
    Code.REGISTRY_PREMIUM: _Words("The registry is Premium."),
    Code.REGISTRY_NOT_PREMIUM: _Words(
        "The registry {registry} is {sku}; connected registries need Premium.",
        "Upgrade it (the price changes) or name another registry in the site file.",
        f"az acr update {_ACR} --sku Premium",
    ),
    Code.REGISTRY_READY: _Words("The registry is not being changed."),
    Code.REGISTRY_BUSY: _Words(
        "The registry is being changed at the moment ({state}).", "Azure may ask the deployment to wait."
    ),
    Code.REGISTRY_BROKEN: _Words(
        "The registry's last change ended as {state}.",
        "Look into it in the Azure portal and repeat the change.",
        f"az acr show {_ACR}",
    ),
    Code.DATA_ENDPOINT_ON: _Words("The dedicated data endpoint is on ({hosts})."),
    Code.DATA_ENDPOINT_OFF: _Words(
        "The dedicated data endpoint is off; the deployment switches it on. "
        "From then on clients fetch from {hosts}, which firewalls must let through.",
        "Switch it on beforehand if firewall rules have to be prepared.",
        f"az acr update {_ACR} --data-endpoint-enabled true",
    ),
    Code.CLUSTER_CONNECTED: _Words("The cluster {cluster} is connected to Azure Arc (last heartbeat {heartbeat})."),
    Code.CLUSTER_ABSENT: _Words(
        "Azure Arc knows no cluster {cluster} in the resource group {cluster_group}.",
        "Connect it, or correct the site file.",
        "az connectedk8s connect --name {cluster} --resource-group {cluster_group}",
    ),
    Code.CLUSTER_CONNECTING: _Words(
        "The cluster {cluster} is still connecting to Azure Arc.", "Check again in a few minutes.", "", "check {site}"
    ),
    Code.CLUSTER_OFFLINE: _Words(
        "The cluster {cluster} is {state}: Azure has had no heartbeat for more than 15 minutes (the last {heartbeat}).",
        "Look at the agents and the cluster's way to Azure.",
        "kubectl get pods --namespace azure-arc",
    ),
    Code.CLUSTER_EXPIRED: _Words(
        "The identity certificate of the cluster {cluster} has expired (last heartbeat {heartbeat}).",
        "Disconnect the cluster and connect it again.",
        "az connectedk8s delete --name {cluster} --resource-group {cluster_group} && "
        "az connectedk8s connect --name {cluster} --resource-group {cluster_group}",
    ),
    Code.NAME_FREE: _Words("The name {name} is free."),
    Code.CONNECTED_REUSED: _Words(
        "The connected registry {name} exists as asked ({state}, {activation}) and is reused."
    ),
    Code.CONNECTED_MODE_DIFFERS: _Words(
        "{name} exists with the mode {mode}, not {wanted}; a mode can't be changed.",
        "Ask for the mode that it has, or take another name.",
    ),
    Code.CONNECTED_HAS_PARENT: _Words(
        "{name} exists under the parent {parent}, not directly under the registry.", "Take another name."
    ),
    Code.CONNECTED_TOKEN_DIFFERS: _Words(
        "{name} exists and syncs with the token {token}, not {wanted}.", "Take another name."
    ),
    Code.CONNECTED_SETTINGS_DIFFER: _Words(
        "{name} exists with other values: {changes}.",
        "Ask for the values that it has, or change it first.",
        f"az acr connected-registry update --name {{name}} {_REGISTRY}",
    ),
    Code.CONNECTED_BUSY: _Words(
        "{name} is being changed at the moment ({state}).", "Check again soon.", "", "check {site}"
    ),
    Code.QUOTA_LEFT: _Words("The registry has {count} of at most {limit} connected registries."),
    Code.QUOTA_FULL: _Words(
        "The registry has {count} connected registries; {limit} is the limit.",
        "Delete one that is not needed, or use another registry.",
        f"az acr connected-registry list {_REGISTRY} --output table",
    ),
    Code.SCOPE_MAP_FREE: _Words("There is no scope map {name} yet."),
    Code.SCOPE_MAP_REUSED: _Words("The scope map {name} allows just what is needed and is reused."),
    Code.SCOPE_MAP_CHANGES: _Words(
        "The scope map of {name} changes. Added: {added}. Removed: {removed}.",
        "What is removed is no longer synced to the edge.",
    ),
    Code.SCOPE_MAP_FOREIGN: _Words(
        "There is a scope map {name} that is not this connected registry's, with other permissions "
        "(it lacks {added}, and has {removed} beyond). It is not overwritten.",
        "Take another name, or delete the scope map if nothing uses it.",
        f"az acr scope-map delete --name {{name}} {_REGISTRY}",
    ),
    Code.PERMISSIONS_FIT: _Words(
        "The scope map needs {count} of at most {limit} permissions (repositories: {repositories})."
    ),
    Code.PERMISSIONS_TOO_MANY: _Words(
        "{repositories} repositories need {count} permissions; a scope map holds {limit}.",
        "Sync fewer repositories: 248 at most with ReadOnly, 99 with ReadWrite.",
    ),
    Code.TOKEN_FREE: _Words("There is no token {name} yet."),
    Code.TOKEN_REUSED: _Words(
        "The sync token {name} exists and is reused; installing the extension gives it a new password."
    ),
    Code.TOKEN_FOREIGN: _Words(
        "There is a token {name} with another scope map ({scope_map}). It is not overwritten.",
        "Take another name, or delete the token if nothing uses it.",
        f"az acr token delete --name {{name}} {_REGISTRY}",
    ),
    Code.TOKEN_IN_USE: _Words(
        "The token {name} is the sync token of another connected registry, {user}.", "Take another name."
    ),
    Code.TOKEN_DISABLED: _Words(
        "The token {name} has been disabled by somebody, so the connected registry could not sync.",
        "Enable it if that was not meant to cut it off.",
        f"az acr token update --name {{name}} {_REGISTRY} --status enabled",
    ),
    Code.EXTENSION_FREE: _Words("The cluster has no connected registry extension yet."),
    Code.EXTENSION_REUSED: _Words("The extension {extension} is installed as asked (version {version}) and is reused."),
    Code.EXTENSION_IDLE: _Words(
        "The extension {extension} is installed, but {name} is not activated: its connection string may be an old one."
    ),
    Code.EXTENSION_FAILED: _Words(
        "The extension {extension} is there but {state}: {problems}.", "The deployment installs it again."
    ),
    Code.EXTENSION_BUSY: _Words(
        "The extension {extension} is being changed at the moment ({state}).", "Check again soon.", "", "check {site}"
    ),
    Code.EXTENSION_OTHER_NAME: _Words(
        "The cluster has a connected registry extension already, {other} (Service address {address}); "
        "only one fits in a cluster.",
        "Use another cluster, or delete that extension first.",
        f"az k8s-extension delete --name {{other}} {_CLUSTER}",
    ),
    Code.EXTENSION_OTHER_REGISTRY: _Words(
        "The cluster has an extension {extension}, but the registry has no connected registry {name}: "
        "it belongs to another one.",
        "Delete the extension first.",
        f"az k8s-extension delete --name {{extension}} {_CLUSTER}",
    ),
    Code.EXTENSION_NAME_TAKEN: _Words(
        "The name {extension} is taken by an extension of another type ({type}).",
        "Give another name with `--extension-name`.",
    ),
    Code.EXTENSION_SETTINGS_DIFFER: _Words(
        "The extension {extension} is installed with other settings: {changes}. They can't be changed in place.",
        "Ask for the settings that it has, or delete the extension first.",
        f"az k8s-extension delete --name {{extension}} {_CLUSTER}",
    ),
    Code.NOT_ACTIVATED: _Words("{name} is not activated anywhere."),
    Code.ACTIVATED_HERE: _Words("{name} is activated, and its extension is here."),
    Code.ALREADY_ACTIVATED: _Words(
        "{name} is activated by an installation that is not in this cluster (last seen {last_activity}); "
        "a second one is refused with `ALREADY_ACTIVATED`.",
        "Deactivate it if the old installation is gone.",
        f"az acr connected-registry deactivate --name {{name}} {_REGISTRY}",
    ),
    Code.KUBERNETES_REACHED: _Words("The Kubernetes API answers (version {version})."),
    Code.RIGHTS_COMPLETE: _Words("The bot has all rights in the cluster that a deployment uses."),
    Code.RIGHTS_MISSING: _Words(
        "The bot lacks rights in the cluster: {missing}.",
        "Apply the bot's manifests as a cluster administrator.",
        "kubectl apply --filename deploy/rbac/read-only.yaml --filename deploy/rbac/deploying.yaml",
    ),
    Code.NAMESPACE_USABLE: _Words("The namespace {namespace} is usable."),
    Code.NAMESPACE_TERMINATING: _Words(
        "The namespace {namespace} is still being deleted; nothing can be installed until it is gone.",
        "Wait, or look at what holds it.",
        "kubectl get namespace {namespace} --output yaml",
    ),
    Code.NODE_FOUND: _Words("There is a ready linux/amd64 node ({nodes})."),
    Code.NODE_NOT_READY: _Words(
        "No linux/amd64 node is ready: {nodes}.",
        "Bring one back.",
        "kubectl describe nodes --selector kubernetes.io/arch=amd64",
    ),
    Code.NODE_ABSENT: _Words(
        "The cluster has no linux/amd64 node (it has {platforms}); the extension runs on nothing else.",
        "Add a linux/amd64 node.",
    ),
    Code.STORAGE_FOUND: _Words("The storage class {storage_class} exists."),
    Code.STORAGE_ABSENT: _Words(
        "There is no storage class {storage_class}; the cluster has {classes}.",
        "Name one of these with `--storage-class`, or create it.",
        "kubectl get storageclasses",
    ),
    Code.STORAGE_NO_DEFAULT: _Words(
        "The cluster has no default storage class, so the volume would stay Pending. Its storage classes: {classes}.",
        "Mark one as default or name one with `--storage-class`; if there is none, create one.",
        "kubectl get storageclasses",
    ),
    Code.CERT_MANAGER_TO_INSTALL: _Words("There is no cert-manager yet; the extension brings its own."),
    Code.CERT_MANAGER_THERE: _Words("cert-manager is there already, so the extension is told not to install it."),
    Code.CERT_MANAGER_KEPT: _Words("cert-manager is there; the extension's setting for it stays as it is."),
    Code.ADDRESS_KEPT: _Words("The Service address {address} is this extension's own and stays."),
    Code.ADDRESS_GIVEN: _Words("The Service address {address} lies in {range} and is free."),
    Code.ADDRESS_PICKED: _Words("The Service address {address} is free in {range} and was picked."),
    Code.ADDRESS_PICKED_HIGH: _Words(
        "The Service address {address} was picked from the upper part of {range}, because the part that is left to "
        "people is full: the cluster may take it at any time before it is held."
    ),
    Code.ADDRESS_OUTSIDE: _Words(
        "The Service address {address} lies in none of the cluster's Service ranges ({ranges}).",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
    ),
    Code.ADDRESS_RESERVED: _Words(
        "The Service address {address} is the network or broadcast address of {range}.",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
    ),
    Code.ADDRESS_TAKEN: _Words(
        "The Service address {address} is in use.",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
        "kubectl get services --all-namespaces | grep --word-regexp {address}",
    ),
    Code.ADDRESS_LEASED: _Words(
        "The Service address {address} is spoken for by another operation at this cluster.",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
    ),
    Code.ADDRESSES_FULL: _Words(
        "No Service address is free in {ranges}: of {size}, {used} are in use and {leased} spoken for by others.",
        "Add a ServiceCIDR, or delete Services that are not needed.",
        "kubectl get services --all-namespaces",
    ),
}
"""A sentence for every code but `unasked`, whose words depend on the error."""
