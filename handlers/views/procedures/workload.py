"""The deployment and the deletion of a workload, and its new password, as people read them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from handlers.kit.language import phrase, t
from handlers.kit.text import code, count, escape, listed
from handlers.views.procedures.words import (
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.workload.outputs import ImagePulled
from services.operations.workload.words import Cause, Code

_SYNC = phrase("Last sync: {last_sync}; schedule {schedule} (UTC), next contact {next_sync}.")
_PODS = "kubectl describe pods --namespace {namespace} --selector app.kubernetes.io/name={workload}"
_RIGHTS = "kubectl apply --filename deploy/rbac/read-only.yaml --filename deploy/rbac/workloads.yaml"


def _workload(params: Mapping[str, Any]) -> str:
    port = t(", port {port}", port=params["port"]) if params["port"] else ""
    workload = t(
        "{image}, {pods}{port}, in the namespace {namespace}",
        image=params["image"],
        pods=count(params["replicas"], "Pod"),
        port=port,
        namespace=params["namespace"],
    )
    if not params.get("manifest"):
        return workload
    # What is approved has to be readable; the whole of it is in the plan's script too.
    pod = {name: value for name, value in params["pod"].items() if name != "automountServiceAccountToken"}
    return t("{workload}; by the manifest: {pod}", workload=workload, pod=json.dumps(pod))


def short_digest(digest: str) -> str:
    """As much of a digest as tells it from others by eye."""
    return digest[: len("sha256:") + 12]


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    pulled = operation.output(ImagePulled)
    if pulled is None:
        return ()
    ended = (
        ""
        if pulled.exit_code is None
        else t("the container ended with exit code {exit_code}", exit_code=pulled.exit_code)
    )
    return (
        (t("Digest, as in the cloud"), code(pulled.digest)),
        (
            t("Pulled by"),
            t(
                "{pods} on {nodes}",
                pods=count(pulled.pods, "Pod"),
                nodes=listed(escape(node) for node in pulled.nodes),
            ),
        ),
        (t("Remark"), ended),
    )


_SHARED_FINDINGS: Mapping[str, FindingWords] = {
    Code.RIGHTS_COMPLETE: FindingWords("The bot has all rights in the namespace {namespace} that a workload uses."),
    Code.RIGHTS_MISSING: FindingWords(
        "The bot lacks rights in the cluster: {missing}.",
        "Apply the bot's manifests as a cluster administrator; `workloads.yaml` once for each namespace.",
        _RIGHTS,
    ),
    Code.WORKLOAD_FOREIGN: FindingWords(
        "The namespace {namespace} has a Deployment {workload} that the bot did not make. It is left alone.",
        "Choose another name or namespace.",
    ),
}

_PULL_CAUSES: Mapping[str, CauseWords] = {
    Cause.UNTRUSTED_CERTIFICATE: CauseWords(
        "These nodes do not trust the certificate of {name}: {nodes}. In the node's words: {message}",
        "The extension's trust DaemonSet configures Debian-based Linux nodes, and those that its node selector"
        " names. Let it run on these nodes, or have them trust the registry's certificate authority: k3s, RKE2,"
        " MicroK8s and OpenShift have a place of their own for that (docs/runbook.md). Then retry.",
        "kubectl get daemonsets,pods --namespace connected-registry --output wide",
    ),
    Cause.CERTIFICATE_INVALID: CauseWords(
        "The certificate of {name} is not valid at the time of the node {node}, or not for the address of {name}:"
        " {message}",
        "Compare the node's clock with the right time. If the clock is right, renew the certificate, or have one that"
        " names the address. Then retry.",
        command="extension show {name} --site {site}",
    ),
    Cause.NODE_PROXY: CauseWords(
        "The node {node} asks its proxy for {name}, which is an address within the cluster: {message}",
        "Add the cluster's Service range to `NO_PROXY` of the container runtime on the nodes. Then retry.",
    ),
    Cause.PLAIN_HTTP: CauseWords(
        "{name} serves plain HTTP, and nodes pull by HTTPS: {message}",
        "Let the extension serve HTTPS, or list the address as an insecure registry on the nodes. Then retry.",
        command="extension update {name} --site {site} --tls cert-manager",
    ),
    Cause.PULL_UNAUTHORIZED: CauseWords(
        f"{{name}} refuses the client token {{token}}: {{message}} It may not have synced since the token was made,"
        f" or the password has been replaced. {_SYNC}",
        "Retry: another password is made, and pulls that work are not touched.",
        f"az acr token show --name {{token}} {REGISTRY_OPTIONS}",
    ),
    Cause.IMAGE_NOT_AT_EDGE: CauseWords(
        f"{{name}} does not have {{image}} yet: {{message}} {_SYNC}",
        "Retry after its next sync.",
        f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS} --output table",
    ),
    Cause.EDGE_UNREACHABLE: CauseWords(
        "The node {node} does not reach {name} at its address: {message}",
        "Look whether its Pod runs and its Service has that address. Then retry.",
        "kubectl get pods,services --namespace connected-registry",
    ),
    Cause.WRONG_ARCHITECTURE: CauseWords(
        "{image} has no variant for the node {node}: {message}",
        "Push an image for that platform, or keep the workload off such nodes.",
        "kubectl get nodes --label-columns kubernetes.io/os,kubernetes.io/arch",
    ),
    Cause.DIGEST_DIFFERS: CauseWords(
        f"The node {{node}} has another image than the cloud: {{digest}} instead of {{cloud}}. {_SYNC}",
        "Retry after the next sync. A tag that moves is pulled again only by new Pods, and, unless it is `latest`,"
        " only on nodes that do not have it.",
        "kubectl rollout restart deployment {workload} --namespace {namespace}",
    ),
    Cause.NO_NODE: CauseWords(
        "No node takes the workload's Pod: {message}",
        "Make room on a node, or add one that fits. A taint `node.kubernetes.io/…` is"
        " Kubernetes' own sign of a node that is not well: see to the node, and it goes by itself. Then retry.",
        _PODS,
    ),
    Cause.NOT_STARTED: CauseWords(
        "The node {node} can't start the workload's container ({reason}): {message}",
        "Fix what it names, such as a ConfigMap that is missing or a volume. Then retry.",
        _PODS,
    ),
    Cause.QUOTA_EXCEEDED: CauseWords(
        "The namespace's quota lets no more Pods in: {message}",
        "Raise the quota or free some of it. Then retry.",
        "kubectl describe resourcequotas --namespace {namespace}",
    ),
    Cause.PODS_REFUSED: CauseWords(
        "The cluster refuses the workload's Pods: {message}", "Fix what it names. Then retry."
    ),
    Cause.PULL_FAILED: CauseWords(
        "The node {node} can't pull {image}: {message}", "See its events. Then retry.", _PODS
    ),
    Cause.WORKLOAD_GONE: CauseWords(
        "Somebody deleted the Deployment {workload} while its Pods were looked at.",
        "Give the command again if it is still wanted.",
    ),
}

DEPLOY_WORDS = ProcedureWords(
    title="Deploy a workload from {target} at {site}",
    success="pulled",
    steps={
        "client_scope_map.put": StepWords("Scope map {name}", "may pull {repository}"),
        "client_token.put": StepWords("Client token {name}"),
        "client_token.link": StepWords("Client tokens of {registry}", "{token} may pull"),
        "client_token.synced": StepWords("{registry} has synced since"),
        "pull_secret.put": StepWords(
            "Pull secret regcred-{workload}", "in the namespace {namespace}, with a fresh password of {token}"
        ),
        "workload.put": StepWords("Workload {workload}", _workload),
        "workload.pulled": StepWords(
            "{workload} has the cloud's image",
            lambda params: t(
                "by the digest {digest} of {repository} in the cloud",
                digest=short_digest(params["digests"][0]),
                repository=params["repository"],
            ),
        ),
    },
    fields=_fields,
    remark=lambda output: short_digest(output.digest) if isinstance(output, ImagePulled) else "",
    causes={
        Cause.TOKEN_NOT_SYNCED: CauseWords(
            f"{{name}} has not synced since the client token was added to its list, and does not know it yet. {_SYNC}",
            "Retry after its next sync: what is made so far is kept.",
            f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS} --output table",
        ),
        **_PULL_CAUSES,
    },
    findings={
        **_SHARED_FINDINGS,
        **REGISTRY_FINDINGS,
        Code.INSTALLED: FindingWords("{name} is installed at {site} (extension {extension})."),
        Code.NOT_INSTALLED: FindingWords(
            "{name} is not installed at {site}, so nothing there can pull from it.",
            "Name the site where it is, or deploy it here.",
            command="deploy {name} --site {site} --dry-run",
        ),
        Code.TRUST_OFF: FindingWords(
            "The extension {extension} distributes no trust, so nodes may refuse the certificate of {name}.",
            "Distribute it, or make sure that every node trusts its certificate authority.",
            command="extension update {name} --site {site} --trust-distribution on",
        ),
        Code.ONLINE: FindingWords("{name} is online at {address}."),
        Code.NOT_ACTIVATED: FindingWords(
            "{name} is {activation} and has no address at the edge.",
            "Deploy it first.",
            command="deploy {name} --site {site} --dry-run",
        ),
        Code.OFFLINE: FindingWords(
            "{name} is offline (last seen {last_activity}), so it does not learn of the workload's client token.",
            "Bring it online first.",
            command="show {name} --site {site}",
        ),
        Code.OFFLINE_BY_SCHEDULE: FindingWords(
            "{name} is not in contact (last seen {last_activity}, schedule {schedule} in UTC, next contact"
            " {next_contact}). It serves what it has; what changes in the cloud reaches it with its next sync.",
        ),
        Code.CLIENTS_FULL: FindingWords(
            "{name} has {count} client tokens, and takes no more.",
            "Delete a workload or a client token that nobody needs.",
            f"az acr connected-registry list-client-tokens --name {{name}} {REGISTRY_OPTIONS} --output table",
        ),
        Code.REPOSITORY_SYNCED: FindingWords("{name} syncs the repository {repository}."),
        Code.REPOSITORY_NOT_SYNCED: FindingWords(
            "{name} does not sync the repository {repository}; it has {repositories}.",
            "Add it, and give the command again after the next sync.",
            f"az acr connected-registry permissions update --name {{name}} {REGISTRY_OPTIONS} --add {{repository}}",
            "permissions add {name} {repository} --site {site}",
        ),
        Code.IMAGE_FOUND: FindingWords("{image} is in the cloud ({digest})."),
        Code.REPOSITORY_ABSENT: FindingWords(
            "The cloud registry {registry} has no repository {repository}.",
            "Check the name, or import the image.",
            "az acr repository list --name {registry} --subscription {subscription} --output table",
        ),
        Code.IMAGE_ABSENT: FindingWords(
            "The repository {repository} of {registry} has no {image}.",
            "Check the tag, or import the image.",
            "az acr repository show-tags --name {registry} --subscription {subscription} --repository {repository}"
            " --output table",
        ),
        Code.TOKEN_FREE: FindingWords("The name {token} is free for the client token."),
        Code.TOKEN_REUSED: FindingWords("The client token {token} exists."),
        Code.TOKEN_FOREIGN: FindingWords(
            "A token {token} exists and has another scope map ({scope_map}). It is left alone.",
            "Delete that token if nobody needs it, or choose another `--workload`.",
            f"az acr token show --name {{token}} {REGISTRY_OPTIONS}",
        ),
        Code.TOKEN_DISABLED: FindingWords(
            "The client token {token} is disabled.",
            "Enable it, if it was not meant to cut the workload off.",
            f"az acr token update --name {{token}} {REGISTRY_OPTIONS} --status enabled",
        ),
        Code.KUBERNETES_REACHED: FindingWords("The Kubernetes API answers (version {version})."),
        Code.NAMESPACE_USABLE: FindingWords("The namespace {namespace} is usable."),
        Code.NAMESPACE_ABSENT: FindingWords(
            "The cluster has no namespace {namespace}. The bot makes none, since it has its rights by namespace.",
            "Create it, and apply `deploy/rbac/workloads.yaml` for it.",
            "kubectl create namespace {namespace}",
        ),
        Code.NAMESPACE_TERMINATING: FindingWords(
            "The namespace {namespace} is being deleted; nothing can be made in it.",
            "Wait until it is gone, or name another.",
            "kubectl get namespace {namespace} --output yaml",
        ),
        Code.PLATFORM_FITS: FindingWords("The image fits the ready nodes."),
        Code.PLATFORM_OF_SOME_NODES: FindingWords(
            "{image} is made for {platforms}, which these nodes are not: {nodes}. Pods that land there fail.",
            "Push an image for their platform too, or taint them.",
        ),
        Code.PLATFORM_OF_NO_NODE: FindingWords(
            "{image} is made for {platforms}, and no ready node of the cluster is.",
            "Push an image for a platform that the cluster has.",
            "kubectl get nodes --label-columns kubernetes.io/os,kubernetes.io/arch",
        ),
        Code.MANIFEST_TAKEN: FindingWords("The API server takes the manifest, in a dry run."),
        Code.MANIFEST_REFUSED: FindingWords(
            "The API server refuses the manifest in a dry run: {message}", "Correct it, and give the command again."
        ),
        Code.WORKLOAD_FREE: FindingWords("The name {workload} is free in the namespace {namespace}."),
        Code.WORKLOAD_REUSED: FindingWords("The workload {workload} has this image already."),
        Code.WORKLOAD_CHANGES: FindingWords("The workload {workload} exists and changes: {changes}."),
        Code.WORKLOAD_OF_ANOTHER_REGISTRY: FindingWords(
            "The workload {workload} pulls from the connected registry {other}.",
            "Delete it first, or choose another `--workload`.",
            command="workload delete {workload} --site {site} --namespace {namespace} --dry-run",
        ),
    },
)

ROTATE_WORDS = ProcedureWords(
    title="New password for a workload's client token of {target} at {site}",
    success="pulled by the new password",
    steps={
        "pull_secret.renew": StepWords(
            "Pull secret {secret}",
            "in the namespace {namespace}, with a fresh password of {token}; nothing uses it yet",
        ),
        "client_password.accepted": StepWords("The edge accepts the new password", "asked by a Job in {namespace}"),
        "workload.switch": StepWords(
            "Workload {workload} pulls by {secret}", "in the namespace {namespace}; its Pods are replaced one by one"
        ),
        "workload.rolled_out": StepWords("Every Pod of {workload} has the new pull secret"),
        "client_password.end": StepWords("Pull secret {secret}", "with the old password of {token}"),
    },
    causes={
        **_PULL_CAUSES,
        Cause.PASSWORD_NOT_ACCEPTED: CauseWords(
            f"{{name}} has not accepted the new password of {{token}}: {{message}}. Nothing uses it, and pulls go on by"
            f" the old one. {_SYNC}",
            "Retry after its next sync.",
            f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS} --output table",
        ),
    },
    findings={
        **_SHARED_FINDINGS,
        **REGISTRY_FINDINGS,
        Code.ONLINE: FindingWords("{name} is online at {address}."),
        Code.OUT_OF_CONTACT: FindingWords(
            "{name} is not in contact (last seen {last_activity}, next contact {next_contact}), so it would not learn"
            " of a new password.",
            "Give the command again when it is in contact.",
            command="show {name} --site {site}",
        ),
        Code.WORKLOAD_FOUND: FindingWords("The workload {workload} is the bot's."),
        Code.WORKLOAD_ABSENT: FindingWords(
            "The namespace {namespace} at {site} has no workload {workload}.",
            "Check the name, and name the namespace with `--namespace`.",
            command="workload show {name} --site {site}",
        ),
        Code.WORKLOAD_OF_ANOTHER_REGISTRY: FindingWords(
            "The workload {workload} pulls from the connected registry {other}.",
            "Name that one.",
            command="token rotate {other} --site {site} --workload {workload} --namespace {namespace} --dry-run",
        ),
        Code.TOKEN_REUSED: FindingWords("The client token {token} is this workload's alone."),
        Code.TOKEN_NOT_LINKED: FindingWords(
            "{name} lists no client token {token}, so the workload can't pull.",
            "Deploy the workload again: that links the token.",
        ),
        Code.TOKEN_DISABLED: FindingWords(
            "The client token {token} is disabled.",
            "Enable it, if it was not meant to cut the workload off.",
            f"az acr token update --name {{token}} {REGISTRY_OPTIONS} --status enabled",
        ),
        Code.TOKEN_SHARED: FindingWords(
            "The client token {token} is listed by {users} too: whoever pulls by it there would be cut off.",
            "Take it from their lists first.",
        ),
        Code.ROTATION_RIGHTS_MISSING: FindingWords(
            "The bot lacks rights in the cluster: {missing}.",
            "Apply the bot's manifests as a cluster administrator, the last two for this namespace.",
            f"{_RIGHTS} --filename deploy/rbac/images.yaml",
        ),
    },
)

DELETE_WORDS = ProcedureWords(
    title="Delete workload {target} at {site}",
    success="deleted",
    steps={
        "workload.delete": StepWords("Workload {workload}", "{image}, in the namespace {namespace}"),
        "pull_secret.delete": StepWords("Pull secret regcred-{workload}", "in the namespace {namespace}"),
        "client_token.unlink": StepWords("Client tokens of {registry}", "{token} may not pull any more"),
        "client_token.delete": StepWords("Client token {name}"),
        "client_scope_map.delete": StepWords("Scope map {name}"),
    },
    findings={
        **_SHARED_FINDINGS,
        Code.WORKLOAD_FOUND: FindingWords("The workload {workload} is the bot's."),
        Code.WORKLOAD_ABSENT: FindingWords(
            "The namespace {namespace} at {site} has no workload {workload}.",
            "Check the name, and name the namespace with `--namespace`.",
            "kubectl get deployments --all-namespaces --selector app.kubernetes.io/managed-by=registry-bot",
        ),
        Code.TOKEN_ELSEWHERE: FindingWords(
            "The client token {token} is listed by {users} too, so token and scope map are kept."
        ),
    },
)
