"""Deploy a connected registry: the whole procedure as one operation."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from handlers.kit.command import Arguments, command
from handlers.kit.message import Field, Message, Modal
from handlers.kit.nearest import ranked
from handlers.kit.request import Request
from handlers.views.facts import iso
from services.operations.deploy.request import DeployOptions, deploy_request
from services.operations.service import Order
from services.policy.sites import Site
from services.services import Services

Mode = Literal["ReadOnly", "ReadWrite"]


_RARE: Mapping[str, str] = {
    "schedule": "Schedule",
    "window": "Window",
    "message_ttl": "Message TTL",
    "storage_class": "Storage class",
    "storage_request": "Storage request",
    "extension_name": "Extension name",
}
"""What the form asks only those who have typed it."""


def _typed(value: object) -> str:
    return iso(value) if isinstance(value, timedelta) else str(value)


async def _form(_request: Request, given: Arguments, services: Services) -> Modal:
    """The same as the command, filled in as far as it was typed; what stays empty comes from the site."""
    site = given.get("site")
    sites = [one.name for one in services.sites.values()]
    return Modal(
        "Deploy a registry",
        "Deploy",
        "deploy",
        (
            Field(
                "name",
                "Name",
                initial=str(given.get("name") or ""),
                required=True,
                positional=True,
                placeholder="edge01",
                hint="5 to 40 lower-case letters and digits, a letter first.",
            ),
            Field(
                "site",
                "Site",
                kind="suggest",
                initial=site.name if isinstance(site, Site) else sites[0] if len(sites) == 1 else "",
                required=True,
            ),
            Field(
                "repository",
                "Repositories",
                kind="suggests",
                initial=tuple(given.get("repository") or (site.sync.repositories if isinstance(site, Site) else ())),
                hint="What is copied to the edge. Empty: the site's own list.",
            ),
            Field(
                "mode",
                "Mode",
                kind="choice",
                choices=("ReadOnly", "ReadWrite"),
                initial=str(given.get("mode") or ""),
                hint="Can't be changed later.",
            ),
            Field(
                "service_ip",
                "Service IP",
                initial=str(given.get("service_ip") or ""),
                placeholder="a free one is picked",
            ),
            *(Field(name, label, initial=_typed(given[name])) for name, label in _RARE.items() if given.get(name)),
            Field(
                "dry_run", "Dry run", kind="flag", placeholder="Only show the plan", initial=bool(given.get("dry_run"))
            ),
        ),
    )


async def _repositories(_request: Request, typed: str, services: Services) -> Sequence[str]:
    """Repositories that sites name, and last what was typed: any other may be in the cloud registry too."""
    known = {name for site in services.sites.values() for name in (*site.sync.repositories, *site.images)}
    return [*ranked(typed, known, most=99), *([typed] if typed and typed not in known else [])]


@command(
    "deploy",
    needs="registry:write",
    examples=("deploy edge01 --site berlin", "deploy edge01 --site berlin --repository hello-world --dry-run"),
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
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Deploy a connected registry to a site's cluster and verify it, as one operation that you can follow.

    It registers resource providers, switches the cloud registry's data endpoint on, imports images, creates scope map,
    sync token and connected registry, installs the Arc extension with a fresh connection string, and waits until the
    registry is online and has synced. What exists and fits is kept; nothing is overwritten silently. You see the whole
    plan first.

    Args:
        name: Of the connected registry: 5 to 40 lower-case letters and digits, a letter first.
        site: Where to.
        repository: Repositories to copy to the edge; without it the site's own list.
        mode: ReadOnly or ReadWrite; it can't be changed later.
        schedule: Cron expression in UTC for syncs; without it the site's own.
        window: How long a scheduled sync stays open, such as 3h.
        message_ttl: How long undelivered messages are kept, such as 2d.
        service_ip: Address inside the cluster's Service range; without it a free one is picked.
        storage_class: Storage class of the volume; without it the cluster's default.
        storage_request: Size of the volume, such as 250Gi.
        extension_name: Of the Arc extension and its Helm release; without it the connected registry's name.
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
    )
    deploy_request(site, name, options)  # here, so that a slip is answered at once and privately
    order = Order("deploy", name, site, options, request.person, request.place, request.key, dry_run=dry_run)
    await services.operations.start(order)
    return None
