"""Cloud registries: the container registries in Azure that sites sync from."""

import asyncio

from handlers.kit import blocks
from handlers.kit.command import Arguments, command
from handlers.kit.language import t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.request import Request
from handlers.kit.text import code
from handlers.kit.words import join
from handlers.orders import order
from handlers.views import cloud_registries as views
from services.model.errors import Invalid
from services.operations.answers import Questions
from services.operations.cloud_registry.request import (
    AcrCreateOptions,
    AcrImportOptions,
    AcrOptions,
)
from services.policy.sites import Site
from services.services import Services


@command("acr show", needs="registry:read", examples=("acr show berlin",), group="Cloud registries")
async def show(request: Request, site: Site, *, services: Services) -> Message:
    """Show a site's cloud registry: tier, hosts, network access, and how many connected registries it has.

    Args:
        site: Whose cloud registry.
    """
    azure, acr = services.azure, site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
    return views.card(site, registry.result(), connected.result(), slash=request.slash)


@command(
    "acr create",
    needs="registry:write",
    examples=("acr create berlin", "acr create berlin --location westeurope --dry-run"),
    changes=True,
    group="Cloud registries",
)
async def create(
    request: Request, site: Site, *, location: str = "", dry_run: bool = False, services: Services
) -> Message | None:
    """Create a site's cloud registry in the Premium tier, with its data endpoint on and its admin user off.

    Whether its name is free in the whole cloud is looked at first. One that exists is left as it is.

    Args:
        site: Whose cloud registry.
        location: Azure region, such as westeurope; by default the site's `acr.create_in`.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = AcrCreateOptions(location)
    return await order(
        request, services, kind="acr create", target=site.acr.name, site=site, options=options, dry_run=dry_run
    )


@command(
    "acr update",
    needs="registry:write",
    examples=("acr update berlin", "acr update berlin --dry-run"),
    changes=True,
    group="Cloud registries",
)
async def update(request: Request, site: Site, *, dry_run: bool = False, services: Services) -> Message | None:
    """Give a site's cloud registry what connected registries need: the Premium tier and its data endpoint.

    The plan says which of the two is missing, and what it brings along.

    Args:
        site: Whose cloud registry.
        dry_run: Only show the plan and the checks; write nothing.
    """
    return await order(
        request, services, kind="acr update", target=site.acr.name, site=site, options=AcrOptions(), dry_run=dry_run
    )


@command(
    "acr import",
    needs="registry:write",
    examples=(
        "acr import mcr.microsoft.com/hello-world:latest --site berlin",
        "acr import docker.io/library/python:3.12 --site berlin --repository base/python --dry-run",
    ),
    changes=True,
    group="Cloud registries",
)
async def import_(
    request: Request,
    image: tuple[str, ...],
    *,
    site: Site,
    repository: str = "",
    source_registry: str = "",
    wait_for_images: bool = False,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Import images into a site's cloud registry, by tag or by digest. A tag that is there is never overwritten.

    `HOST/NAME:TAG` imports what the tag stands for now, `HOST/NAME:TAG@sha256:…` exactly that content. It is done when
    the tag is there with the right digest. Edges get it with their next sync, if they may sync the repository; with
    `--wait-for-images` it is done when the site's own edge has it.

    Args:
        image: Images with host, repository and tag, such as mcr.microsoft.com/hello-world:latest.
        site: Whose cloud registry.
        repository: Where they go; by default to repositories of the same names.
        source_registry: ARM id of a private registry that they come from; the bot's identity has to be allowed to pull.
        wait_for_images: Done only when the site's edge has the images, by digest; a client token is made to ask it.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = AcrImportOptions(image, repository, source_registry, wait_for_images)
    return await order(
        request, services, kind="acr import", target=site.acr.name, site=site, options=options, dry_run=dry_run
    )


async def _form(_request: Request, arguments: Arguments, _services: Services) -> Modal:
    """Asks for what was not typed, and for the registry's name: nothing that goes can be brought back."""
    site = arguments.get("site")
    name = site.acr.name if isinstance(site, Site) else ""
    typed = [site.name] if isinstance(site, Site) else []
    fields = [Field("confirm", t("Type {name}", name=name or t("the name of its registry")), required=True)]
    if not name:
        fields.insert(0, Field("site", t("Site"), kind="suggest", required=True, positional=True))
    subject = code(name) if name else t("The cloud registry")
    note = blocks.section(t("{subject} is deleted with all its images. You see the whole plan first.", subject=subject))
    return Modal(t("Delete a registry"), t("Delete"), join(["acr", "delete", *typed]), tuple(fields), notes=(note,))


@command(
    "acr delete",
    needs="registry:write",
    examples=("acr delete berlin", "acr delete berlin --dry-run"),
    changes=True,
    modal=_form,
    group="Cloud registries",
)
async def delete(
    request: Request, site: Site, *, confirm: str = "", dry_run: bool = False, services: Services
) -> Message | Modal | None:
    """Delete a site's cloud registry with all its images, as long as no connected registry syncs from it.

    You type its name to confirm. The bot needs a right of its own for it.

    Args:
        site: Whose cloud registry.
        confirm: The name of the cloud registry; a form asks for it.
        dry_run: Only show the plan and the checks; write nothing.
    """
    name = site.acr.name
    if not dry_run and confirm != name:
        if not confirm and request.trigger_id:
            return await _form(request, {"site": site}, services)
        raise Invalid("confirm", confirm, "confirm.differs", {"name": name})
    return await order(
        request, services, kind="acr delete", target=site.acr.name, site=site, options=AcrOptions(), dry_run=dry_run
    )
