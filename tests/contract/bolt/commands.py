"""Small commands that show each way of answering."""

import asyncio
from collections.abc import Sequence

from handlers.kit import Arguments, Command, Field, Message, Modal, Request, blocks, command
from services.model.errors import Invalid, NotFound
from services.policy.sites import Site
from services.services import Services


async def form(_request: Request, given: Arguments, _services: Services) -> Modal:
    site = given["site"].name if "site" in given else ""
    fields = (
        Field("name", "Name", initial=given.get("name", ""), required=True, positional=True),
        Field("site", "Site", "suggest", initial=site, required=True),
        Field("repository", "Repositories", "suggests", initial=given.get("repository", ())),
        Field("dry_run", "Dry run", "flag", initial=given.get("dry_run", False)),
    )
    return Modal("Deploy", "Deploy", "deploy", fields, (blocks.alert("Careful", "warning"),))


async def repositories(_request: Request, typed: str, _services: Services) -> Sequence[str]:
    return [name for name in ("hello-world", "team/app") if typed in name]


@command(
    "deploy",
    needs="registry:write",
    examples=("deploy edge01 --site berlin",),
    changes=True,
    modal=form,
    suggest={"repository": repositories},
)
async def deploy(
    request: Request,
    name: str,
    *,
    site: Site,
    repository: tuple[str, ...] = (),
    dry_run: bool = False,
    services: Services,
) -> Message:
    """Deploy a connected registry.

    Args:
        name: Its name.
        site: Where.
        repository: What it syncs.
        dry_run: Only show the plan.
    """
    if not name.isalnum():
        raise Invalid("name", name, "name.pattern")
    said = f"{name} at {site.name} with {','.join(repository)}{' dry' if dry_run else ''}"
    return Message(f"Deploying {said}", visibility="channel")


@command("show", needs="registry:read", examples=("show edge01",))
async def show(request: Request, name: str, *, services: Services) -> Message:
    """Show one."""
    if name != "edge01":
        raise NotFound("connected registry", name)
    row = blocks.actions(blocks.button("Again", runs="show edge01"), blocks.button("Change", runs="deploy edge01"))
    return Message(f"Shown {name}", (blocks.section(f"Shown {name}"), row))


@command("card", needs="registry:read", examples=("card",))
async def card(request: Request) -> Message:
    """Post a card that everybody can click on."""
    row = blocks.actions(
        blocks.button("Take", runs="take"), blocks.button("Deploy", runs="deploy edge01 --site berlin")
    )
    return Message("A card", (blocks.section("A card"), row), visibility="channel")


@command("take", needs="registry:read", examples=("take",))
async def take(request: Request) -> Message:
    """Replace the card."""
    return Message(f"Taken by {request.person.name}", replace=True)


@command("broken", needs=None, examples=("broken",))
async def broken(request: Request) -> Message:
    """Fail as only a fault can."""
    raise RuntimeError("boom password=hunter2")


def declared(gate: asyncio.Event) -> Sequence[Command]:
    @command("slow", needs=None, examples=("slow",))
    async def slow(request: Request) -> Message:
        """Wait for the gate."""
        await gate.wait()
        return Message("At last")

    @command("rebuild", needs=None, examples=("rebuild",), changes=True)
    async def rebuild(request: Request) -> Message:
        """Wait for the gate, and change something."""
        await gate.wait()
        return Message("Rebuilt")

    return (deploy, show, card, take, broken, slow, rebuild)
