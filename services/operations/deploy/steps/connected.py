"""Steps on the connected registry."""

from datetime import timedelta

from services.model.azure import Pending
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line
from services.operations.deploy.outputs import RegistryCreated, RegistryOnline, RegistrySynced
from services.operations.deploy.steps.verdict import raise_if_final
from services.operations.step import Done, Going, Progress, Scene, Step, followed
from services.policy.sites import Site


async def _create(scene: Scene) -> Progress:
    params = scene.params
    pending = await scene.azure.connected.create(
        scene.site.acr_ref,
        scene.name,
        token_id=f"{scene.site.acr_ref.id}/tokens/{params['token']}",
        mode=params["mode"],
        schedule=params["schedule"],
        window=params["window"],
        message_ttl=params["message_ttl"],
        log_level=params["log_level"],
    )
    return _created_so_far(pending)


async def _created(scene: Scene, token: Pending) -> Progress:
    return _created_so_far(await scene.azure.operations.poll(token))


def _created_so_far(pending: Pending) -> Progress:
    gateway = pending.facts.get("gateway_endpoint", "")
    return followed(pending, RegistryCreated(gateway) if gateway else None)


async def _online(scene: Scene) -> Progress:
    return await _is_online(scene, None)


async def _is_online(scene: Scene, _token: object) -> Progress:
    """Connected at least once since its activation; a registry that syncs at this very moment is connected too."""
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if registry.activation == "Active" and registry.connection_state in {"Online", "Syncing"}:
        return Done(RegistryOnline(registry.last_sync))
    await raise_if_final(scene, connected=registry)
    return Going()


async def _synced(scene: Scene) -> Progress:
    online = scene.operation.output(RegistryOnline)
    return Done() if online and online.last_sync else await _is_synced(scene, None)


async def _is_synced(scene: Scene, _token: object) -> Progress:
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    return Done(RegistrySynced(registry.last_sync)) if registry.last_sync else Going()


def _create_line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry create",
        registry=site.acr_ref.name,
        name=operation.target,
        resource_group=site.acr_ref.resource_group,
        sync_token=planned.params["token"],
        mode=planned.params["mode"],
        sync_schedule=planned.params["schedule"],
    )


def _show_line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry show", registry=site.acr_ref.name, name=operation.target, output="table"
    )


CREATE = Step("connected.create", _create, _create_line, wait=_created)
ONLINE = Step(
    "connected.online",
    _online,
    _show_line,
    wait=_is_online,
    interval=5,
    within=timedelta(minutes=20),
)
SYNCED = Step(
    "connected.synced",
    _synced,
    _show_line,
    wait=_is_synced,
    interval=10,
    within=timedelta(minutes=30),
    # A large registry on a slow line syncs for hours; it is online and at work, so nothing has failed.
    patient=True,
)
