"""Why a deployment failed, in words: what happened, and what to do. One entry for each cause."""

from collections.abc import Mapping

from handlers.kit.language import phrase
from handlers.views.procedures.words import ACR_OPTIONS, IMAGE_CAUSES, NAMESPACE_HELP, REGISTRY_OPTIONS, CauseWords
from services.operations.deploy.causes import Cause

_RETRY = phrase("Then retry.")
_REINSTALL = "extension reinstall {name} --site {site}"
_CHOOSE = f"{_REINSTALL} --choose"

CAUSES: Mapping[str, CauseWords] = {
    **IMAGE_CAUSES,
    Cause.ADDRESS_TAKEN: CauseWords(
        "The Service address {address} is in use by another Service.",
        "",
        "kubectl get services --all-namespaces | grep --word-regexp {address}",
        _CHOOSE,
        needs="extension",
        retry="Retry: a picked address is replaced by the next free one. "
        "If you chose it with `--service-ip`, choose another one or none.",
    ),
    Cause.ADDRESS_OUTSIDE: CauseWords(
        "The Service address {address} is outside the cluster's Service range ({ranges}).",
        "Deploy without `--service-ip` to have a free one picked, or choose one inside the range.",
        command=_CHOOSE,
        needs="extension",
    ),
    Cause.ADDRESS_LEASED: CauseWords(
        "The Service address {address} is reserved for another operation at this cluster.",
        "Wait until that has finished, or deploy without `--service-ip` to have a free one picked.",
    ),
    Cause.ADDRESS_RANGE_FULL: CauseWords(
        "The cluster's Service range {ranges} is full: of {size} addresses {used} are in use and {leased} reserved.",
        "Delete Services that nobody needs, or add a ServiceCIDR.",
        "kubectl get services --all-namespaces",
        retry=_RETRY,
    ),
    Cause.ADDRESS_RACE: CauseWords(
        "Somebody took {tries} Service addresses one after the other, each before the bot could hold it.",
        "",
        retry="Retry when fewer Services are being created, or choose an address with `--service-ip`.",
    ),
    Cause.LISTED_ADDRESS_TAKEN: CauseWords(
        "The Service address {address} is in use by another Service of the cluster.",
        "If the site file lists it in `cluster.facts.addresses`, put a free one in its place. If you chose it with"
        " `--service-ip`, deploy again with another one or none.",
        retry="A retry takes the next address of the list, but keeps one that you chose.",
    ),
    Cause.LISTED_ADDRESS_OUTSIDE: CauseWords(
        "The Service address {address} is outside the cluster's Service range ({ranges}): the site file is wrong.",
        "Correct `cluster.facts.service_range` and `cluster.facts.addresses` in the site file. If you chose the address"
        " with `--service-ip`, deploy again with one inside the range.",
        retry=_RETRY,
    ),
    Cause.LISTED_ADDRESSES_USED: CauseWords(
        "No address of the site file's list is left ({addresses}): each is in use, or reserved for another operation.",
        "Add a free one to `cluster.facts.addresses` in the site file.",
        retry=_RETRY,
    ),
    Cause.GATEWAY_UNKNOWN: CauseWords(
        "Azure names no data endpoint for the connected registry {name}, so no connection string can be built.",
        "Enable the cloud registry's data endpoint.",
        command="acr update {site}",
        retry=_RETRY,
    ),
    Cause.STORAGE_PENDING: CauseWords(
        "The volume claim of the connected registry stays Pending (storage class {storage_class}): {message}",
        "A claim can't be changed: reinstall with a storage class that the cluster has and that has room.",
        "kubectl describe pvc connected-registry-pvc --namespace connected-registry",
        _CHOOSE,
    ),
    Cause.UNSCHEDULABLE: CauseWords(
        "No node can run the connected registry's Pod: {message}",
        "Make room on a linux/amd64 node, or add one. A taint keeps Pods off a node on purpose: remove it only if it is"
        " not meant for this one.",
        "kubectl describe pods --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.NO_AMD64_NODE: CauseWords(
        "No node can run the connected registry's Pod: the extension runs on linux/amd64 only.",
        "Add a linux/amd64 node.",
        "kubectl get nodes --label-columns kubernetes.io/arch",
        retry=_RETRY,
    ),
    Cause.NODE_CONDITION: CauseWords(
        "No node can run the connected registry's Pod, since one is cordoned, not ready or short of a resource:"
        " {message}",
        "See to the node: bring it back, free its disk or memory, or uncordon it. Kubernetes removes these taints by"
        " itself then; removed by hand they come back.",
        "kubectl describe nodes",
        retry=_RETRY,
    ),
    Cause.VOLUME_ELSEWHERE: CauseWords(
        "The volume of the connected registry is at a node or in a zone where its Pod can't run: {message}",
        "Bring that node back, or make room on it. If it is gone for good, reinstall: a new volume is made, and the"
        " edge syncs its images again.",
        "kubectl describe pvc connected-registry-pvc --namespace connected-registry",
        _REINSTALL,
        retry="With the node back, retry.",
    ),
    Cause.VOLUME_LOST: CauseWords(
        "The volume of the connected registry no longer exists, although its claim names it.",
        "Bring the volume back if you can. Otherwise reinstall: a new volume is made, and the edge syncs its images"
        " again.",
        "kubectl describe pvc connected-registry-pvc --namespace connected-registry",
        _REINSTALL,
        retry="With the volume back, retry.",
    ),
    Cause.VOLUME_DELETED: CauseWords(
        "Somebody has deleted the volume claim of the connected registry. While its Pod runs the claim stays, and then"
        " it goes with all images.",
        "A deletion can't be taken back. Reinstall when it suits: a new volume is made, and the edge syncs its images"
        " again.",
        "kubectl describe pvc connected-registry-pvc --namespace connected-registry",
        _REINSTALL,
    ),
    Cause.PODS_REFUSED: CauseWords(
        "The cluster refuses the connected registry's Pods: {message}",
        "Have the quota, the limit range or the admission rule that it names let them in.",
        "kubectl get events --namespace connected-registry --field-selector reason=FailedCreate",
        retry=_RETRY,
    ),
    Cause.POD_NOT_STARTED: CauseWords(
        "The connected registry's Pod does not start on its node ({reason}): {message}",
        "Fix the volume, the Secret or the network that it names. The Secret of its certificate is made by"
        " cert-manager: see whether that runs.",
        "kubectl describe pods --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.POD_NOT_READY: CauseWords(
        "The connected registry's Pod runs but is not ready: {message}",
        "Look at its log and at its node.",
        "kubectl describe pods --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.OUT_OF_MEMORY: CauseWords(
        "The connected registry's container was ended because it ran out of memory (`OOMKilled`, {restarts} restarts).",
        "Free memory on its node, or give the node more. If the node has enough, the container has reached its own"
        " limit.",
        "kubectl describe pods --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.POD_SECURITY: CauseWords(
        "The cluster's Pod Security rules refuse the connected registry's Pods: {message}",
        "Label the namespace as privileged.",
        "kubectl label namespace connected-registry pod-security.kubernetes.io/enforce=privileged --overwrite",
        retry=_RETRY,
    ),
    Cause.IMAGE_PULL: CauseWords(
        "The cluster can't pull the images of the connected registry itself: {message}",
        "Let the nodes reach the host that it names and that host's data endpoints, trust the certificate that they"
        " meet on the way, and have room on their disks.",
        "kubectl describe pods --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.PULL_THROTTLED: CauseWords(
        "The registry that has the images of the connected registry itself limits how often they are pulled: {message}",
        "This passes by itself: nodes try again, at most five minutes apart. The limit may count all machines behind"
        " one public address.",
        "kubectl describe pods --namespace connected-registry",
        retry="Retry in a few minutes.",
    ),
    Cause.BAD_PASSWORD: CauseWords(
        "The registry refuses the sync token's password: it was regenerated elsewhere, has expired, or is not "
        "the one in the connection string.",
        "",
        retry="Retry: a new password is generated and handed to the extension.",
    ),
    Cause.TOKEN_DISABLED: CauseWords(
        "The sync token {token} is disabled.",
        "Enable it, unless it was disabled to cut the connected registry off.",
        f"az acr token update --name {{token}} {REGISTRY_OPTIONS} --status enabled",
        retry=_RETRY,
    ),
    Cause.BAD_CONNECTION_STRING: CauseWords(
        "The connected registry can't use its connection string: {message}",
        "",
        retry="Retry: the extension gets a new one.",
    ),
    Cause.ALREADY_ACTIVATED: CauseWords(
        "Another installation of {name} is activated, so this one is refused (`ALREADY_ACTIVATED`).",
        "Deactivate it if the old installation is gone; the Pod recovers by itself within minutes.",
        f"az acr connected-registry deactivate --name {{name}} {REGISTRY_OPTIONS}",
        "deactivate {name} --site {site}",
    ),
    Cause.FIREWALL: CauseWords(
        "The connected registry can't reach the registry in the cloud: {message}",
        "Let the cluster reach the registry's login server and its data endpoint, {hosts}, on port 443: in firewalls,"
        " and in the NetworkPolicies of the namespace. It then continues by itself.",
    ),
    Cause.NAME_NOT_RESOLVED: CauseWords(
        "The cluster can't resolve the name of a host in Azure: {message}",
        "See whether the cluster's DNS runs and gets answers for public names, and whether a NetworkPolicy keeps the"
        " namespace from it. A private endpoint needs its private DNS zone there. It then continues by itself.",
        "kubectl get pods --all-namespaces --selector k8s-app=kube-dns",
    ),
    Cause.PROXY: CauseWords(
        "A proxy between the cluster and Azure refuses the way: {message}",
        "Let the proxy pass {hosts} on port 443, or give the Arc agents another one "
        "(`az connectedk8s update`: `--proxy-https`, `--proxy-skip-range`). It then continues by itself.",
    ),
    Cause.TLS_INSPECTED: CauseWords(
        "The cluster does not trust the certificate that it meets on the way to Azure: {message}",
        "A proxy that opens TLS presents one of its own: exempt {hosts} from the inspection, or make its authority "
        "known to the Arc agents (`az connectedk8s update --proxy-cert`).",
    ),
    Cause.WRONG_TIME: CauseWords(
        "The connected registry meets a certificate or token that is not valid at its own time: {message}",
        "Compare the node's clock with the right time: a clock that is off is the usual reason. If the clock is right,"
        " a proxy on the way presents an old certificate. It then continues by itself.",
    ),
    Cause.NETWORK_RULES: CauseWords(
        "The cloud registry's own network rules keep the edge out: {message}",
        "Allow the address {client}. If the registry's public access is off altogether, the edge needs a private"
        " endpoint. It then continues by itself.",
        f"az acr network-rule add {ACR_OPTIONS} --ip-address {{client}}",
    ),
    Cause.DISK_ERROR: CauseWords(
        "The connected registry can't write to its disk: {message}",
        "Reinstall with a larger volume, or correct the volume's permissions; a lower log level helps too.",
        "kubectl describe pvc connected-registry-pvc --namespace connected-registry",
        _CHOOSE,
    ),
    Cause.UNHEALTHY: CauseWords(
        "The connected registry reports {code}: {message}",
        "Look at its log.",
        "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry --tail 100",
    ),
    Cause.CRASHING: CauseWords(
        "The connected registry's Pod keeps crashing ({restarts} restarts). Its last message: {message}",
        "Look at its log.",
        "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry --previous",
        retry=_RETRY,
    ),
    Cause.CRASHING_SILENTLY: CauseWords(
        "The connected registry's Pod keeps crashing ({restarts} restarts) and logs nothing. Its container ends with"
        " exit code {exit_code}.",
        "Look at the Pod's events. With 137 or 143 something ended it from outside, such as a failed liveness probe;"
        " with 126 to 128 it could not be started.",
        "kubectl describe pods --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.PROBE_FAILED: CauseWords(
        "The node keeps ending the connected registry's container ({restarts} restarts): {message}",
        "Look at its log. A node without free CPU or with a slow disk lets the probe time out too.",
        "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry --previous",
        retry=_RETRY,
    ),
    Cause.DATA_ENDPOINT_OFF: CauseWords(
        "The registry's dedicated data endpoint is off, and connected registries need it.",
        "Enable it.",
        f"az acr update {ACR_OPTIONS} --data-endpoint-enabled true",
        "acr update {site}",
        retry=_RETRY,
    ),
    Cause.CERT_MANAGER_CONFLICT: CauseWords(
        "cert-manager is installed in this cluster already, and the extension tried to install it again.",
        "Reinstall: the bot then sets `cert-manager.install` to false.",
        command=_REINSTALL,
    ),
    Cause.CERT_MANAGER_ABSENT: CauseWords(
        "The extension was installed without cert-manager, but the cluster has none.",
        "Reinstall: the extension then brings its own. Or install cert-manager.",
        retry="With cert-manager installed, retry.",
        command=_REINSTALL,
    ),
    Cause.STATED_CERT_MANAGER_CONFLICT: CauseWords(
        "The cluster has a cert-manager already, and the extension tried to install it again: the site file says that"
        " there is none.",
        "Set `cluster.facts.cert_manager` to true in the site file. Then reinstall.",
        command=_REINSTALL,
    ),
    Cause.STATED_CERT_MANAGER_ABSENT: CauseWords(
        "The cluster has no cert-manager, and the extension did not bring its own: the site file says that there is"
        " one.",
        "Install cert-manager, or set `cluster.facts.cert_manager` to false in the site file and reinstall.",
        retry="With cert-manager installed, retry.",
        command=_REINSTALL,
    ),
    Cause.OWNERSHIP_CONFLICT: CauseWords(
        "The cluster has a {kind} {object} that belongs to something else, so the extension can't be installed.",
        "Remove it if nothing needs it. With a CustomResourceDefinition all objects of that kind are deleted.",
        retry=_RETRY,
    ),
    Cause.RELEASE_LEFT: CauseWords(
        "The cluster has a {kind} {object} of another Helm release, {release}, so the extension can't be installed.",
        "If an earlier installation left that release behind, under another name or before the cluster was connected"
        " to Azure Arc again, uninstall it. Nodes can't pull from it any more then.",
        "helm uninstall {release} --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.NAME_IN_USE: CauseWords(
        "The cluster has a Helm release with the extension's name already.",
        "If an earlier installation left that release behind, uninstall it by Helm: under another name its objects"
        " would be in the way too. If it is something else, reinstall with another extension name.",
        "helm list --all --namespace connected-registry",
        _CHOOSE,
    ),
    Cause.RELEASE_BUSY: CauseWords(
        "Helm says that another operation on the extension's release is in progress. One that was cut off stays so.",
        "Wait a few minutes and retry. If it stays, reinstall: that removes the release.",
        "helm list --all --namespace connected-registry",
        _REINSTALL,
    ),
    Cause.RELEASE_FAILED: CauseWords(
        "No earlier installation of the extension's Helm release came to its end, so that Helm can't upgrade it.",
        "Reinstall: that removes the release.",
        "helm list --all --namespace connected-registry",
        _REINSTALL,
    ),
    Cause.UNCHANGEABLE: CauseWords(
        "The installation has a value that Kubernetes does not let anybody change in place: {message}",
        "Reinstall: everything is then made with the new value.",
        command=_REINSTALL,
    ),
    Cause.WEBHOOK_UNREACHABLE: CauseWords(
        "The API server can't call the admission webhook {webhook}, without which it takes no such objects: {message}",
        "Bring back the Pods behind that webhook, or its certificate.",
        "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        retry=_RETRY,
    ),
    Cause.ADMISSION_DENIED: CauseWords(
        "An admission rule of the cluster ({webhook}) refuses the installation: {message}",
        "Have that rule allow it, or exempt the namespace from it.",
        retry=_RETRY,
    ),
    Cause.QUOTA_EXCEEDED: CauseWords(
        "A quota or a limit range of the cluster refuses the installation: {message}",
        "Raise it, or free some of the quota. If it is the volume that is too large, reinstall with a smaller one.",
        "kubectl describe resourcequotas,limitranges --namespace connected-registry",
        _CHOOSE,
        needs="extension",
        retry=_RETRY,
    ),
    Cause.NAMESPACE_TERMINATING: CauseWords(
        "The namespace {namespace} is still being deleted.",
        "Reinstall: the bot waits until it is gone. In a namespace that stays, an object with a finalizer holds it up.",
        "kubectl get namespace {namespace} --output yaml",
        _REINSTALL,
    ),
    Cause.NAMESPACE_HELD: CauseWords(
        "The namespace {namespace} is still being deleted. What the cluster waits for: {message}",
        f"{NAMESPACE_HELP} Then reinstall: the bot waits until the namespace is gone.",
        "kubectl get namespace {namespace} --output yaml",
        _REINSTALL,
    ),
    Cause.CHART_NOT_FOUND: CauseWords(
        "Azure has no chart of the extension for this version and release train.",
        "Reinstall with a version that Azure offers, such as `newest`, and correct `extension.version` and"
        " `extension.release_train` in the site file.",
        command=_CHOOSE,
    ),
    Cause.STATUS_NOT_POPULATED: CauseWords(
        "The Arc agents in the cluster did not report the state of the installation.",
        "Check the agents: they may lack their identity, or the cluster may be slow.",
        "kubectl get pods --namespace azure-arc",
        retry=_RETRY,
    ),
    Cause.WRITE_RACE: CauseWords(
        "Something else changed the extension in the cluster at the same moment.",
        "",
        retry="Retry when nothing else is being installed.",
    ),
    Cause.PROVIDER_MISSING: CauseWords(
        "The subscription has not registered {provider}.",
        "Register it; it takes up to ten minutes.",
        "az provider register --namespace {provider} --subscription {cluster_subscription} --wait",
        "provider register {site}",
        retry=_RETRY,
    ),
    Cause.CLUSTER_OFFLINE: CauseWords(
        "Azure has had no heartbeat from the cluster {cluster} for more than 15 minutes (last heartbeat {heartbeat}).",
        "Check the Arc agents and the cluster's connection to Azure.",
        "kubectl get pods --namespace azure-arc",
        retry=_RETRY,
    ),
    Cause.CLUSTER_EXPIRED: CauseWords(
        "The identity certificate of the cluster {cluster} has expired (last heartbeat {heartbeat}).",
        "Disconnect the cluster from Azure Arc and connect it again.",
        retry=_RETRY,
    ),
    Cause.CLUSTER_NO_AGENTS: CauseWords(
        "Azure has a resource for the cluster {cluster}, but no Arc agents are installed in the cluster.",
        "Connect the cluster, or correct the site file if it is connected under another name.",
        "kubectl get pods --namespace azure-arc",
        retry=_RETRY,
    ),
    Cause.INSTALLATION_TIMED_OUT: CauseWords(
        "Helm gave up waiting for the extension's Pods or hooks to get ready: {message}",
        "Look at the Pods and events: usually one can't be pulled, finds no node, or waits for its volume.",
        "kubectl get pods,events --namespace connected-registry",
        retry=_RETRY,
    ),
    Cause.INSTALLATION_FAILED: CauseWords(
        "The extension could not be installed. Azure says: {message}", "Fix what it names.", retry=_RETRY
    ),
    Cause.SILENT_FAILURE: CauseWords(
        "The extension ended as {state}, and Azure gives no reason.",
        "Look at the log of the Arc agents.",
        "kubectl logs --namespace azure-arc --selector app.kubernetes.io/component=extension-manager --tail 100",
        _REINSTALL,
        retry="Then retry. If it fails again, reinstall.",
    ),
}
