"""A few declared commands, and sites, for the tests of the kit."""

from typing import Literal

from handlers.kit import Catalogue, Message, Request, command
from services.policy.sites import Site
from services.services import Services


def site(name: str, environment: str = "development") -> Site:
    return Site.model_validate(
        {
            "name": name,
            "environment": environment,
            "subscription": "22222222-2222-4222-8222-222222222222",
            "resource_group": "rg",
            "acr": {"name": "contosoacr"},
            "cluster": {"name": f"{name}-arc"},
        }
    )


SITES = {name: site(name) for name in ("berlin", "hamburg")}


@command("deploy", needs="registry:write", examples=("deploy edge01 --site berlin",), changes=True)
async def deploy(
    request: Request,
    name: str,
    *,
    site: Site,
    repository: tuple[str, ...] = (),
    mode: Literal["ReadOnly", "ReadWrite"] = "ReadOnly",
    limit: int = 5,
    dry_run: bool = False,
    services: Services,
) -> Message:
    """Deploy a connected registry.

    The whole procedure as one operation.

    Args:
        name: What it is called.
        site: Where it goes.
        repository: What it syncs.
    """
    return Message(f"{name} {site.name} {repository} {mode} {limit} {dry_run}")


@command("show", needs="registry:read", examples=("show edge01",))
async def show(request: Request, name: str, *, site: Site | None = None) -> Message:
    """Show one."""
    return Message(name)


@command("operation show", needs="operation:read", examples=("operation show op-1",))
async def operation_show(request: Request, operation: str) -> Message:
    """Show an operation."""
    return Message(operation)


@command("operation list", needs="operation:read", examples=("operation list",))
async def operation_list(request: Request) -> Message:
    """List operations."""
    return Message("none")


CATALOGUE = Catalogue([deploy, show, operation_show, operation_list])
