"""What a deletion looks at before it decides."""

import asyncio
from dataclasses import dataclass

from services.model.azure import ConnectedRegistry, Extension, ScopeMap, Token
from services.model.plan import Plan
from services.operations.answers import Answer, Questions, known
from services.operations.belongings import DELETION_ACTIONS, Belongings, belongings
from services.operations.delete.request import DeleteRequest
from services.policy.sites import Site
from services.ports import Azure, Kubernetes


@dataclass(frozen=True)
class Observation:
    """Everything in the cloud registry that could be a part of it, and the extensions at the site."""

    connected: Answer[tuple[ConnectedRegistry, ...]]
    scope_maps: Answer[tuple[ScopeMap, ...]]
    tokens: Answer[tuple[Token, ...]]
    extensions: Answer[tuple[Extension, ...]]
    missing_actions: Answer[tuple[str, ...] | None]

    def belongings(self, request: DeleteRequest) -> Belongings:
        """What is there for it alone; what could not be asked counts as nothing, and blocks the plan."""
        registries, scope_maps, tokens = known(self.connected, ()), known(self.scope_maps, ()), known(self.tokens, ())
        return belongings(request.name, registries, scope_maps, tokens, keep_client_tokens=True)


async def observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, _request: DeleteRequest, _approved: Plan | None
) -> Observation:
    """Five ARM requests."""
    acr, arc = site.acr_ref, site.cluster_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        scope_maps = arm.list(acr.id, lambda: azure.scope_maps.list(acr))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, tuple(DELETION_ACTIONS.values())))
    return Observation(connected.result(), scope_maps.result(), tokens.result(), extensions.result(), missing.result())
