"""What a creation looks at before it decides."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.model.azure import ConnectedRegistry, Registry, ScopeMap, Token, resource_name
from services.model.errors import Absent
from services.model.plan import Plan
from services.operations.answers import Answer, Questions, known, value_of
from services.operations.create.request import CreateRequest
from services.policy.sites import Site
from services.policy.sync_permissions import SyncAccess, lineage
from services.ports import Azure, Kubernetes

_ACR = "Microsoft.ContainerRegistry/registries"
ACTIONS = {
    "acr.data_endpoint": f"{_ACR}/write",
    "scope_map.grant": f"{_ACR}/scopeMaps/write",
    "scope_map.put": f"{_ACR}/scopeMaps/write",
    "sync_token.put": f"{_ACR}/tokens/write",
    "connected.create": f"{_ACR}/connectedRegistries/write",
}
"""What Azure's roles call the writes of each kind of step."""


@dataclass(frozen=True)
class Observation:
    """The cloud registry with all that bears names in it. None as a value means: there is none."""

    registry: Answer[Registry | None]
    connected: Answer[tuple[ConnectedRegistry, ...]]
    scope_maps: Answer[tuple[ScopeMap, ...]]
    tokens: Answer[tuple[Token, ...]]
    missing_actions: Answer[tuple[str, ...] | None]
    images: Mapping[str, Answer[str]] = field(default_factory=dict)
    """By repository the name of any tag, empty where it has none."""

    def registry_named(self, name: str) -> ConnectedRegistry | None:
        """The connected registry of that name, whatever its case (ARM names have none)."""
        registries = known(self.connected, ())
        return next((registry for registry in registries if registry.name.casefold() == name.casefold()), None)

    def scope_map(self, name: str) -> ScopeMap | None:
        """The scope map of that name."""
        return next((one for one in known(self.scope_maps, ()) if one.name.casefold() == name.casefold()), None)

    def token(self, name: str) -> Token | None:
        """The token of that name."""
        return next((one for one in known(self.tokens, ()) if one.name.casefold() == name.casefold()), None)

    def actions(self, request: CreateRequest) -> tuple[str, ...]:
        """What the registry syncs by, and all of those above it need too: of a token that exists its scope map's."""
        token = self.token(request.sync_token) if request.sync_token else None
        scope_map = self.scope_map(resource_name(token.scope_map_id)) if token else None
        return scope_map.actions if scope_map else request.actions

    def line_above(self, parent: str) -> tuple[SyncAccess, ...]:
        """The parent and those above it, from the top; empty without a parent."""
        registry = self.registry_named(parent) if parent else None
        if registry is None:
            return ()
        registries, tokens, scope_maps = known(self.connected, ()), known(self.tokens, ()), known(self.scope_maps, ())
        family = lineage(registry, registries, tokens, scope_maps)
        return (*reversed(family.above), family.own)


async def observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, request: CreateRequest, _approved: Plan | None
) -> Observation:
    """Five ARM requests, and a look at each repository."""
    acr = site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        scope_maps = arm.list(acr.id, lambda: azure.scope_maps.list(acr))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, sorted({*ACTIONS.values()})))

        def look(repository: str) -> asyncio.Task[Answer[str]]:
            async def any_tag() -> str:
                if (cloud := await value_of(registry)) is None:
                    return ""
                try:
                    return await azure.images.any_tag(acr, cloud.login_server, repository)
                except Absent:
                    return ""

            return arm.ask(f"{acr.id}/{repository}", any_tag)

        images = {repository: look(repository) for repository in request.repositories}
    return Observation(
        registry.result(),
        connected.result(),
        scope_maps.result(),
        tokens.result(),
        missing.result(),
        {repository: image.result() for repository, image in images.items()},
    )
