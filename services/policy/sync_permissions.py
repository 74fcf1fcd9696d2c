"""What sync tokens may do, and which permissions those above lack for those below. Pure.

A connected registry syncs through its ancestors, so the sync scope map of each of them has to have every permission
that it has itself; the Azure CLI adds them to all ancestors when it creates one (`az acr connected-registry create`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.model.azure import ConnectedRegistry, ScopeMap, Token, resource_name
from services.policy.hierarchy import ancestors, descendants
from services.policy.sites import sync_actions, synced_repositories


@dataclass(frozen=True)
class SyncAccess:
    """A connected registry with its sync token and that token's scope map; None: Azure has none."""

    registry: ConnectedRegistry
    token: Token | None
    scope_map: ScopeMap | None

    @property
    def name(self) -> str:
        """Of the connected registry."""
        return self.registry.name

    @property
    def actions(self) -> tuple[str, ...]:
        """All that it may do; nothing without a scope map."""
        return self.scope_map.actions if self.scope_map else ()

    @property
    def needed(self) -> tuple[str, ...]:
        """What it needs of those above: all that it may do, and in any case its own gateway."""
        return tuple(sorted({*self.actions, *sync_actions(self.name, self.registry.mode, ())}))


@dataclass(frozen=True)
class Shortfall:
    """Permissions that the scope map of `holder` lacks and that connected registries `needed_by` (names) need."""

    holder: SyncAccess
    actions: tuple[str, ...]
    needed_by: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """A connected registry with those above it, the nearest first, and all below it."""

    own: SyncAccess
    above: tuple[SyncAccess, ...]
    below: tuple[SyncAccess, ...]

    @property
    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Where permissions are missing for it or for one below it, from the top."""
        members = (self.own, *self.below)
        registries = [member.registry for member in (*self.above, *members)]
        shortfalls = []
        for holder in (*reversed(self.above), *members):
            dependants = {registry.name for registry in descendants(holder.registry, registries)}
            lacking = {
                member.name: {action for action in member.needed if not grants(holder.actions, action)}
                for member in members
                if member.name in dependants
            }
            lacking[holder.name] = {
                action
                for action in sync_actions(holder.name, holder.registry.mode, ())
                if not grants(holder.actions, action)
            }
            if actions := set[str]().union(*lacking.values()):
                needed_by = tuple(name for name, missing in lacking.items() if missing)
                shortfalls.append(Shortfall(holder, tuple(sorted(actions)), needed_by))
        return tuple(shortfalls)


def lineage(
    registry: ConnectedRegistry,
    registries: Iterable[ConnectedRegistry],
    tokens: Iterable[Token],
    scope_maps: Iterable[ScopeMap],
) -> Lineage:
    """A connected registry and its family, from everything in its cloud registry."""
    registries = tuple(registries)
    tokens_by_name = {token.name.casefold(): token for token in tokens}
    maps_by_name = {scope_map.name.casefold(): scope_map for scope_map in scope_maps}

    def access(member: ConnectedRegistry) -> SyncAccess:
        token = tokens_by_name.get(resource_name(member.token_id))
        return SyncAccess(member, token, maps_by_name.get(resource_name(token.scope_map_id)) if token else None)

    return Lineage(
        access(registry),
        tuple(map(access, ancestors(registry, registries))),
        tuple(map(access, descendants(registry, registries))),
    )


def repositories_kept_above(
    registry: ConnectedRegistry,
    registries: tuple[ConnectedRegistry, ...],
    tokens: tuple[Token, ...],
    scope_maps: tuple[ScopeMap, ...],
) -> dict[str, tuple[str, ...]]:
    """By the name of a connected registry above: repositories that nothing but it and `registry` is known to use.

    Whether one above syncs a repository for itself too is written nowhere, so it never loses the right to it.
    """
    by_map = {scope_map.name.casefold(): set(synced_repositories(scope_map.actions)) for scope_map in scope_maps}
    of_token = {token.name.casefold(): by_map.get(resource_name(token.scope_map_id), set()) for token in tokens}
    own, kept = of_token.get(resource_name(registry.token_id), set()), {}
    for ancestor in ancestors(registry, registries):
        others = [below for below in descendants(ancestor, registries) if below.name != registry.name]
        users = (*ancestor.client_token_ids, *(below.token_id for below in others))
        used = {repository for user in users for repository in of_token.get(resource_name(user), ())}
        if unused := own & of_token.get(resource_name(ancestor.token_id), set()) - used:
            kept[ancestor.name] = tuple(sorted(unused))
    return kept


def grants(actions: Iterable[str], action: str) -> bool:
    """Whether one of a scope map's `actions` gives this one.

    The repository may be a pattern: `*`, or a prefix such as `team/*` (Learn: token-based repository permissions).
    """
    kind, repository, verb = split(action)
    for granted in actions:
        granted_kind, pattern, granted_verb = split(granted)
        if (granted_kind, granted_verb) != (kind, verb):
            continue
        if pattern == repository or (pattern.endswith("*") and repository.startswith(pattern[:-1])):
            return True
    return False


def split(action: str) -> tuple[str, str, str]:
    """Such as `("repositories", "team/app", "content/read")` or `("gateway", "edge01", "config/read")`."""
    kind, _, suffix = action.partition("/")
    name, *verb = suffix.rsplit("/", 2) if suffix.count("/") > 1 else (suffix,)
    return kind, name, "/".join(verb)
