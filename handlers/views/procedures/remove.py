"""A removal, as people read it."""

from collections.abc import Iterable
from dataclasses import replace

from handlers.kit.language import phrase, t
from handlers.kit.text import code, escape, listed
from handlers.views.procedures.registry_steps import lost_gateways
from handlers.views.procedures.words import (
    AZURE_FINDINGS,
    CLUSTER_OPTIONS,
    NAMESPACE_HELP,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.checks import UNPROVEN
from services.operations.remove.request import Cause, Code, RemoveOptions

_DELETED = {
    "extension.remove": phrase("Extension"),
    "connected.remove": phrase("Connected registry"),
    "token.remove": phrase("Tokens"),
    "scope_map.remove": phrase("Scope maps"),
}


def deleted_fields(operation: Operation) -> Iterable[tuple[str, str]]:
    """What a removal, or a part of one, has deleted."""
    for kind, label in _DELETED.items():
        names = [escape(str(step.params["name"])) for step in operation.planned if step.kind == kind]
        if names:
            yield t(label), t("{names} deleted", names=listed(names))
    if isinstance(operation.options, RemoveOptions) and operation.options.without_cluster:
        yield t("Cluster"), t("was not looked at")
    for step in operation.planned:
        if step.kind == "namespace.gone":
            yield t("Cluster"), t("{namespace} is gone", namespace=escape(str(step.params["namespace"])))


def _nothing(operation: Operation) -> str:
    """With names that are alike: a slip in the name finds nothing too."""
    near = [
        name
        for finding in (operation.plan.findings if operation.plan else ())
        if finding.code == Code.CONNECTED_ABSENT and isinstance(near := finding.facts.get("near"), tuple)
        for name in near
    ]
    text = t(
        "There was nothing to remove: Azure has no connected registry, token or scope map of {target},"
        " and {site} has no extension of it.",
        target=code(operation.target),
        site=code(operation.site),
    )
    is_left_out = isinstance(operation.options, RemoveOptions) and operation.options.without_cluster
    findings = operation.plan.findings if operation.plan else ()
    if is_left_out or any(finding.code == UNPROVEN for finding in findings):
        text += t(" The cluster was not looked at.")
    return t("{text} Similar names: {near}.", text=text, near=listed(map(code, near))) if near else text


def _extension_fields(operation: Operation) -> Iterable[tuple[str, str]]:
    yield from deleted_fields(operation)
    findings = operation.plan.findings if operation.plan else ()
    for finding in findings:
        if finding.code == Code.CONNECTED_STAYS_ACTIVE:
            yield (
                t("Connected registry"),
                t("{target} stays, activated: deactivate or remove it", target=escape(operation.target)),
            )
        if finding.code == Code.CONNECTED_STAYS:
            yield t("Connected registry"), t("{target} stays", target=escape(operation.target))


WORDS = ProcedureWords(
    title="Remove {target} from {site}",
    success="removed",
    idle="nothing to remove",
    nothing=_nothing,
    steps={
        "workload.delete": StepWords("Workload {workload}", "namespace {namespace}"),
        "pull_secret.delete": StepWords("Pull secret regcred-{workload}", "namespace {namespace}"),
        "extension.remove": StepWords(
            "Extension {name}",
            lambda params: (
                t("Azure forgets it, and nobody uninstalls it")
                if params["force"]
                else t("the Arc agents uninstall it, with its namespace and its volume")
            ),
        ),
        "namespace.gone": StepWords("Namespace {namespace} is gone from the cluster"),
        "connected.remove": StepWords("Connected registry {name}"),
        "scope_map.narrow": StepWords("Scope map {name}", lost_gateways),
        "token.remove": StepWords("{purpose} token {name}"),
        "scope_map.remove": StepWords("Scope map {name}"),
    },
    fields=deleted_fields,
    causes={
        Cause.NAMESPACE_STAYS: CauseWords(
            "Azure has deleted the extension, but its namespace {namespace} is still in the cluster ({phase}).",
            "The Arc agents uninstall it as soon as they reach Azure: check that the cluster is connected. In a"
            " namespace that is terminating, an object with a finalizer may hold it up. Then retry.",
            "kubectl describe namespace {namespace}",
        ),
        Cause.DELETION_HELD: CauseWords(
            "Azure has deleted the extension, and its namespace {namespace} is still being deleted. What the cluster"
            " waits for: {message}",
            f"{NAMESPACE_HELP} Then retry.",
            "kubectl get namespace {namespace} --output yaml",
        ),
        Cause.EXTENSION_REPLACED: CauseWords(
            "{extension} is an extension of another type by now ({type}), so it was not deleted.",
            "Run the command again: it plans for what is there now.",
            f"az k8s-extension list {CLUSTER_OPTIONS} --output table",
        ),
    },
    findings={
        **AZURE_FINDINGS,
        Code.CONNECTED_FOUND: FindingWords("The connected registry {name} exists ({mode}, {state})."),
        Code.CONNECTED_ABSENT: FindingWords(
            "The cloud registry {registry} has no connected registry {name}. What is left of it goes.",
        ),
        Code.CONNECTED_BUSY: FindingWords(
            "{name} is being changed at the moment ({state}).", "Run the command again when that has ended."
        ),
        Code.CONNECTED_STAYS: FindingWords("The connected registry {name} stays in Azure, with its tokens."),
        Code.CONNECTED_STAYS_ACTIVE: FindingWords(
            "The connected registry {name} stays in Azure, with its tokens and its activation: no other installation of"
            " it is let in.",
            "Afterwards deactivate it for another installation, or remove it: `deactivate`, `remove`.",
        ),
        Code.CHILDREN: FindingWords(
            "Connected registries below {name} sync through it: {children}.", "Remove them first."
        ),
        Code.UNSYNCED_DATA: FindingWords(
            "{name} takes pushes (ReadWrite). Whatever was pushed to it since its last sync ({last_sync}) exists on its"
            " volume alone and is lost. It is {state}.",
            "To keep it, let {name} sync first, or copy the images.",
        ),
        Code.ACTIVE_ELSEWHERE: FindingWords(
            "{name} is active ({state}, last seen {last_activity}), and no extension of it is at {site}: it runs on"
            " another cluster. That installation stays there, and can no longer sync.",
            "To take it along, remove {name} by the site where it runs.",
        ),
        Code.EXTENSION_FOUND: FindingWords("The extension {extension} runs {name} ({state})."),
        Code.EXTENSION_ABSENT: FindingWords("No connected registry's extension is installed at {site}."),
        Code.EXTENSION_OTHERS: FindingWords("The extension {extension} does not run {name}. It stays."),
        Code.EXTENSION_UNCLEAR: FindingWords(
            "Azure does not show whether the extension {extension} at {site} runs {name}.",
            "If it does, run the command again with `--extension` and its name. If it runs another one, run it with"
            " `--extension none`: then the extension stays.",
            f"az k8s-extension show --name {{extension}} {CLUSTER_OPTIONS}",
        ),
        Code.EXTENSION_CHOSEN_OTHERS: FindingWords(
            "The extension {extension} runs {others}, so it does not go with {name}.",
            "Leave the option out, or remove {others}.",
        ),
        Code.EXTENSION_CHOSEN_ABSENT: FindingWords(
            "There is no extension {chosen} of a connected registry at {site}, but there is {extension}.",
            "Check the name after `--extension`.",
        ),
        Code.CLIENT_TOKENS: FindingWords(
            "The client tokens of {name} are deleted: {tokens}. Nobody can sign in with them any more, at the cloud"
            " registry either; Azure does not show whether somebody does.",
            "To keep them, add `--keep-client-tokens`.",
        ),
        Code.CLIENT_TOKENS_KEPT: FindingWords("Client tokens stay."),
        Code.TOKENS_IN_USE: FindingWords(
            "Other connected registries use these tokens, so they stay: {tokens} ({users})."
        ),
        Code.SCOPE_MAPS_IN_USE: FindingWords(
            "Other tokens use these scope maps, so they stay: {scope_maps} ({users})."
        ),
        Code.ANCESTORS_KEEP: FindingWords(
            "{ancestors} may read repositories that only {name} is known to use: {repositories}. It may sync them for"
            " itself, so these rights stay.",
            "If nobody needs them there, take them away afterwards with `permissions remove`.",
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has all rights that the removal uses."),
        Code.AGENTS_AWAY: FindingWords(
            "The Arc agents of {cluster} do not reach Azure ({state}, last seen {last_heartbeat}). The extension can't"
            " be uninstalled before they do: the removal waits for half an hour and fails then.",
            "Reconnect the cluster first. If it is gone for good, add `--without-cluster`.",
        ),
        Code.CLUSTER_LEFT_OUT: FindingWords(
            "The cluster is not looked at: whatever runs there stays, and workloads that pull from {name} stay unknown."
        ),
        Code.KUBERNETES_REACHED: FindingWords("The cluster answers (Kubernetes {version})."),
        Code.RIGHTS_COMPLETE: FindingWords("The bot has all Kubernetes rights that the removal uses."),
        Code.RIGHTS_MISSING: FindingWords(
            "The bot lacks rights in the cluster: {missing}.",
            "Apply the manifest again.",
            "kubectl apply --filename deploy/rbac/read-only.yaml",
        ),
        Code.OWN_WORKLOADS: FindingWords(
            "Workloads that this bot deployed from {name} are deleted with it: {workloads}."
        ),
        Code.WORKLOADS: FindingWords(
            "Workloads pull from {name}: {workloads} ({images}). They run on with the images that their nodes have, and"
            " can't start where an image is missing.",
            "Point them to another registry first.",
        ),
        Code.NO_WORKLOADS: FindingWords("No workload of the cluster pulls from {name}."),
    },
)

EXTENSION_WORDS = replace(
    WORDS,
    title="Delete the extension of {target} at {site}",
    success="deleted",
    idle="nothing to delete",
    nothing=lambda operation: t(
        "There was nothing to delete: {site} has no extension of {target}.",
        site=code(operation.site),
        target=code(operation.target),
    ),
    fields=_extension_fields,
)
"""Of the deletion of its extension alone."""
