"""What of the things in a cloud registry and a cluster is there for one connected registry alone. Pure.

Names prove little, so everything is known by what it is: an extension by its type and what it serves, a sync scope map
by the gateway that its actions name, a token by its scope map.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.model.azure import ConnectedRegistry, Extension, ScopeMap, Token, resource_name
from services.policy.extensions import extension_of, registry_extensions, shares_address
from services.policy.sync_permissions import repositories_kept_above

_CONNECTION_STRING, _STATED_NAME = "connectionString", "connectedregistryname="
Ownership = Literal["own", "other", "unclear"]
Purpose = Literal["Sync", "Client"]


_ACR = "Microsoft.ContainerRegistry/registries"
DELETION_ACTIONS = {
    "connected.remove": f"{_ACR}/connectedRegistries/delete",
    "scope_map.narrow": f"{_ACR}/scopeMaps/write",
    "scope_map.widen": f"{_ACR}/scopeMaps/write",
    "token.remove": f"{_ACR}/tokens/delete",
    "scope_map.remove": f"{_ACR}/scopeMaps/delete",
}
"""What Azure's roles call the writes of each kind of step, at the cloud registry."""


@dataclass(frozen=True)
class Belongings:
    """What is to go, what gets smaller, and what stays because others use it.

    `narrowed` has the actions that each scope map loses, `tokens_in_use` the connected registries that use a token,
    `maps_in_use` the tokens that use a scope map; all by name.
    """

    registry: ConnectedRegistry | None
    children: tuple[str, ...]
    tokens: Mapping[str, Purpose]
    tokens_in_use: Mapping[str, tuple[str, ...]]
    scope_maps: tuple[str, ...]
    maps_in_use: Mapping[str, tuple[str, ...]]
    narrowed: Mapping[str, tuple[str, ...]]
    repositories_kept: Mapping[str, tuple[str, ...]]
    """By the name of a connected registry above: repositories that nothing but it and the one that goes may read."""


def own_extension(
    name: str, chosen: str, extensions: tuple[Extension, ...], registries: tuple[ConnectedRegistry, ...]
) -> Extension | None:
    """The extension that goes: the chosen one, else one that is certainly this connected registry's."""
    for extension in registry_extensions(extensions):
        verdict, _ = ownership(extension, name, registries)
        if verdict != "other" if _same(extension.name, chosen) else verdict == "own" and not chosen:
            return extension
    return None


def ownership(
    extension: Extension, name: str, registries: tuple[ConnectedRegistry, ...]
) -> tuple[Ownership, tuple[str, ...]]:
    """Whether an extension runs the connected registry `name`, and the other ones that it may be running.

    Stricter than `extension_of`, since a deletion can't be taken back: its name is not enough for an extension whose
    address another connected registry reports. The setting that would decide is a secret, which Azure never shows.
    """
    if stated := _stated_name(extension):
        return ("own", ()) if _same(stated, name) else ("other", (stated,))
    serving = [registry.name for registry in registries if shares_address(extension, registry)]
    others = tuple(other for other in serving if not _same(other, name))
    is_served = len(others) < len(serving)
    if extension_of(name, registries, (extension,)) is not None and (is_served or not others):
        return "own", ()
    is_others = others and not is_served and not _same(extension.name, name)
    return ("other" if is_others else "unclear"), others


def belongings(
    name: str,
    registries: tuple[ConnectedRegistry, ...],
    scope_maps: tuple[ScopeMap, ...],
    tokens: tuple[Token, ...],
    *,
    keep_client_tokens: bool,
) -> Belongings:
    """Of everything in the cloud registry. ARM's names have no case; here they are as Azure writes them."""
    name = name.casefold()
    registry = next((one for one in registries if one.name.casefold() == name), None)
    others = [one for one in registries if one is not registry]
    existing = {one.name.casefold() for one in others}
    sync = {resource_name(registry.token_id)} if registry and registry.token_id else set()
    clients = set(map(resource_name, registry.client_token_ids)) - sync if registry else set()

    sync_maps = {resource_name(token.scope_map_id) for token in tokens if token.name.casefold() in sync}
    about = [one for one in scope_maps if name in gateways(one) or one.name.casefold() in sync_maps]
    own_maps = {one.name.casefold() for one in about if _is_free(one, existing)}
    candidates = [
        token
        for token in tokens
        if token.name.casefold() in sync | clients or resource_name(token.scope_map_id) in own_maps
        if not (keep_client_tokens and token.name.casefold() in clients)
    ]
    users = {token.name: tuple(one.name for one in others if _uses(one, token)) for token in candidates}
    deleted = [token for token in candidates if not users[token.name]]

    # Those of client tokens go with them; those about it that others share get smaller.
    own_maps |= {resource_name(token.scope_map_id) for token in deleted if token.name.casefold() in clients}
    staying = [token for token in tokens if token not in deleted]
    map_users = {
        one.name: tuple(token.name for token in staying if resource_name(token.scope_map_id) == one.name.casefold())
        for one in scope_maps
        if one.name.casefold() in own_maps and _is_free(one, existing)
    }
    narrowed = {
        one.name: tuple(action for action in one.actions if action.startswith(f"gateway/{name}/"))
        for one in about
        if gateways(one) & existing
    }
    return Belongings(
        registry=registry,
        children=tuple(one.name for one in others if registry and _same(one.parent, registry.name)),
        tokens={token.name: "Client" if token.name.casefold() in clients else "Sync" for token in deleted},
        tokens_in_use={token: names for token, names in users.items() if names},
        scope_maps=tuple(one for one, names in map_users.items() if not names),
        maps_in_use={one: names for one, names in map_users.items() if names},
        narrowed={one: actions for one, actions in narrowed.items() if actions},
        repositories_kept=repositories_kept_above(registry, registries, tokens, scope_maps) if registry else {},
    )


def gateways(scope_map: ScopeMap) -> set[str]:
    """Connected registries, in lower case, for which a scope map lets a token speak."""
    return {action.split("/")[1] for action in scope_map.actions if action.startswith("gateway/")}


def _is_free(scope_map: ScopeMap, others: set[str]) -> bool:
    """Whether it may go. One with gateways of others is theirs: one above in the hierarchy acts for those below."""
    return not scope_map.system_defined and not gateways(scope_map) & others


def _uses(registry: ConnectedRegistry, token: Token) -> bool:
    return token.name.casefold() in {resource_name(registry.token_id), *map(resource_name, registry.client_token_ids)}


def _stated_name(extension: Extension) -> str:
    """With a managed identity the connection string holds no secret and is an open setting (Learn)."""
    parts = extension.settings.get(_CONNECTION_STRING, "").split(";")
    stated = [part for part in parts if part.strip().lower().startswith(_STATED_NAME)]
    return stated[0].partition("=")[2].strip() if stated else ""


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
