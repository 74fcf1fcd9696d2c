"""Connected registries above and below one another, and what those above may read on account of those below. Pure.

A connected registry syncs through its parent, so that each one above has the rights of all below it in the scope map of
its own sync token, as the Azure CLI puts them there.
"""

from collections.abc import Iterable

from services.model.azure import ConnectedRegistry, ScopeMap, Token, resource_name
from services.policy.sites import synced_repositories


def above(name: str, registries: Iterable[ConnectedRegistry]) -> tuple[ConnectedRegistry, ...]:
    """From the parent of the connected registry `name` up to the one under the cloud registry."""
    by_name = {registry.name.casefold(): registry for registry in registries}
    line: list[ConnectedRegistry] = []
    while (registry := by_name.get(name.casefold())) and (parent := by_name.get(registry.parent.casefold())):
        if parent in line:
            break
        line.append(parent)
        name = parent.name
    return tuple(line)


def below(name: str, registries: Iterable[ConnectedRegistry]) -> tuple[ConnectedRegistry, ...]:
    """Everything below the connected registry `name`, at any depth."""
    registries = tuple(registries)
    return tuple(
        registry
        for registry in registries
        if name.casefold() in {ancestor.name.casefold() for ancestor in above(registry.name, registries)}
    )


def sync_scope_map(
    registry: ConnectedRegistry, tokens: Iterable[Token], scope_maps: Iterable[ScopeMap]
) -> ScopeMap | None:
    """The scope map of its sync token; None where either is missing."""
    names = {resource_name(token.scope_map_id) for token in tokens if _is(token, registry.token_id)}
    return next((scope_map for scope_map in scope_maps if scope_map.name.casefold() in names), None)


def repositories_kept_above(
    registry: ConnectedRegistry,
    registries: Iterable[ConnectedRegistry],
    scope_maps: Iterable[ScopeMap],
    tokens: Iterable[Token],
) -> dict[str, tuple[str, ...]]:
    """By the name of a connected registry above: repositories that nothing but it and `registry` is known to use.

    Whether one above syncs a repository for itself too is written nowhere, so it never loses the right to it.
    """
    registries = tuple(registries)
    by_map = {scope_map.name.casefold(): set(synced_repositories(scope_map.actions)) for scope_map in scope_maps}
    of_token = {token.name.casefold(): by_map.get(resource_name(token.scope_map_id), set()) for token in tokens}
    own, kept = of_token.get(resource_name(registry.token_id), set()), {}
    for ancestor in above(registry.name, registries):
        others = [one for one in below(ancestor.name, registries) if one.name.casefold() != registry.name.casefold()]
        users = (*ancestor.client_token_ids, *(one.token_id for one in others))
        used = {repository for user in users for repository in of_token.get(resource_name(user), ())}
        if unused := own & of_token.get(resource_name(ancestor.token_id), set()) - used:
            kept[ancestor.name] = tuple(sorted(unused))
    return kept


def _is(token: Token, arm_id: str) -> bool:
    return token.name.casefold() == resource_name(arm_id)
