"""A change of an extension, as people read it."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.kit.language import phrase, t
from handlers.kit.text import code, escape
from handlers.views.procedures.words import (
    AZURE_FINDINGS,
    CERTIFICATE_CAUSES,
    CERTIFICATE_FINDINGS,
    CLUSTER_OPTIONS,
    PARENT_FINDINGS,
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    TLS_FINDINGS,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
    certificate_details,
    tls_secret_details,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.extension_update.request import Cause, Code

_LABELS: Mapping[str, str] = {
    "version": phrase("version"),
    "release_train": phrase("release train"),
    "auto_upgrade": phrase("automatic upgrades"),
}
_SHOW = f"az k8s-extension show --name {{extension}} {CLUSTER_OPTIONS}"


def _value(value: object) -> str:
    match value:
        case bool():
            return t("on") if value else t("off")
        case None | "":
            return t("unknown")
    return str(value)


def _texts(params: Mapping[str, Any]) -> list[str]:
    """Old and new values."""
    changes = {**{t(_LABELS[key]): pair for key, pair in params["release"].items()}, **params["settings"]}
    texts = [
        f"{label} {_value(after) if before == after else f'{_value(before)} → {_value(after)}'}"
        for label, (before, after) in changes.items()
    ]
    texts += filter(None, (tls_secret_details(params), certificate_details(params)))
    if params["token"]:
        texts.append(t("new connection string with {slot} of {token}", slot=params["slot"], token=params["token"]))
    return texts


def _details(params: Mapping[str, Any]) -> str:
    return t(", ").join(_texts(params)) or t("sent again, as it is")


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    for step in operation.planned:
        if step.kind == "extension.update":
            yield t("Changed"), escape(_details(step.params))


WORDS = ProcedureWords(
    title="Update the extension of {target} at {site}",
    success="updated",
    idle="nothing to change",
    steps={
        "extension.update": StepWords("Extension {name}", _details),
        "extension.available": StepWords("Deployment of {name} is available in the cluster"),
    },
    fields=_fields,
    causes={
        **CERTIFICATE_CAUSES,
        Cause.CHANGE_FAILED: CauseWords(
            "The extension {extension} did not take the change: it is {state} ({problems}).",
            f"See to what it complains of. {code('extension update')} with other values installs it again.",
            _SHOW,
            retry="A retry sends the same values once more.",
        ),
    },
    findings={
        **REGISTRY_FINDINGS,
        **CERTIFICATE_FINDINGS,
        **AZURE_FINDINGS,
        **PARENT_FINDINGS,
        **TLS_FINDINGS,
        Code.EXTENSION_FOUND: FindingWords("The extension {extension} runs {name} ({state}, version {version})."),
        Code.EXTENSION_ABSENT: FindingWords(
            "No extension at {site} is certainly that of {name}.",
            "Name the site where it runs, or install one.",
            command="extension deploy {name} --site {site}",
        ),
        Code.EXTENSION_BUSY: FindingWords(
            "The extension {extension} is being changed at the moment ({state}).",
            "Run the command again when that has ended.",
        ),
        Code.EXTENSION_FAILED: FindingWords(
            "The extension {extension} is {state}. The change installs it again; if it fails of something else, so does"
            " the change."
        ),
        Code.RESTARTS: FindingWords(
            "The runtime of {name} starts again, and nobody can pull from it meanwhile: a minute or two."
        ),
        Code.FROM_OUTSIDE: FindingWords(
            "With a Service of the type {type} {name} can be reached from outside the cluster too. Nodes go on pulling"
            " by its address inside."
        ),
        Code.DNS_NAME: FindingWords(
            "Whoever pulls by {host} needs a DNS entry for it, and a certificate by cert-manager. Only the articles on"
            " Microsoft's private previews describe this setting; extensions that don't know it ignore it."
        ),
        Code.NODES_LABELLED: FindingWords("These nodes bear the label {label}: {nodes}."),
        Code.NO_NODE_LABELLED: FindingWords(
            "No node bears the label {label}, so that none learns to trust the certificate, and none can pull.",
            "Label those that are to pull.",
            "kubectl label node NODE {label}",
        ),
        Code.NEW_PASSWORD: FindingWords(
            "Azure takes protected settings only as a whole, so that a new connection string goes with them: {slot} of"
            " {token} gets a new password, and the other one stays valid."
        ),
        Code.OTHER_SECRETS: FindingWords(
            "The extension {extension} has further protected settings ({keys}). Azure replaces them only as a whole and"
            " never shows them, so that the change would delete them.",
            "Whoever has them can send them together with a new connection string: `az k8s-extension update"
            " --config-protected-file`.",
        ),
        Code.NO_CONNECTION_STRING: FindingWords(
            "No new connection string can be built for {name}, which has to go with the change: its sync token is gone"
            " or disabled, or Azure does not show the data endpoint of the cloud registry.",
            "The line shows its token and its data endpoint; whichever is missing has to come back first.",
            f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS}",
        ),
        AzureCode.AGENTS_AWAY: FindingWords(
            "The Arc agents of {cluster} do not reach Azure ({state}, last seen {last_heartbeat}), so that nobody"
            " would carry the change out.",
            "Reconnect the cluster first.",
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has all rights that the change uses."),
    },
)
