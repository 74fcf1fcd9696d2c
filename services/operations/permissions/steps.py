"""The steps of a change of permissions."""

from datetime import timedelta

from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line
from services.operations.permissions.request import EdgeSilent, EdgeSynced
from services.operations.step import Done, Going, Progress, Scene, Step
from services.operations.token_steps import narrow_scope_map, widen_scope_map
from services.policy.schedule import next_contact
from services.policy.sites import Site

NEVER = "never"
"""In the place of the last sync of a registry that has had none."""


def see_sync(kind: str) -> Step:
    """A step that looks until the edge has synced, unless that may take hours or never come."""

    async def begin(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        if registry.activation != "Active" or registry.connection_state == "Offline":
            return Done(EdgeSilent(registry.connection_state, next_contact(registry)))
        return Going(registry.last_sync.isoformat() if registry.last_sync else NEVER)

    async def wait(scene: Scene, token: str) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        if registry.last_sync and registry.last_sync.isoformat() != token:
            return Done(EdgeSynced(registry.last_sync))
        if registry.connection_state == "Offline":
            return Done(EdgeSilent(registry.connection_state, next_contact(registry)))
        return Going(token)

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        return command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query="parent.syncProperties.lastSyncTime",
            output="tsv",
        )

    # The rights are changed whether an edge that is slow has synced or not.
    return Step(kind, begin, line, wait=wait, interval=5, within=timedelta(minutes=10), patient=True)


GRANT = widen_scope_map("permissions.grant")
REVOKE = narrow_scope_map("permissions.revoke")
SYNCED = see_sync("permissions.synced")
STEPS: tuple[Step, ...] = (GRANT, REVOKE, SYNCED)
