"""Extensions: the Arc extension that runs a connected registry, in Azure and in its cluster."""

import asyncio
from typing import Literal, get_args

from handlers.connected import locate
from handlers.kit import blocks
from handlers.kit.command import command
from handlers.kit.language import t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.request import Request
from handlers.kit.text import code
from handlers.kit.words import join
from handlers.orders import order
from handlers.views import extensions as views
from services.model.azure import Token
from services.operations.answers import Questions, known
from services.operations.connection_string import Protocol
from services.operations.deploy.extension_alone import ExtensionDeployOptions
from services.operations.deploy.installation import Installation
from services.operations.extension_update.request import (
    ExtensionUpdateOptions,
    ServiceType,
)
from services.operations.reach import ClusterQuestions
from services.operations.reinstall.request import NEWEST, ReinstallOptions
from services.operations.remove.extension_alone import ExtensionDeleteOptions
from services.policy.extensions import namespace_of
from services.policy.sites import Site, Tls
from services.services import Services


@command(
    "extension show", needs="registry:read", examples=("extension show edge01", "extension show edge01 --site berlin")
)
async def show(request: Request, name: str, *, site: Site | None = None, services: Services) -> Message:
    """Show the Arc extension that runs a connected registry, in Azure and in its cluster, and why it does not work.

    It is recognised by the connected registry that it serves, whatever its name.

    Args:
        name: Of the connected registry.
        site: Where it is; needed only if several cloud registries have one of this name.
    """
    detail = await locate(request, services, name, site)
    # The site that the person named comes first, if the registry runs there.
    places = sorted(detail.placement.extensions, key=lambda place: place[0] != site)
    if not places:
        return views.absent(detail, slash=request.slash)
    (at, extension), registry = places[0], detail.registry
    azure, acr, arc = services.azure, at.acr_ref, at.cluster_ref
    namespace = namespace_of(extension)

    async def sync_token() -> Token | None:
        name = registry.token_id.rpartition("/")[2]
        return await azure.tokens.get(acr, name) if name else None

    # Both planes at once: three ARM requests, and the cluster.
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        token = arm.find(acr.id, sync_token)
        cloud = arm.find(acr.id, lambda: azure.registries.get(acr))
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), services.azure, services.kubernetes, at)
        runtime = inside.ask(lambda reached: reached.runtime(namespace))
        certificates = inside.ask(lambda reached: reached.certificates(namespace))
    installation = Installation(
        at,
        registry,
        extension,
        cluster=cluster.result(),
        token=token.result(),
        acr=cloud.result(),
        runtime=runtime.result(),
        certificates=certificates.result(),
    )
    return views.card(detail, installation, request.now, slash=request.slash)


@command(
    "extension deploy",
    needs="registry:write",
    examples=(
        "extension deploy edge01 --site berlin",
        "extension deploy line1 --site berlin --parent-protocol https --dry-run",
    ),
    changes=True,
)
async def deploy(
    request: Request,
    name: str,
    *,
    site: Site,
    service_ip: str | None = None,
    storage_class: str | None = None,
    storage_request: str | None = None,
    extension_name: str | None = None,
    parent_protocol: Protocol | None = None,
    tls: Tls | None = None,
    tls_secret: str = "",
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Install the Arc extension for a connected registry that exists, and wait until the registry is online.

    It gets a new connection string and a Service address; the connected registry and what it syncs stay as they are.
    You see the whole plan first.

    Args:
        name: Of the connected registry.
        site: The site whose cluster runs it.
        service_ip: Address inside the cluster's Service range; by default a free one is picked.
        storage_class: Storage class of the volume; by default the cluster's own.
        storage_request: Size of the volume, such as 250Gi.
        extension_name: Name of the Arc extension and its Helm release; by default the connected registry's.
        parent_protocol: How the connected registry above it is served, for one that syncs through another.
        tls: A certificate by cert-manager, the site's own, one in a Secret of the cluster, or HTTP without encryption;
            by default the site's way, else by cert-manager.
        tls_secret: Name of the Secret with ca.crt, tls.crt and tls.key, in the namespace of the extension.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = ExtensionDeployOptions(
        service_ip, storage_class, storage_request, extension_name, parent_protocol, tls, tls_secret
    )
    return await order(
        request, services, kind="extension deploy", target=name, site=site, options=options, dry_run=dry_run
    )


OnOff = Literal["on", "off"]


def _flag(value: OnOff | None) -> bool | None:
    return None if value is None else value == "on"


@command(
    "extension update",
    needs="registry:write",
    examples=(
        "extension update edge01 --site berlin --version 0.11.0",
        "extension update edge01 --site berlin --auto-upgrade on --release-train stable",
        "extension update edge01 --site berlin --trust-node-selector on --dry-run",
        "extension update edge01 --site berlin --tls secret --tls-secret edge-certificate",
        "extension update edge01 --site berlin --tls certificate --dry-run",
    ),
    changes=True,
)
async def update(
    request: Request,
    name: str,
    *,
    site: Site,
    version: str = "",
    release_train: str = "",
    auto_upgrade: OnOff | None = None,
    tls: Tls | None = None,
    tls_secret: str = "",
    trust_distribution: OnOff | None = None,
    trust_node_selector: OnOff | None = None,
    service_type: ServiceType | None = None,
    dns_name: str = "",
    parent_protocol: Protocol | None = None,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Change the Arc extension that runs a connected registry: version, upgrades, TLS, and which nodes trust it.

    Only what you name changes; the plan shows the old and the new values, and what it means for those who pull. All
    other settings and secrets stay. The runtime starts again.

    Args:
        name: Of the connected registry.
        site: Where it runs.
        version: Version of the extension, which is then kept: nothing upgrades it.
        release_train: Such as stable or preview.
        auto_upgrade: Whether Azure installs newer minor versions by itself.
        tls: A certificate by cert-manager, the site's own, one in a Secret of the cluster, or HTTP without encryption.
        tls_secret: Name of the Secret with ca.crt, tls.crt and tls.key, in the namespace of the extension.
        trust_distribution: Whether nodes learn to trust the certificate.
        trust_node_selector: Whether only nodes with the label containerd-configured-by=connected-registry do.
        service_type: Type of its Service; nodes pull by the address inside the cluster with each of them.
        dns_name: A name that its certificate gets beside the address, such as edge01.example.com.
        parent_protocol: How the connected registry above it is served, for one that syncs through another.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = ExtensionUpdateOptions(
        version,
        release_train,
        _flag(auto_upgrade),
        tls,
        tls_secret,
        _flag(trust_distribution),
        _flag(trust_node_selector),
        service_type,
        dns_name,
        parent_protocol,
    )
    kind = "extension update"
    return await order(request, services, kind=kind, target=name, site=site, options=options, dry_run=dry_run)


@command(
    "extension delete",
    needs="registry:write",
    examples=("extension delete edge01 --site berlin", "extension delete edge01 --site berlin --dry-run"),
    changes=True,
)
async def delete(
    request: Request,
    name: str,
    *,
    site: Site,
    extension: str = "",
    without_cluster: bool = False,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Delete the Arc extension that runs a connected registry, and wait until it is gone from the cluster.

    Its images at the edge go with it. The connected registry stays in Azure with its tokens and its activation: before
    it is installed elsewhere it has to be deactivated. `remove` takes everything.

    Args:
        name: Of the connected registry.
        site: Where it runs.
        extension: Name of the site's extension, where the plan asks whose it is.
        without_cluster: For a cluster that is gone for good: nothing in it is looked at or waited for.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = ExtensionDeleteOptions(extension, without_cluster=without_cluster)
    return await order(
        request, services, kind="extension delete", target=name, site=site, options=options, dry_run=dry_run
    )


async def _choices(name: str, site: Site, services: Services) -> Modal:
    """What an installation may have failed of, to be chosen again, with the storage classes that the cluster has."""
    async with asyncio.TaskGroup() as group:
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), services.azure, services.kubernetes, site)
        answer = inside.ask(lambda reached: reached.storage_classes())
    classes = tuple(one.name for one in known(answer.result(), ()))
    fields = (
        Field(
            "storage_class",
            t("Storage class"),
            kind="choice" if classes else "line",
            choices=classes,
            hint=t("If empty, the site's own, else the cluster's."),
        ),
        Field("storage_request", t("Size of the volume"), placeholder="250Gi"),
        Field("service_ip", t("Service IP"), placeholder=t("the same as before")),
        Field("extension_name", t("Extension name"), placeholder=name),
        Field("version", t("Version"), placeholder=NEWEST, hint=t("If empty, the site's own.")),
        Field(
            "tls",
            t("TLS"),
            kind="choice",
            choices=get_args(Tls),
            hint=t("If empty, the site's own, else as it is."),
        ),
        Field("tls_secret", t("Secret with the certificate")),
        Field(
            "parent_protocol",
            t("Protocol of its parent"),
            kind="choice",
            choices=get_args(Protocol),
            hint=t("Only below another connected registry."),
        ),
    )
    note = blocks.section(
        t("The extension of {name} is deleted with its volume and installed from scratch.", name=code(name))
    )
    runs = join(["extension", "reinstall", name, "--site", site.name])
    return Modal(t("Reinstall"), t("Show the plan"), runs, fields, notes=(note,))


@command(
    "extension reinstall",
    needs="registry:write",
    examples=(
        "extension reinstall edge01 --site berlin --storage-class standard",
        "extension reinstall edge01 --site berlin --dry-run",
    ),
    changes=True,
)
async def reinstall(
    request: Request,
    name: str,
    *,
    site: Site,
    service_ip: str | None = None,
    storage_class: str | None = None,
    storage_request: str | None = None,
    extension_name: str | None = None,
    version: str = "",
    parent_protocol: Protocol | None = None,
    tls: Tls | None = None,
    tls_secret: str = "",
    choose: bool = False,
    dry_run: bool = False,
    services: Services,
) -> Message | Modal | None:
    """Delete the Arc extension of a connected registry, wait until it is gone, and install it from scratch.

    For what can't be changed in place: the volume, the name of the Helm release, a choice about cert-manager that was
    wrong. The connected registry keeps what it is, and is deactivated on the way where it is active. Its images at the
    edge go with the volume, and are synced again. You see the whole plan first.

    Args:
        name: Of the connected registry.
        site: The site whose cluster runs it.
        service_ip: Address inside the cluster's Service range; by default the one that it has, by which nodes pull.
        storage_class: Storage class of the volume; by default the cluster's own.
        storage_request: Size of the volume, such as 250Gi.
        extension_name: Name of the Arc extension and its Helm release; by default the connected registry's.
        version: Version of the extension; newest for the newest one, by default the site's own.
        parent_protocol: How the connected registry above it is served, for one that syncs through another.
        tls: A certificate by cert-manager, the site's own, one in a Secret of the cluster, or HTTP without encryption;
            by default the site's way, else as it is.
        tls_secret: Name of the Secret with ca.crt, tls.crt and tls.key, in the namespace of the extension.
        choose: Open a form with what the cluster has to choose from.
        dry_run: Only show the plan and the checks; write nothing.
    """
    if choose and request.trigger_id:
        return await _choices(name, site, services)
    options = ReinstallOptions(
        service_ip, storage_class, storage_request, extension_name, version, parent_protocol, tls, tls_secret
    )
    kind = "extension reinstall"
    return await order(request, services, kind=kind, target=name, site=site, options=options, dry_run=dry_run)
