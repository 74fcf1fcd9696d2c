"""The words of a deployment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import code, date, escape, listed
from handlers.views.procedures.deploy_causes import CAUSES
from handlers.views.procedures.deploy_findings import EXTENSION_FINDINGS, FINDINGS
from handlers.views.procedures.providers import REGISTRATION
from handlers.views.procedures.registry_steps import READER_WORDS, connected_settings, image_keeps, image_remark, synced
from handlers.views.procedures.words import (
    ARRIVAL_CAUSES,
    ARRIVAL_FINDINGS,
    CERTIFICATE_CAUSES,
    CERTIFICATE_FINDINGS,
    REGISTRY_FINDINGS,
    TLS_FINDINGS,
    ProcedureWords,
    StepWords,
    certificate_details,
    tls_secret_details,
)
from services.model.operation import Operation
from services.operations.deploy.outputs import (
    AddressHeld,
    AddressReserved,
    ExtensionInstalled,
    RegistryOnline,
    RegistrySynced,
    RuntimeVerified,
    address_of,
)


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    verified, installed = operation.output(RuntimeVerified), operation.output(ExtensionInstalled)
    problems = installed.problems if installed else ()
    address = verified.address if verified else address_of(operation)
    proof = operation.output(RegistrySynced)
    synced = proof or operation.output(RegistryOnline)
    unproven = proof.unproven if proof else ()
    return (
        (t("Connected registry"), t("{target} is Online", target=escape(operation.target))),
        (
            t("Extension"),
            t("Succeeded, but reports: {problems}", problems=escape("; ".join(problems)))
            if problems
            else t("Succeeded"),
        ),
        (t("Service IP"), code(address)),
        (t("Volume"), escape(verified.volume) if verified else ""),
        (
            t("Last sync"),
            date(synced.last_sync) if synced and synced.last_sync else t("the first sync is still running"),
        ),
        (t("Repositories"), listed(code(name) for name in proof.repositories if name not in unproven) if proof else ""),
        (t("Not proven to hold an image"), listed(map(code, unproven))),
    )


def _chosen(params: Mapping[str, Any]) -> str:
    return t("named by the site's own certificate") if params.get("certified") else t("as requested")


def _installed(params: Mapping[str, Any]) -> Iterator[str]:
    """Settings of the extension that the plan decides on, and its certificate."""
    yield from (f"{key}={value}" for key, value in params["settings"].items())
    yield from filter(None, (tls_secret_details(params), certificate_details(params)))


WORDS = ProcedureWords(
    title="Deploy {target} to {site}",
    success="online",
    steps={
        "service_ip.hold": StepWords(
            "Service IP {address}",
            lambda params: (
                t("or the next free one, if somebody takes it first") if params["picked"] else _chosen(params)
            ),
        ),
        "service_ip.reserve": StepWords(
            "Service IP {address}",
            lambda params: t(
                "{picked}; nobody has looked whether it is free",
                picked=t("from the site file") if params["picked"] else _chosen(params),
            ),
        ),
        "provider.register": REGISTRATION,
        "acr.create": StepWords("Cloud registry {name}", "Premium, in {location}"),
        "acr.data_endpoint": StepWords("Data endpoint of {name}", "enabled; firewalls at the edge must let it through"),
        "acr.import": StepWords("Image {image}", "from {source}; an existing tag is kept"),
        "scope_map.put": StepWords("Scope map {name}", synced),
        "sync_token.put": StepWords("Sync token {name}"),
        "connected.create": StepWords("Connected registry {name}", connected_settings),
        "extension.install": StepWords(
            "Extension {name}",
            lambda params: t(", ").join(_installed(params)),
        ),
        "cluster.verify": StepWords("Deployment, Service and volume in the cluster"),
        "connected.online": StepWords("{name} comes online"),
        "connected.synced": StepWords("First sync of {name}"),
        **READER_WORDS,
    },
    fields=_fields,
    remark=lambda output: output.address if isinstance(output, AddressHeld | AddressReserved) else image_remark(output),
    keeps=image_keeps,
    causes={**CAUSES, **ARRIVAL_CAUSES, **CERTIFICATE_CAUSES},
    findings={**FINDINGS, **ARRIVAL_FINDINGS, **TLS_FINDINGS, **CERTIFICATE_FINDINGS},
)

EXTENSION_WORDS = replace(
    WORDS,
    title="Deploy the extension of {target} to {site}",
    findings={**FINDINGS, **TLS_FINDINGS, **CERTIFICATE_FINDINGS, **REGISTRY_FINDINGS, **EXTENSION_FINDINGS},
)
"""Of the installation of its extension alone."""
