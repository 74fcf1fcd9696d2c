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


async def _look_for_sync(scene: Scene) -> Progress:
    """Remembers the last sync, unless the edge is silent: its next contact may be hours away, or never come."""
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if registry.activation != "Active" or registry.connection_state == "Offline":
        return Done(EdgeSilent(registry.connection_state, next_contact(registry)))
    return Going(registry.last_sync.isoformat() if registry.last_sync else NEVER)


async def _is_synced(scene: Scene, token: str) -> Progress:
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if registry.last_sync and registry.last_sync.isoformat() != token:
        return Done(EdgeSynced(registry.last_sync))
    if registry.connection_state == "Offline":
        return Done(EdgeSilent(registry.connection_state, next_contact(registry)))
    return Going(token)


def _sync_line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry show",
        name=operation.target,
        **acr_options(site.acr_ref),
        query="parent.syncProperties.lastSyncTime",
        output="tsv",
    )


GRANT = widen_scope_map("permissions.grant")
REVOKE = narrow_scope_map("permissions.revoke")
SYNCED = Step(
    "permissions.synced",
    _look_for_sync,
    _sync_line,
    wait=_is_synced,
    interval=5,
    within=timedelta(minutes=10),
    # The rights are changed whether an edge that is slow has synced or not.
    patient=True,
)
STEPS: tuple[Step, ...] = (GRANT, REVOKE, SYNCED)
