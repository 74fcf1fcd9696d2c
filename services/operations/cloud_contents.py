"""What a cloud registry has of repositories, and which connected registries should have it too."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.model.azure import AcrRef, ConnectedRegistry, resource_name
from services.model.contents import CloudTag
from services.model.errors import Absent
from services.policy.sites import synced_repositories
from services.policy.sync_permissions import grants
from services.ports import Azure

AT_ONCE = 8
"""Questions to a cloud registry."""


async def readable_repositories(azure: Azure, acr: AcrRef, registry: ConnectedRegistry) -> tuple[str, ...]:
    """The repositories that its sync token may read; none where it has no such token."""
    if not registry.token_id:
        return ()
    token = await azure.tokens.get(acr, registry.token_id.rpartition("/")[2])
    scope_map = await azure.scope_maps.get(acr, token.scope_map_id.rpartition("/")[2])
    return synced_repositories(scope_map.actions)


async def cloud_tags(azure: Azure, acr: AcrRef, repositories: tuple[str, ...]) -> dict[str, Mapping[str, CloudTag]]:
    """By repository; one that does not exist has no tags. Raises what Azure answers otherwise."""
    if not repositories:
        return {}
    server, bound = (await azure.registries.get(acr)).login_server, asyncio.Semaphore(AT_ONCE)

    async def tags(repository: str) -> Mapping[str, CloudTag]:
        async with bound:
            try:
                return await azure.images.tags(acr, server, repository)
            except Absent:
                return {}

    return dict(zip(repositories, await asyncio.gather(*map(tags, repositories)), strict=True))


@dataclass(frozen=True)
class Expectation:
    """What a cloud registry has under the reference, None for nothing, and what each of its sync tokens may read."""

    tag: CloudTag | None
    actions: Mapping[str, tuple[str, ...]]
    """By the token's name, in lower case."""

    def reads(self, registry: ConnectedRegistry, repository: str) -> bool:
        """Whether a connected registry syncs the repository. With a managed identity nobody can say, so it is asked."""
        actions = self.actions.get(resource_name(registry.token_id), ())
        return not registry.token_id or grants(actions, f"repositories/{repository}/content/read")


async def expectation(azure: Azure, acr: AcrRef, repository: str, reference: str) -> Expectation:
    """What edges should have under a tag or digest of a repository. Raises what Azure answers."""
    registry, tokens, scope_maps = await asyncio.gather(
        azure.registries.get(acr), azure.tokens.list(acr), azure.scope_maps.list(acr)
    )
    maps = {resource_name(scope_map.id): scope_map.actions for scope_map in scope_maps}
    actions = {token.name.casefold(): maps.get(resource_name(token.scope_map_id), ()) for token in tokens}
    try:
        if ":" in reference:
            tag = CloudTag((await azure.images.get(acr, registry.login_server, repository, reference)).digest)
        else:
            tag = await azure.images.tag(acr, registry.login_server, repository, reference)
    except Absent:
        return Expectation(None, actions)
    return Expectation(tag, actions)
