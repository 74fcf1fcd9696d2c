"""Steps on the connected registry, and on what it syncs by."""

from datetime import datetime, timedelta

from services.model.errors import DomainError
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, repeated
from services.operations.deploy.outputs import RegistryOnline, RegistrySynced
from services.operations.deploy.steps.verdict import raise_if_final
from services.operations.outputs import ImageImported, ImageKept
from services.operations.registry_steps import (
    create_registry,
    enable_data_endpoint,
    put_sync_scope_map,
    put_sync_token,
)
from services.operations.step import Done, Going, Progress, Scene, Step, again
from services.policy.sites import Site, synced_repositories


def see_online(kind: str) -> Step:
    """A step that looks until the connected registry has been connected at least once since its activation."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        # One that syncs at this very moment is connected too.
        if registry.activation == "Active" and registry.connection_state in {"Online", "Syncing"}:
            return Done(RegistryOnline(registry.last_sync))
        await raise_if_final(scene, connected=registry)
        return Going()

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        show = command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query="connectionState",
            output="tsv",
        )
        return repeated(show, "connection_state", "Online", "Syncing", seconds=5)

    return Step(kind, look, line, wait=again(look), interval=5, within=timedelta(minutes=20))


def see_synced(kind: str) -> Step:
    """A step that looks until a sync has ended after the operation's own changes, by Azure's clock alone."""

    async def begin(scene: Scene) -> Progress:
        online = scene.operation.output(RegistryOnline)
        if online and online.last_sync and not _has_new_repositories(scene.operation):
            return await _proven(scene, online.last_sync)
        return await look(scene)

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        online = scene.operation.output(RegistryOnline)
        is_old = (
            online is not None and registry.last_sync == online.last_sync and _has_new_repositories(scene.operation)
        )
        return Going() if registry.last_sync is None or is_old else await _proven(scene, registry.last_sync)

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        show = command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query="parent.syncProperties.lastSyncTime",
            output="tsv",
        )
        return repeated(show, "last_sync", seconds=10)

    # A large registry on a slow line syncs for hours; it is online and at work, so nothing has failed.
    return Step(kind, begin, line, wait=again(look), interval=10, within=timedelta(minutes=30), patient=True)


def _has_new_repositories(operation: Operation) -> bool:
    """Whether the operation has changed the scope map of a registry that may have synced before."""
    return any(planned.kind == "scope_map.put" and planned.effect == "change" for planned in operation.planned)


async def _proven(scene: Scene, last_sync: datetime) -> Progress:
    """Azure does not show what is at the edge; it shows that a sync has ended, and what there was to sync."""
    maps = [planned for planned in scene.operation.planned if planned.kind == "scope_map.put"]
    actions = [str(action) for planned in maps for action in _several(planned.params["actions"])]
    repositories = synced_repositories(actions)
    unproven = []
    try:
        login_server = await _login_server(scene)
    except DomainError:
        return Done(RegistrySynced(last_sync, repositories, repositories))
    for repository in repositories:
        try:
            await scene.azure.images.any_tag(scene.site.acr_ref, login_server, repository)
        except DomainError:
            unproven.append(repository)
    return Done(RegistrySynced(last_sync, repositories, tuple(unproven)))


async def _login_server(scene: Scene) -> str:
    """As an import of this operation has read it; otherwise Azure is asked."""
    imported = scene.operation.output(ImageImported) or scene.operation.output(ImageKept)
    if imported is not None and imported.login_server:
        return imported.login_server
    return (await scene.azure.registries.get(scene.site.acr_ref)).login_server


def _several(values: object) -> tuple[object, ...]:
    return tuple(values) if isinstance(values, tuple | list) else ()


ENABLE_DATA_ENDPOINT = enable_data_endpoint("acr.data_endpoint")
PUT_SCOPE_MAP = put_sync_scope_map("scope_map.put")
PUT_SYNC_TOKEN = put_sync_token("sync_token.put")
CREATE = create_registry("connected.create")
ONLINE = see_online("connected.online")
SYNCED = see_synced("connected.synced")
