"""The two steps of a resync: ask for it, and see it end."""

from datetime import datetime, timedelta

from services.model.azure import ConnectedRegistry
from services.model.errors import Conflict, Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line
from services.operations.resync.request import Cause, Resynced, ResyncRequested
from services.operations.step import Done, Going, Progress, Scene, Step, again
from services.policy.sites import Site

NOT_ATTACHED = "ConnectedRegistryHasOfflineChildren"
"""Azure's code where no runtime is in contact, of the registry itself (azure-cli pull request 33236)."""


def last_success(registry: ConnectedRegistry) -> datetime | None:
    """When the last sync ended well: the full one where Azure shows it, else any."""
    return registry.sync_result.succeeded if registry.sync_result else registry.last_sync


def request_sync(kind: str) -> Step:
    """A step that asks for a full sync. One more does no harm, so a step that is begun again asks again."""

    async def begin(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        try:
            correlation = await scene.azure.connected.resync(scene.site.acr_ref, scene.name)
        except Conflict as refusal:
            if refusal.code != NOT_ATTACHED:
                raise
            raise Failure(Cause.NOT_ATTACHED, {"message": refusal.message}, refusal.correlation_id) from refusal
        return Done(ResyncRequested(last_success(registry)), correlation)

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        return command_line("az acr connected-registry resync", name=operation.target, **acr_options(site.acr_ref))

    return Step(kind, begin, line)


def see_sync(kind: str) -> Step:
    """A step that looks until a full sync has ended since the request, by Azure's clock alone."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        result, requested = registry.sync_result, scene.operation.output(ResyncRequested)
        ended = last_success(registry)
        is_new = requested is None or ended != requested.before
        if is_new and ended and (result is None or result.state == "Succeeded"):
            return Done(Resynced(ended))
        if result and result.trigger == "ManualResync" and result.state in {"Failed", "TimedOut"}:
            raise Failure(Cause.SYNC_FAILED, {"state": result.state, "connection": registry.connection_state})
        return Going()

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        return command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query="registrySyncResult",
        )

    # A large registry on a slow line syncs for hours; it is at work, so nothing has failed.
    return Step(kind, look, line, wait=again(look), interval=5, within=timedelta(minutes=30), patient=True)


REQUEST = request_sync("connected.resync")
ENDED = see_sync("connected.resynced")
