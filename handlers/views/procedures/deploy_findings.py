"""The findings of a deployment's checks in words: one sentence, how to fix the problem, and the line that does."""

from collections.abc import Mapping

from handlers.views.procedures.words import (
    ACR_OPTIONS,
    ARC_OPTIONS,
    CLUSTER_OPTIONS,
    PARENT_FINDINGS,
    REGISTRY_OPTIONS,
    FindingWords,
)
from services.operations.deploy.codes import Code, ExtensionCode

FINDINGS: Mapping[str, FindingWords] = {
    Code.PROVIDERS_REGISTERED: FindingWords("All resource providers are registered."),
    Code.PROVIDERS_MISSING: FindingWords(
        "Not registered yet: {missing}.",
        "The deployment registers them; it takes up to ten minutes.",
        "for provider in Microsoft.Kubernetes Microsoft.KubernetesConfiguration Microsoft.ExtendedLocation; "
        'do az provider register --subscription {cluster_subscription} --namespace "$provider"; done; '
        "az provider register --subscription {subscription} --namespace Microsoft.ContainerRegistry",
    ),
    Code.REGISTRY_FOUND: FindingWords("The registry {registry} exists in {location}."),
    Code.REGISTRY_TO_CREATE: FindingWords(
        "There is no registry {registry} yet. It is created in {location}, in the Premium tier, which costs money."
    ),
    Code.REGISTRY_NAME_TAKEN: FindingWords(
        "No registry can be created under the name {registry}. Azure says: {message}",
        "Choose another name for it in the site file (`acr.name`); it has to be unique in the whole cloud.",
    ),
    Code.REGISTRY_ABSENT: FindingWords(
        "There is no registry {registry} in the resource group {group}.",
        "Create it, or set `acr.create_in` in the site file to let the deployment do so.",
        f"az acr create {ACR_OPTIONS} --sku Premium --data-endpoint-enabled true",
    ),
    Code.REGISTRY_PREMIUM: FindingWords("The registry is Premium."),
    Code.REGISTRY_NOT_PREMIUM: FindingWords(
        "The registry {registry} is {sku}; connected registries need Premium.",
        "Upgrade it (the price changes) or name another registry in the site file.",
        f"az acr update {ACR_OPTIONS} --sku Premium",
        "acr update {site}",
    ),
    Code.REGISTRY_READY: FindingWords("The registry is not being changed."),
    Code.REGISTRY_BUSY: FindingWords(
        "The registry is being changed at the moment ({state}).", "Azure may ask the deployment to wait."
    ),
    Code.REGISTRY_BROKEN: FindingWords(
        "The registry's last change ended as {state}.",
        "Look into it in the Azure portal and repeat the change.",
        f"az acr show {ACR_OPTIONS}",
    ),
    Code.DATA_ENDPOINT_ON: FindingWords("The dedicated data endpoint is on ({hosts})."),
    Code.DATA_ENDPOINT_OFF: FindingWords(
        "The dedicated data endpoint is off; the deployment enables it. "
        "From then on clients fetch from hosts of its own, which firewalls must let through.",
        "If firewall rules have to be prepared, enable it beforehand: `check` then shows the hosts.",
        f"az acr update {ACR_OPTIONS} --data-endpoint-enabled true",
    ),
    Code.REGISTRY_PRIVATE: FindingWords(
        "The public network access of {registry} is off: the edge reaches it through a private endpoint or not at all.",
        "See to it that the cluster resolves {hosts} to the private endpoint.",
    ),
    Code.REGISTRY_FENCED: FindingWords(
        "{registry} lets in only the networks that its rules list, and an edge from elsewhere never comes online.",
        "See to it that the address by which the cluster reaches the internet is among them.",
        f"az acr network-rule list {ACR_OPTIONS}",
    ),
    Code.IMAGES_FOUND: FindingWords("Each repository holds an image, or gets the one that the site imports."),
    Code.IMAGE_DIFFERS: FindingWords(
        "{registry} has {image} as {digest}; the site file wants {expected}, and an import never overwrites.",
        "Delete that tag if nothing needs it, or name another tag in the site file.",
    ),
    Code.REPOSITORIES_EMPTY: FindingWords(
        "Nothing is in {empty}: {registry} has no tag there, and the site imports none.",
        "Push or import an image first, or correct `--repository`.",
        "az acr repository list --name {registry} --subscription {subscription} --output table",
    ),
    Code.REPOSITORIES_EMPTY_FOR_NOW: FindingWords(
        "Nothing is in {empty} yet: {registry} has no tag there, and the site imports none. "
        "The edge serves nothing from there until something is pushed.",
    ),
    Code.REPOSITORY_MISSPELT: FindingWords(
        "Nothing is in {empty}: {registry} has no tag there, and the site imports none. Did you mean {near}?",
        "Correct `--repository`, or push an image first.",
        "az acr repository list --name {registry} --subscription {subscription} --output table",
    ),
    Code.CLUSTER_CONNECTED: FindingWords(
        "The cluster {cluster} is connected to Azure Arc (last heartbeat {heartbeat})."
    ),
    Code.CLUSTER_ABSENT: FindingWords(
        "Azure Arc has no cluster {cluster} in the resource group {cluster_group}.",
        "Connect it, or correct the site file.",
        f"az connectedk8s connect {ARC_OPTIONS}",
    ),
    Code.CLUSTER_CONNECTING: FindingWords(
        "The cluster {cluster} is still connecting to Azure Arc.",
        "Check again in a few minutes. If it stays like that, its Arc agents do not start or do not reach Azure.",
        "kubectl get pods --namespace azure-arc",
        "check {site}",
    ),
    Code.CLUSTER_NO_AGENTS: FindingWords(
        "Azure has a resource for the cluster {cluster}, but no Arc agents are installed in the cluster.",
        "Connect the cluster, or correct the site file if it is connected under another name.",
        f"az connectedk8s connect {ARC_OPTIONS}",
    ),
    Code.CLUSTER_STATE_UNKNOWN: FindingWords(
        "Azure shows the cluster {cluster} as {state}, which the bot does not know (last heartbeat {heartbeat})."
    ),
    Code.CLUSTER_OFFLINE: FindingWords(
        "The cluster {cluster} is {state}: Azure has had no heartbeat for more than 15 minutes "
        "(last heartbeat {heartbeat}).",
        "Check the agents and the cluster's connection to Azure.",
        "kubectl get pods --namespace azure-arc",
    ),
    Code.CLUSTER_EXPIRED: FindingWords(
        "The identity certificate of the cluster {cluster} has expired (last heartbeat {heartbeat}).",
        "Disconnect the cluster and connect it again.",
        f"az connectedk8s delete {ARC_OPTIONS} && az connectedk8s connect {ARC_OPTIONS}",
    ),
    Code.NAME_FREE: FindingWords("The name {name} is free."),
    Code.CONNECTED_REUSED: FindingWords(
        "The connected registry {name} exists as requested ({state}, {activation}) and is reused."
    ),
    Code.CONNECTED_MODE_DIFFERS: FindingWords(
        "{name} exists with the mode {mode}, not {wanted}; a mode can't be changed.",
        "Use its mode, or choose another name.",
    ),
    Code.CONNECTED_HAS_PARENT: FindingWords(
        "{name} exists under the parent {parent}, not directly under the registry.",
        "Install its extension alone with `extension deploy`, or choose another name.",
    ),
    Code.CONNECTED_TOKEN_DIFFERS: FindingWords(
        "{name} exists and syncs with the token {token}, not {wanted}.", "Choose another name."
    ),
    Code.CONNECTED_SETTINGS_DIFFER: FindingWords(
        "{name} exists with other values: {changes}.",
        "Use its values, or change it first.",
        f"az acr connected-registry update --name {{name}} {REGISTRY_OPTIONS}",
    ),
    Code.CONNECTED_BUSY: FindingWords(
        "{name} is being changed at the moment ({state}).", "Check again soon.", "", "check {site}"
    ),
    Code.QUOTA_LEFT: FindingWords("The registry has {count} of at most {limit} connected registries."),
    Code.QUOTA_FULL: FindingWords(
        "The registry has {count} connected registries; {limit} is the limit.",
        "Delete one that is not needed, or use another registry.",
        f"az acr connected-registry list {REGISTRY_OPTIONS} --output table",
    ),
    Code.SCOPE_MAP_FREE: FindingWords("There is no scope map {name} yet."),
    Code.SCOPE_MAP_REUSED: FindingWords("The scope map {name} allows exactly what is needed and is reused."),
    Code.SCOPE_MAP_CHANGES: FindingWords(
        "The scope map of {name} changes. Added: {added}. Removed: {removed}.",
        "What is removed is no longer synced to the edge.",
    ),
    Code.SCOPE_MAP_FOREIGN: FindingWords(
        "The scope map {name} does not belong to this connected registry and has other permissions "
        "(missing: {added}; additional: {removed}). It is not overwritten.",
        "Choose another name, or delete the scope map if nothing uses it.",
        f"az acr scope-map delete --name {{name}} {REGISTRY_OPTIONS}",
    ),
    Code.PERMISSIONS_FIT: FindingWords(
        "The scope map needs {count} of at most {limit} permissions (repositories: {repositories})."
    ),
    Code.PERMISSIONS_TOO_MANY: FindingWords(
        "{repositories} repositories need {count} permissions; a scope map holds {limit}.",
        "Sync fewer repositories: 248 at most with ReadOnly, 99 with ReadWrite.",
    ),
    Code.TOKEN_FREE: FindingWords("There is no token {name} yet."),
    Code.TOKEN_REUSED: FindingWords(
        "The sync token {name} exists and is reused; installing the extension gives it a new password."
    ),
    Code.TOKEN_FOREIGN: FindingWords(
        "There is a token {name} with another scope map ({scope_map}). It is not overwritten.",
        "Choose another name, or delete the token if nothing uses it.",
        f"az acr token delete --name {{name}} {REGISTRY_OPTIONS}",
    ),
    Code.TOKEN_IN_USE: FindingWords(
        "The token {name} is the sync token of another connected registry, {user}.", "Choose another name."
    ),
    Code.TOKEN_DISABLED: FindingWords(
        "Somebody has disabled the token {name}, so the connected registry could not sync.",
        "Enable it, unless it was disabled to cut the connected registry off.",
        f"az acr token update --name {{name}} {REGISTRY_OPTIONS} --status enabled",
    ),
    Code.EXTENSION_FREE: FindingWords("The cluster has no connected registry extension yet."),
    Code.EXTENSION_REUSED: FindingWords(
        "The extension {extension} is installed as requested (version {version}) and is reused."
    ),
    Code.EXTENSION_IDLE: FindingWords(
        "The extension {extension} is installed, but {name} is not activated: its connection string may be outdated."
    ),
    Code.EXTENSION_FAILED: FindingWords(
        "The extension {extension} exists but is {state}: {problems}.", "The deployment reinstalls it."
    ),
    Code.EXTENSION_BUSY: FindingWords(
        "The extension {extension} is being changed at the moment ({state}).", "Check again soon.", "", "check {site}"
    ),
    Code.EXTENSION_ELSEWHERE: FindingWords(
        "The extension {extension} is installed in the namespace {namespace}. The bot installs in {own}, and would look"
        " for its Pods there.",
        "Reinstall it: then it is in {own}.",
        command="extension reinstall {name} --site {site}",
    ),
    Code.EXTENSION_BY_ADDRESS: FindingWords(
        "The extension {extension} has the Service address {address}, which is the login server of {name}: "
        "it serves {name} and stays.",
    ),
    Code.EXTENSION_SECOND: FindingWords(
        "The cluster has another connected registry extension, {other}, beside {extension} of {name}; only one works.",
        "The deployment keeps {extension} and does nothing to {other}. Look whether anything needs that one.",
        f"az k8s-extension show --name {{other}} {CLUSTER_OPTIONS}",
    ),
    Code.EXTENSION_OTHER_NAME: FindingWords(
        "The cluster has a connected registry extension already, {other} (Service address {address}), "
        "and no connected registry of {registry} is known to be served by it; only one fits in a cluster.",
        "Use another cluster. Delete that extension only if you know that it is left over: "
        "it may serve another cloud registry's.",
        f"az k8s-extension show --name {{other}} {CLUSTER_OPTIONS}",
    ),
    Code.EXTENSION_SERVES_OTHER: FindingWords(
        "The cluster's connected registry extension, {other} (Service address {address}), serves {serves}; "
        "only one fits in a cluster.",
        "Use another cluster: without that extension {serves} is gone from this one.",
        f"az k8s-extension show --name {{other}} {CLUSTER_OPTIONS}",
    ),
    Code.EXTENSION_UNCLEAR: FindingWords(
        "The cluster has a connected registry extension already, {other}. Its Service address {address} is the login "
        "server of {serves}, so it is not known which one it serves.",
        "Use another cluster, or look at the runtime's log for the one that it serves.",
        "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry --tail 100",
    ),
    Code.EXTENSION_OTHER_REGISTRY: FindingWords(
        "The cluster has an extension {extension}, but {registry} has no connected registry {name}: "
        "the extension is left over, or serves another cloud registry's.",
        "Use another cluster, or delete the extension if it is left over.",
        f"az k8s-extension delete --name {{extension}} {CLUSTER_OPTIONS}",
    ),
    Code.EXTENSION_NAME_TAKEN: FindingWords(
        "The name {extension} is taken by an extension of another type ({type}).",
        "Choose another name with `--extension-name`.",
    ),
    Code.EXTENSION_SETTINGS_DIFFER: FindingWords(
        "The extension {extension} is installed with other settings: {changes}. They can't be changed in place.",
        "Use its settings, or delete the extension first.",
        f"az k8s-extension delete --name {{extension}} {CLUSTER_OPTIONS}",
    ),
    Code.SETTINGS_NOT_SENT: FindingWords(
        "The extension {extension} has settings that a deployment does not decide on, and loses them: {settings}.",
        "Give them again afterwards: `extension update`.",
    ),
    Code.NOT_ACTIVATED: FindingWords("{name} is not activated anywhere."),
    Code.ACTIVATED_HERE: FindingWords("{name} is activated, and its extension is here."),
    Code.ALREADY_ACTIVATED: FindingWords(
        "{name} is activated by an installation that is not in this cluster (last seen {last_activity}); "
        "a second one is refused with `ALREADY_ACTIVATED`.",
        "Deactivate it if the old installation is gone.",
        f"az acr connected-registry deactivate --name {{name}} {REGISTRY_OPTIONS}",
        "deactivate {name} --site {site}",
    ),
    Code.KUBERNETES_REACHED: FindingWords("The Kubernetes API answers (version {version})."),
    Code.RIGHTS_COMPLETE: FindingWords("The bot has all rights in the cluster that a deployment needs."),
    Code.RIGHTS_MISSING: FindingWords(
        "The bot lacks rights in the cluster: {missing}.",
        "Apply the bot's manifests as a cluster administrator.",
        "kubectl apply --filename deploy/rbac/read-only.yaml --filename deploy/rbac/deploying.yaml",
    ),
    Code.NAMESPACE_USABLE: FindingWords("The namespace {namespace} is usable."),
    Code.NAMESPACE_TERMINATING: FindingWords(
        "The namespace {namespace} is still being deleted; nothing can be installed until it is gone.",
        "Wait, or check what blocks the deletion.",
        "kubectl get namespace {namespace} --output yaml",
    ),
    Code.NAMESPACE_HELD: FindingWords(
        "The namespace {namespace} is still being deleted; nothing can be installed until it is gone. What the cluster"
        " waits for: {message}",
        "Wait, have whoever set a finalizer finish, or bring back the API service that it names; `kubectl get"
        " apiservices` shows those that are not available.",
        "kubectl get namespace {namespace} --output yaml",
    ),
    Code.NODE_FOUND: FindingWords("There is a ready linux/amd64 node ({nodes})."),
    Code.NODE_NOT_READY: FindingWords(
        "No linux/amd64 node takes Pods: {nodes}.",
        "Bring one back. One that is cordoned (`SchedulingDisabled`) takes Pods again after `kubectl uncordon`, and one"
        " that is short of a resource when that is freed.",
        "kubectl describe nodes --selector kubernetes.io/arch=amd64",
    ),
    Code.NODE_ABSENT: FindingWords(
        "The cluster has no linux/amd64 node (it has {platforms}); the extension runs on nothing else.",
        "Add a linux/amd64 node.",
    ),
    Code.STORAGE_FOUND: FindingWords("The storage class {storage_class} exists."),
    Code.STORAGE_ABSENT: FindingWords(
        "There is no storage class {storage_class}; the cluster has {classes}.",
        "Name one of these with `--storage-class`, or create it.",
        "kubectl get storageclasses",
    ),
    Code.STORAGE_NO_DEFAULT: FindingWords(
        "The cluster has no default storage class, so the volume would stay Pending. Its storage classes: {classes}.",
        "Mark one as default or name one with `--storage-class`; if there is none, create one.",
        "kubectl get storageclasses",
    ),
    Code.CERT_MANAGER_TO_INSTALL: FindingWords("There is no cert-manager yet; the extension brings its own."),
    Code.CERT_MANAGER_THERE: FindingWords("cert-manager is installed already, so the extension does not install it."),
    Code.CERT_MANAGER_DOWN: FindingWords(
        "cert-manager's resource types are in the cluster, but no Deployment of it is available. The extension then"
        " gets no certificate, and its Pod waits for it.",
        "Start cert-manager, or install it again. The extension can't bring its own while these resource types are"
        " there. Deleting them deletes every certificate and issuer of the cluster, so do it only if nothing uses"
        " them.",
        "kubectl get deployments --all-namespaces --selector app.kubernetes.io/name=cert-manager",
    ),
    Code.CERT_MANAGER_KEPT: FindingWords("cert-manager is installed; the extension's setting for it does not change."),
    Code.CERT_MANAGER_NOT_USED: FindingWords("The extension gets a certificate of your own, and no cert-manager."),
    Code.CERT_MANAGER_STATED_THERE: FindingWords(
        "The site file says that cert-manager is installed, so the extension does not install it."
    ),
    Code.CERT_MANAGER_STATED_ABSENT: FindingWords(
        "The site file says that there is no cert-manager; the extension brings its own."
    ),
    Code.ADDRESS_KEPT: FindingWords("The Service address {address} belongs to this extension and is kept."),
    Code.ADDRESS_GIVEN: FindingWords("The Service address {address} is in {range} and is free."),
    Code.ADDRESS_PICKED: FindingWords("The Service address {address} is free in {range} and was picked."),
    Code.ADDRESS_PICKED_HIGH: FindingWords(
        "The Service address {address} was picked from the upper part of {range}, because the lower part is "
        "full. The cluster may assign it to another Service before it is held."
    ),
    Code.ADDRESS_LISTED: FindingWords("The Service address {address} is the next one of the site file's list."),
    Code.ADDRESS_UNPROVEN: FindingWords(
        "The Service address {address} is in {range}, the Service range in the site file."
    ),
    Code.ADDRESS_OUTSIDE: FindingWords(
        "The Service address {address} is in none of the cluster's Service ranges ({ranges}).",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
    ),
    Code.ADDRESS_RESERVED: FindingWords(
        "The Service address {address} is the network or broadcast address of {range}.",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
    ),
    Code.ADDRESS_TAKEN: FindingWords(
        "The Service address {address} is in use.",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
        "kubectl get services --all-namespaces | grep --word-regexp {address}",
    ),
    Code.ADDRESS_LEASED: FindingWords(
        "The Service address {address} is reserved for another operation at this cluster.",
        "Leave `--service-ip` out, or give a free one such as {instead}.",
    ),
    Code.ADDRESSES_FULL: FindingWords(
        "No Service address is free in {ranges}: of {size}, {used} are in use and {leased} are reserved for other "
        "operations.",
        "Add a ServiceCIDR, or delete Services that are not needed.",
        "kubectl get services --all-namespaces",
    ),
    Code.LISTED_ADDRESSES_USED: FindingWords(
        "No address of the site file's list is left ({addresses}): each is in use, or reserved for another operation.",
        "Add a free one to `cluster.facts.addresses` in the site file, then run the command again.",
    ),
}

EXTENSION_FINDINGS: Mapping[str, FindingWords] = {
    **PARENT_FINDINGS,
    ExtensionCode.TOKEN_SHARED: FindingWords(
        "Others use the token {token} too, and would lose a password: {users}.",
        "Give {name} a sync token of its own: remove it and deploy it again.",
    ),
    ExtensionCode.TOKEN_ABSENT: FindingWords(
        "The sync token of {name} does not exist any more, so {name} can't sync.",
        "Remove {name} and deploy it again.",
    ),
}
"""Where the extension alone is installed: the connected registry is there, and stays as it is."""
