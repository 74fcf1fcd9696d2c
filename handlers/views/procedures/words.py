"""The words that each kind of operation needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import listed
from services.model.operation import Operation
from services.operations.arrival_codes import ArrivalCause, ArrivalCode
from services.operations.azure_checks import AzureCode
from services.operations.causes import ImageCause
from services.operations.certificates import CertificateCause, CertificateCode
from services.operations.parents import ParentCode
from services.operations.registry_checks import RegistryCode
from services.operations.tls import TlsCode

ACR_OPTIONS = "--name {registry} --resource-group {group} --subscription {subscription}"
REGISTRY_OPTIONS = "--registry {registry} --resource-group {group} --subscription {subscription}"
ARC_OPTIONS = "--name {cluster} --resource-group {cluster_group} --subscription {cluster_subscription}"
CLUSTER_OPTIONS = (
    "--cluster-name {cluster} --cluster-type connectedClusters --resource-group {cluster_group}"
    " --subscription {cluster_subscription}"
)
"""How lines of the Azure CLI name the cloud registry, what is in it, the cluster in Azure Arc, and an extension in it.

Each names the subscription: without it a line acts in the one that the reader's CLI has chosen, where something else
may have the same name.
"""

NAMESPACE_HELP = (
    "Have whoever set a finalizer finish, or bring back the API service that it names; `kubectl get apiservices` shows"
    " those that are not available."
)
"""For a namespace of which the cluster says what holds its deletion up."""


@dataclass(frozen=True)
class CauseWords:
    """Why it failed and what to do, as templates over a failure's facts.

    `line` is for people's own shell; `command` is run by a button on the card, as if the person had typed it, and not
    offered where the failure lacks the fact that it `needs`. `retry` says what a retry of the failed operation does or
    needs; it is left out where there is no operation.
    """

    sentence: str
    remedy: str
    line: str = ""
    command: str = ""
    retry: str = ""
    needs: str = ""


@dataclass(frozen=True)
class FindingWords:
    """What a check found and how to fix it, as templates over its facts.

    `line` is for people's own shell; `command` is run by one of the bot's buttons.
    """

    sentence: str
    fix: str = ""
    line: str = ""
    command: str = ""


@dataclass(frozen=True)
class StepWords:
    """A step as people read it: `title` names it, `details` helps them to decide.

    Templates over the plan's parameters; details that depend on them are a function.
    """

    title: str
    details: str | Callable[[Mapping[str, Any]], str] = ""

    def details_of(self, params: Mapping[str, Any]) -> str:
        """The details of a step with these parameters, in plain text."""
        return t(self.details).format_map(params) if isinstance(self.details, str) else self.details(params)


@dataclass(frozen=True)
class ProcedureWords:
    """The words of one kind of operation.

    Args:
        title: A template over `target` and `site`.
        success: The state after a success, such as `online`.
        idle: The same where nothing had to be done; empty: as `success`.
        nothing: The sentence on a card that had nothing to do, in mrkdwn.
        steps: By kind of step.
        fields: What the card of a success shows, as pairs of label and mrkdwn.
        remark: Small print about a finished step, from its output, or about one under way, from its note; may be empty.
        keeps: Whether a finished step's output says that it created nothing, since it was there already.
        causes: By cause.
        findings: By code.
    """

    title: str
    success: str
    steps: Mapping[str, StepWords] = field(default_factory=dict)
    idle: str = ""
    nothing: Callable[[Operation], str] = lambda _operation: t("There was nothing to do: everything is as requested.")
    fields: Callable[[Operation], Iterable[tuple[str, str]]] = lambda _operation: ()
    remark: Callable[[object], str] = lambda _output: ""
    keeps: Callable[[object], bool] = lambda _output: False
    causes: Mapping[str, CauseWords] = field(default_factory=dict)
    findings: Mapping[str, FindingWords] = field(default_factory=dict)


REGISTRY_FINDINGS: Mapping[str, FindingWords] = {
    RegistryCode.CONNECTED_FOUND: FindingWords("The connected registry {name} exists ({mode}, {state})."),
    RegistryCode.CONNECTED_ABSENT: FindingWords(
        "The cloud registry {registry} has no connected registry {name}.",
        "Check the name; similar ones: {near}.",
        f"az acr connected-registry list {REGISTRY_OPTIONS} --output table",
    ),
    RegistryCode.CONNECTED_BUSY: FindingWords(
        "{name} is being changed at the moment ({state}).", "Run the command again when that has ended."
    ),
}
"""Of the kinds that change a connected registry which is there."""

PARENT_FINDINGS: Mapping[str, FindingWords] = {
    ParentCode.PARENT_PROTOCOL_UNKNOWN: FindingWords(
        "{name} syncs through {parent}, and Azure does not show by which protocol that is served.",
        "Say it: `--parent-protocol https`, or `http` where {parent} is served without TLS.",
    ),
    ParentCode.PARENT_REACHED: FindingWords("{name} reaches {parent} at {endpoint} by HTTPS."),
    ParentCode.PARENT_PLAIN_HTTP: FindingWords(
        "{name} reaches {parent} at {endpoint} by plain HTTP: its password and the images travel unencrypted.",
        "Only for a network that nobody else is in.",
    ),
    ParentCode.PARENT_ENDPOINT_UNKNOWN: FindingWords(
        "Azure does not show where {name} reaches {parent}, which its connection string needs.",
        "Install {parent} first, and look whether it is online.",
        command="show {parent} --site {site}",
    ),
    ParentCode.PARENT_IS_CLOUD: FindingWords(
        "{name} syncs from the cloud registry itself, which takes HTTPS alone.", "Leave out `--parent-protocol`."
    ),
}
"""Of the kinds that send a new connection string."""

TLS_FINDINGS: Mapping[str, FindingWords] = {
    TlsCode.PLAIN_HTTP: FindingWords(
        "{name} is served over plain HTTP: passwords of client tokens and images travel unencrypted, and each node"
        " has to be told that its registry is insecure.",
        "Only for a network that nobody else is in. Workloads that pull over HTTPS can't pull any more.",
    ),
    TlsCode.CERT_MANAGER_GOES: FindingWords(
        "The cert-manager that the extension {extension} brought along is removed with this change. Certificates of"
        " others that it renews are not renewed any more."
    ),
    TlsCode.TLS_SECRET_UNSEEN: FindingWords(
        "Nobody has looked into the Secret {secret}: the bot may not read Secrets. It has to be in the namespace"
        " {namespace} with `ca.crt`, `tls.crt` and `tls.key`, and its certificate has to name the Service address.",
        "Look whether it is there.",
        "kubectl get secret {secret} --namespace {namespace}",
    ),
    TlsCode.TLS_SECRET_UNNAMED: FindingWords(
        "The extension has its certificate from a Secret of the cluster, and Azure never shows which.",
        "Say it: `--tls secret --tls-secret NAME`, or choose another way: `--tls`.",
    ),
    TlsCode.TLS_DIFFERS: FindingWords(
        "The extension {extension} is installed with the encryption {installed}, not {wanted}.",
        "`extension update --tls {wanted}` changes it in place.",
    ),
}
"""Of the kinds that install or change an extension."""

CERTIFICATE_FINDINGS: Mapping[str, FindingWords] = {
    CertificateCode.CERTIFICATE_FITS: FindingWords("The site's own certificate is for {names}, until {ends}."),
    CertificateCode.CERTIFICATE_ENDS_SOON: FindingWords(
        "The site's own certificate ends {ends}, and nobody can pull after that until it has been replaced.",
        "Put a newer one in its place, then `extension update --tls certificate` hands it to the extension.",
    ),
    CertificateCode.CERTIFICATE_NOT_NAMED: FindingWords(
        "The site file names no certificate for {site}, so that the bot has none to send.",
        "Whoever runs the bot names its files under `extension.certificate`.",
    ),
    CertificateCode.CERTIFICATE_UNREADABLE: FindingWords(
        "The site's own certificate can't be read: {reason}.",
        "Give the bot what `extension.certificate` in the site file names; an environment variable needs a restart.",
    ),
    CertificateCode.CERTIFICATE_MALFORMED: FindingWords(
        "{place} holds no certificate or private key in PEM.",
        "A file in DER or PKCS #12 is converted by `openssl`.",
    ),
    CertificateCode.CERTIFICATE_KEY_ENCRYPTED: FindingWords(
        "The private key in {place} has a password, which nobody could type at the edge.",
        "Remove it: `openssl pkey -in KEY -out NEW_KEY`.",
    ),
    CertificateCode.CERTIFICATE_KEY_OTHER: FindingWords(
        "The private key in {place} is that of another certificate.", "Give the two that belong together."
    ),
    CertificateCode.CERTIFICATE_CA_MISSING: FindingWords(
        "The site's own certificate was issued by {issuer}, and nodes have to trust that authority.",
        "Whoever runs the bot names the file with the authority's certificate: `extension.certificate.ca_file`.",
    ),
    CertificateCode.CERTIFICATE_CA_OTHER: FindingWords(
        "No authority in {place} has issued the site's own certificate, or a certificate between the two is missing.",
        "`certificate_file` has the certificate first, then those between it and the authority, each issued by the next"
        " one.",
    ),
    CertificateCode.CERTIFICATE_EXPIRED: FindingWords(
        "The site's own certificate ended {ends}, so that nobody could pull.", "Put a newer one in its place."
    ),
    CertificateCode.CERTIFICATE_EARLY: FindingWords(
        "The site's own certificate begins {begins}, so that nobody could pull until then.", "Run the command then."
    ),
    CertificateCode.CERTIFICATE_OTHER_NAMES: FindingWords(
        "The site's own certificate is for {names}, and not for {hosts}, by which nodes pull.",
        "Have one issued with them as subject alternative names.",
    ),
}
"""Of the kinds that hand a site's own certificate to the extension."""

CERTIFICATE_CAUSES: Mapping[str, CauseWords] = {
    CertificateCause.CERTIFICATE_REPLACED: CauseWords(
        "The files of the site's own certificate no longer hold the one that the plan shows. Nothing was sent.",
        "If the new one is right, run the command again: its plan shows it.",
    ),
}
"""Likewise."""

AZURE_FINDINGS: Mapping[str, FindingWords] = {
    AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has the rights that this uses."),
    AzureCode.ACTIONS_MISSING: FindingWords(
        "The bot's Azure identity lacks rights at {place}: {missing}.",
        "Whoever runs the bot has to update its custom role: `deploy/azure/writer.json` lists them.",
    ),
    AzureCode.LOCKED: FindingWords(
        "A {level} lock at {scope} forbids a part of this at {place}, so nothing of it is begun.",
        "Remove the lock, or ask whoever set it.",
    ),
    AzureCode.AGENTS_CONNECTED: FindingWords("The Arc agents of {cluster} reach Azure."),
}
"""Of the kinds that ask for the bot's rights in Azure, or for the Arc agents; a kind may say it in other words."""

ARRIVAL_FINDINGS: Mapping[str, FindingWords] = {
    ArrivalCode.WAIT_EDGE: FindingWords("{name} at {site} syncs these repositories."),
    ArrivalCode.WAIT_NO_EDGE: FindingWords(
        "The cluster of {site} runs no active connected registry of {registry}, so there is no edge to wait for.",
        "Leave out `--wait-for-images`, or name the site of an edge.",
        command="list --site {site}",
    ),
    ArrivalCode.WAIT_NOT_SYNCED: FindingWords(
        "{name} does not sync these repositories, so the images never come to it: {repositories}.",
        "Add them with `permissions add`, or leave out `--wait-for-images`.",
    ),
    ArrivalCode.WAIT_POSSIBLE: FindingWords(
        "A Job in the namespace {namespace} asks the edge for its images. It reads by a client token that this"
        " operation makes, and deletes when it ends."
    ),
    ArrivalCode.WAIT_NO_ACCESS: FindingWords(
        "The bot has no access to the cluster of {site}, so it can't ask the edge for its images.",
        "Leave out `--wait-for-images`.",
    ),
    ArrivalCode.WAIT_NO_NAMESPACE: FindingWords(
        "The cluster has no usable namespace {namespace} for the Job that asks the edge.",
        "Create it, or name another one in the site file (`cluster.kubernetes.reader_namespace`).",
        "kubectl create namespace {namespace}",
    ),
    ArrivalCode.WAIT_RIGHTS_MISSING: FindingWords(
        "The bot lacks rights to ask the edge for its images: {missing}.",
        "Apply the bot's manifests for the namespace {namespace} as a cluster administrator, or leave out"
        " `--wait-for-images`.",
        "kubectl apply --filename deploy/rbac/workloads.yaml --filename deploy/rbac/images.yaml",
    ),
    ArrivalCode.WAIT_CLIENTS_FULL: FindingWords(
        "{name} has {count} client tokens, and takes none for the time of the wait.",
        "Take away a client token that nobody needs, or leave out `--wait-for-images`.",
    ),
}
"""Of the kinds that can wait for images at the edge."""

_EDGE_SYNCS = "Last sync: {last_sync}; schedule {schedule} (UTC), next contact {next_sync}."
ARRIVAL_CAUSES: Mapping[str, CauseWords] = {
    ArrivalCause.IMAGES_LATE: CauseWords(
        f"These tags are not at the edge as the cloud has them: {{images}} (waited for: {{total}}). {_EDGE_SYNCS}",
        "Look at its last sync and its disk with `show`.",
        retry="Retry to wait for one more sync; nothing else is done again.",
    ),
    ArrivalCause.IMAGES_UNASKED: CauseWords(
        f"The edge could not be asked for its images, so nobody knows whether they are there: {{reason}} {{message}}."
        f" {_EDGE_SYNCS}",
        "Look whether it is in contact, and whether Pods start in its cluster.",
        retry="Retry to ask again; nothing else is done again.",
    ),
}
"""Of the same kinds."""


def tls_secret_details(params: Mapping[str, Any]) -> str:
    """Which Secret of the cluster the certificate comes from; empty where from none. In plain text."""
    secret = params.get("tls_secret")
    return t("certificate from the Secret {tls_secret}", tls_secret=secret) if secret else ""


def certificate_details(params: Mapping[str, Any]) -> str:
    """Which certificate goes with the change; empty without one. In plain text."""
    certificate = params.get("certificate")
    if not certificate:
        return ""
    return t(
        "own certificate for {names} until {ends:%Y-%m-%d}, SHA-256 {fingerprint}…",
        names=listed(certificate["names"]),
        ends=certificate["ends"],
        fingerprint=certificate["fingerprint"][:16],
    )


IMAGE_CAUSES: Mapping[str, CauseWords] = {
    ImageCause.IMAGE_NOT_THERE: CauseWords(
        "The import of {image} has ended, but {registry} has no such tag.",
        "Look into the registry: something may have deleted it.",
        "az acr repository show-tags --name {registry} --subscription {subscription} --repository {repository}",
        retry="Then retry.",
    ),
    ImageCause.NO_PASSWORD: CauseWords(
        "The password for the registry {host}, from which {image} comes, can't be read: {reason}.",
        "Give it to the bot as `sources` in the site file says; an environment variable needs a restart.",
        retry="Then retry.",
    ),
    ImageCause.SOURCE_ABSENT: CauseWords(
        "{host} has no image {source}: {message}",
        "Correct its name or its tag, in the site file (`images`) or in the command.",
    ),
    ImageCause.SOURCE_CLOSED: CauseWords(
        "{host} does not let Azure read {source} for the import: {message}",
        "See whether the image exists there under this name: some registries say the same of one that does not. A"
        " private one needs an entry under `sources` in the site file, and a cloud registry with network rules has to"
        " let trusted Azure services in.",
        retry="Then retry.",
    ),
    ImageCause.IMAGE_DIFFERS: CauseWords(
        "{registry} has {image} as {digest}; the site file wants {expected}, and an import never overwrites.",
        "Delete that tag if nothing needs it, or name another tag in the site file.",
        retry="Then retry.",
    ),
}
"""Of the kinds that import images."""
