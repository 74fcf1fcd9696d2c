"""Workloads: deploy one that pulls from a connected registry, show and delete them."""

import asyncio
from dataclasses import replace

from handlers.kit.command import Arguments, command
from handlers.kit.language import t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.orders import dry_run_field, order
from handlers.views import workloads as views
from services.model.errors import Absent, DomainError, Invalid, NotFound
from services.operations.reach import cluster_of
from services.operations.workload.manifest import LONGEST
from services.operations.workload.request import (
    DeletionOptions,
    WorkloadOptions,
    split_image,
)
from services.policy.sites import Site
from services.services import Services

ATTACHMENT = "attachment"
LARGEST = 2 * LONGEST
"""Bytes of a manifest in a file; its characters are counted once they are read."""
_AT_ONCE = 16
"""Clusters that are asked."""


def _attachment_fields(services: Services) -> tuple[Field, ...]:
    """None without the scope that files need: Slack would open no form at all."""
    hint = t("The manifest as one file in UTF-8 of at most {most:,} bytes; Slack lets you paste 3,000.", most=LARGEST)
    field = Field(ATTACHMENT, t("Manifest file"), kind="file", choices=("yaml", "yml"), hint=hint)
    return (field,) if services.slack.reads_files else ()


async def _form(request: Request, arguments: Arguments, services: Services) -> Modal:
    """Takes a manifest too, which nobody can type in one line; filled in with what was typed."""
    site, sites = arguments.get("site"), permitted_sites(request, services, "registry:write")
    only_site = sites[0].name if len(sites) == 1 else ""

    def text(name: str) -> str:
        return str(arguments.get(name) or "")

    fields = (
        Field("name", t("Connected registry"), initial=text("name"), required=True, positional=True),
        Field(
            "site",
            t("Site"),
            kind="suggest",
            initial=site.name if isinstance(site, Site) else only_site,
            required=True,
        ),
        Field("image", t("Image"), initial=text("image"), placeholder="hello-world:latest"),
        Field(
            "manifest",
            t("Manifest"),
            kind="lines",
            initial=text("manifest"),
            hint=t(
                "In the place of an image: one Deployment of one container, as YAML. Its image comes from the edge."
            ),
        ),
        *_attachment_fields(services),
        Field("workload", t("Name"), initial=text("workload"), hint=t("If empty, as the image or the manifest says.")),
        Field("namespace", t("Namespace"), initial=text("namespace")),
        dry_run_field(arguments),
    )
    return Modal(t("Deploy a workload"), t("Deploy"), "workload deploy", fields)


@command(
    "workload deploy",
    needs="registry:write",
    examples=(
        "workload deploy edge01 --site berlin --image hello-world:latest",
        "workload deploy edge01 --site berlin --image team/shop:v2 --namespace shop --replicas 2 --dry-run",
    ),
    changes=True,
    modal=_form,
)
async def deploy(
    request: Request,
    name: str,
    *,
    site: Site,
    image: str = "",
    manifest: str = "",
    workload: str | None = None,
    namespace: str | None = None,
    replicas: int | None = None,
    port: int | None = None,
    dry_run: bool = False,
    services: Services,
) -> Message | Modal | None:
    """Deploy a workload that pulls its image from a connected registry, and prove what the nodes have pulled.

    It creates a client token for that repository, waits until the edge knows it, makes a pull secret with a fresh
    password that nobody sees, and a Deployment with the edge's address in its image. It ends when the digest that the
    nodes report is the cloud's, also for an image that ends at once. You see the plan first. Without an image a form
    opens, into which a manifest can be pasted or attached as a file: what reaches outside of its namespace or the node
    is refused.

    Args:
        name: Of the connected registry to pull from.
        site: Where it is.
        image: Repository with tag or digest, such as hello-world:latest, without a host.
        manifest: In its place, one Deployment of one container as YAML; a form takes it.
        workload: Name of the Deployment; without it the manifest's, or the repository's last word.
        namespace: Where in the cluster; it must exist. Without it the manifest's, or default.
        replicas: How many Pods; without it the manifest's number, or one.
        port: That the container listens on.
        dry_run: Only show the plan and the checks; write nothing.
    """
    attachment = request.attachments.get(ATTACHMENT)
    if attachment and manifest:
        raise Invalid(ATTACHMENT, attachment.name, "attachment.both")
    if attachment:
        manifest = await services.slack.text_of(attachment, LARGEST)
    if not image and not manifest and request.trigger_id:
        return await _form(request, {"name": name, "site": site, "dry_run": dry_run}, services)
    options = WorkloadOptions(image, workload, namespace, replicas, port, manifest)
    try:
        return await order(
            request, services, kind="workload deploy", target=name, site=site, options=options, dry_run=dry_run
        )
    except Invalid as error:
        if attachment and error.field_name == "manifest":
            error.field_name = ATTACHMENT
        raise


@command("workload list", needs="registry:read", examples=("workload list", "workload list --site berlin"))
async def list_(
    request: Request, *, site: Site | None = None, page: int = 1, turn: bool = False, services: Services
) -> Message:
    """List the workloads that the bot has deployed, at all sites: image, Pods, digest on the nodes, and state.

    Args:
        site: Only those there.
        page: Which page.
        turn: Replace the page that is shown.
    """
    sites = permitted_sites(request, services, "registry:read", (site,) if site else None)
    bound = asyncio.Semaphore(_AT_ONCE)

    async def ask(place: Site) -> views.AtSite:
        async with bound:
            try:
                cluster = await cluster_of(services.azure, services.kubernetes, place)
                return views.AtSite(place, await cluster.workloads_of())
            except DomainError as error:
                return views.AtSite(place, (), error)

    answers = await asyncio.gather(*map(ask, sites))
    turns = f"workload list --site {site.name}" if site else "workload list"
    return replace(views.everywhere(answers, page, turns=turns, slash=request.slash), replace=turn)


@command("workload show", needs="registry:read", examples=("workload show edge01 --site berlin",))
async def show(_request: Request, name: str, *, site: Site, services: Services) -> Message:
    """Show the bot's workloads that pull from a connected registry: image, Pods, and whether it is the cloud's.

    Args:
        name: Of the connected registry.
        site: Where it is.
    """
    try:
        await services.azure.connected.get(site.acr_ref, name)
        registry = await services.azure.registries.get(site.acr_ref)
    except Absent:
        raise NotFound("connected registry", name) from None
    cluster = await cluster_of(services.azure, services.kubernetes, site)
    workloads = await cluster.workloads_of(name.lower())
    images = sorted({views.image(workload.spec) for workload in workloads})
    answers = await asyncio.gather(
        *(services.azure.images.get(site.acr_ref, registry.login_server, *split_image(image)) for image in images),
        return_exceptions=True,
    )
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, DomainError):
            raise answer
    in_cloud = {
        image: answer for image, answer in zip(images, answers, strict=True) if not isinstance(answer, BaseException)
    }
    return views.listing(name.lower(), site, workloads, in_cloud)


@command(
    "workload delete",
    needs="registry:write",
    examples=("workload delete hello-world --site berlin",),
    changes=True,
)
async def delete(
    request: Request,
    workload: str,
    *,
    site: Site,
    namespace: str = "default",
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Delete a workload with its pull secret, client token and scope map; what others use is kept.

    Args:
        workload: Its name, as `workload show` has it.
        site: Where it is.
        namespace: Where in the cluster.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = DeletionOptions(namespace)
    return await order(
        request, services, kind="workload delete", target=workload, site=site, options=options, dry_run=dry_run
    )
