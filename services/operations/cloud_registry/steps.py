"""The steps that only the kinds on the cloud registry itself have."""

from datetime import timedelta

from services.model.errors import Absent, Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.cloud_registry.request import AcrReady, Cause
from services.operations.command_line import command_line
from services.operations.registry_steps import enable_data_endpoint
from services.operations.step import Done, Going, Progress, Scene, Step, again, follow, followed
from services.policy.sites import Site


def _place(site: Site) -> dict[str, object]:
    acr = site.acr_ref
    return {"name": acr.name, "resource_group": acr.resource_group, "subscription": acr.subscription}


def upgrade(kind: str) -> Step:
    """A step that takes the cloud registry to the Premium tier."""

    async def begin(scene: Scene) -> Progress:
        return followed(await scene.azure.registries.make_premium(scene.site.acr_ref))

    def line(site: Site, _operation: Operation, _planned: PlannedStep) -> str:
        return command_line("az acr update", **_place(site), sku="Premium")

    return Step(kind, begin, line, wait=follow)


def see_ready(kind: str) -> Step:
    """A step that looks until Azure shows the registry as connected registries need it."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.registries.get(scene.site.acr_ref)
        if registry.sku.casefold() == "premium" and registry.data_endpoint:
            ready = AcrReady(registry.login_server, registry.data_endpoint_hosts)
            return Done(ready) if registry.provisioning_state == "Succeeded" else Going()
        if scene.waited >= timedelta(minutes=5) * scene.patience:
            raise Failure(Cause.STILL_BASIC, {"sku": registry.sku, "data_endpoint": registry.data_endpoint})
        return Going()

    def line(site: Site, _operation: Operation, _planned: PlannedStep) -> str:
        return command_line("az acr show", **_place(site), query="[sku.name, dataEndpointEnabled]")

    return Step(kind, look, line, wait=again(look), interval=3, within=timedelta(minutes=10))


def delete(kind: str) -> Step:
    """A step that deletes the cloud registry, as long as no connected registry is in it."""

    async def begin(scene: Scene) -> Progress:
        acr = scene.site.acr_ref
        # Somebody may have made one since the plan was approved, and Azure deletes everything below.
        try:
            connected = await scene.azure.connected.list(acr)
        except Absent:
            return Done()  # the cloud registry is gone already: an earlier run of this step has deleted it
        if connected:
            raise Failure(Cause.CONNECTED_SINCE, {"connected": tuple(registry.name for registry in connected)})
        return followed(await scene.azure.registries.delete(acr))

    def line(site: Site, _operation: Operation, _planned: PlannedStep) -> str:
        return command_line("az acr delete", **_place(site), yes=True)

    return Step(kind, begin, line, wait=follow, interval=5)


UPGRADE = upgrade("acr.upgrade")
ENABLE_DATA_ENDPOINT = enable_data_endpoint("acr.data_endpoint")
READY = see_ready("acr.ready")
DELETE = delete("acr.delete")
