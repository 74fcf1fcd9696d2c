"""Client tokens of a connected registry: how its list of them is changed, for each kind of operation that does.

Azure takes the list as a whole. It is read right before it is written, so that what others changed meanwhile stays.
"""

from collections.abc import Iterable

from services.model.azure import ConnectedRegistry, Pending, resource_name
from services.operations.command_line import acr_options, command_line
from services.operations.step import Scene
from services.policy.sites import Site


def names(token_ids: Iterable[str]) -> tuple[str, ...]:
    """What the tokens with these ARM ids are called."""
    return tuple(token_id.rpartition("/")[2] for token_id in token_ids)


def changed(site: Site, registry: ConnectedRegistry, *, add: Iterable[str], remove: Iterable[str]) -> tuple[str, ...]:
    """The ARM ids of its list with these tokens added and removed, whatever the case of their names."""
    present = {resource_name(token_id) for token_id in registry.client_token_ids}
    missing = {name.casefold(): name for name in add if name.casefold() not in present}
    surplus = {name.casefold() for name in remove}
    listed = (token_id for token_id in registry.client_token_ids if resource_name(token_id) not in surplus)
    return (*listed, *(f"{site.acr_ref.id}/tokens/{name}" for name in missing.values()))


async def write(
    scene: Scene, registry: ConnectedRegistry, *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> Pending | None:
    """Change the list of a registry that was just read; None where it already is as it should be."""
    token_ids = changed(scene.site, registry, add=add, remove=remove)
    if token_ids == registry.client_token_ids:
        return None
    return await scene.azure.connected.set_client_tokens(scene.site.acr_ref, registry.name, token_ids)


def line(site: Site, registry: str, *, add: object = (), remove: object = ()) -> str:
    """The line of a script that does the same; `add` and `remove` are a token's name, or several."""
    return command_line(
        "az acr connected-registry update",
        name=registry,
        **acr_options(site.acr_ref),
        add_client_tokens=add,
        remove_client_tokens=remove,
    )
