"""Deploy a connected registry: the whole procedure as one operation."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, get_args

from handlers.kit.command import Arguments, command
from handlers.kit.language import phrase, t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.nearest import ranked
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.orders import dry_run_field, order
from services.operations.command_line import iso
from services.operations.deploy.request import DeployOptions
from services.policy.sites import Site, Tls
from services.services import Services

Mode = Literal["ReadOnly", "ReadWrite"]
NAME_RULE = phrase("5 to 40 lowercase letters and digits, beginning with a letter.")
_RARE: Mapping[str, str] = {
    "schedule": phrase("Schedule"),
    "window": phrase("Window"),
    "message_ttl": phrase("Message TTL"),
    "storage_class": phrase("Storage class"),
    "storage_request": phrase("Storage request"),
    "extension_name": phrase("Extension name"),
    "tls": phrase("TLS"),
    "tls_secret": phrase("Secret with the certificate"),
}
"""Options that the form has a field for only if they were typed."""


async def _form(request: Request, arguments: Arguments, services: Services) -> Modal:
    """The command's form, filled in with what was typed. Fields that stay empty get the site's values."""
    site = arguments.get("site")
    sites = permitted_sites(request, services, "registry:write")
    only_site = sites[0].name if len(sites) == 1 else ""
    repositories = arguments.get("repository") or (site.sync.repositories if isinstance(site, Site) else ())

    def text(name: str) -> str:
        value = arguments.get(name) or ""
        return iso(value) if isinstance(value, timedelta) else str(value)

    fields = (
        Field(
            "name",
            t("Name"),
            initial=text("name"),
            required=True,
            positional=True,
            placeholder="edge01",
            hint=t(NAME_RULE),
        ),
        Field(
            "site", t("Site"), kind="suggest", initial=site.name if isinstance(site, Site) else only_site, required=True
        ),
        Field(
            "repository",
            t("Repositories"),
            kind="suggests",
            initial=tuple(repositories),
            hint=t("Repositories to copy to the edge. If empty, the site's own list."),
        ),
        Field(
            "mode",
            t("Mode"),
            kind="choice",
            choices=get_args(Mode),
            initial=text("mode"),
            hint=t("Can't be changed later."),
        ),
        Field("service_ip", t("Service IP"), initial=text("service_ip"), placeholder=t("a free one is picked")),
        *(Field(name, t(label), initial=text(name)) for name, label in _RARE.items() if arguments.get(name)),
        Field(
            "wait_for_images",
            t("Images"),
            kind="flag",
            placeholder=t("Wait until the edge has all images"),
            initial=bool(arguments.get("wait_for_images")),
        ),
        dry_run_field(arguments),
    )
    return Modal(t("Deploy a registry"), t("Deploy"), "deploy", fields)


async def _repositories(request: Request, typed: str, services: Services) -> Sequence[str]:
    """Repositories of sites that the person may see, and the typed text last: the cloud registry may have it."""
    sites = permitted_sites(request, services, "registry:read")
    repositories = {name for site in sites for name in (*site.sync.repositories, *site.images)}
    return [*ranked(typed, repositories, most=99), *([typed] if typed and typed not in repositories else [])]


@command(
    "deploy",
    needs="registry:write",
    examples=(
        "deploy edge01 --site berlin",
        "deploy edge01 --site berlin --repository hello-world --dry-run",
        "deploy edge01 --site berlin --tls certificate",
    ),
    changes=True,
    modal=_form,
    suggest={"repository": _repositories},
)
async def deploy(
    request: Request,
    name: str,
    *,
    site: Site,
    repository: tuple[str, ...] = (),
    mode: Mode | None = None,
    schedule: str | None = None,
    window: timedelta | None = None,
    message_ttl: timedelta | None = None,
    service_ip: str | None = None,
    storage_class: str | None = None,
    storage_request: str | None = None,
    extension_name: str | None = None,
    tls: Tls | None = None,
    tls_secret: str = "",
    wait_for_images: bool = False,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Deploy a connected registry to a site's cluster and verify it, as one operation that you can follow.

    It registers resource providers, enables the cloud registry's data endpoint, imports images, creates the scope map,
    sync token and connected registry, installs the Arc extension with a new connection string, and waits until the
    registry is online and has synced. Existing resources that fit are kept; nothing is overwritten silently. You see
    the whole plan first.

    Args:
        name: Name of the connected registry: 5 to 40 lowercase letters and digits, beginning with a letter.
        site: The site to deploy to.
        repository: Repositories to copy to the edge; by default the site's own list.
        mode: ReadOnly or ReadWrite; it can't be changed later.
        schedule: Cron expression in UTC for syncs; by default the site's own.
        window: How long a scheduled sync stays open, such as 3h.
        message_ttl: How long undelivered messages are kept, such as 2d.
        service_ip: Address inside the cluster's Service range; by default a free one is picked.
        storage_class: Storage class of the volume; by default the cluster's own.
        storage_request: Size of the volume, such as 250Gi.
        extension_name: Name of the Arc extension and its Helm release; by default the connected registry's.
        tls: A certificate by cert-manager, the site's own, one in a Secret of the cluster, or HTTP without encryption;
            by default the site's way, else by cert-manager.
        tls_secret: Name of the Secret with ca.crt, tls.crt and tls.key, in the namespace of the extension.
        wait_for_images: Done only when the edge has all images, by digest; the bot makes a client token to ask it.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = DeployOptions(
        repositories=repository,
        mode=mode,
        schedule=schedule,
        window=window,
        message_ttl=message_ttl,
        service_ip=service_ip,
        storage_class=storage_class,
        storage_request=storage_request,
        extension_name=extension_name,
        wait_for_images=wait_for_images,
        tls=tls,
        tls_secret=tls_secret,
    )
    return await order(request, services, kind="deploy", target=name, site=site, options=options, dry_run=dry_run)
