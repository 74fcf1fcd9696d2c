"""The two steps of a deactivation: ask for it, and see it."""

from datetime import timedelta

from services.model.errors import Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, repeated
from services.operations.deactivate.request import Cause, Deactivated
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed
from services.policy.sites import Site

STILL_ACTIVE_AFTER = timedelta(minutes=5)
"""By then Azure has shown it as Inactive, or something else has activated it."""


async def _deactivate(scene: Scene) -> Progress:
    """Looks first where it may have been done before: another installation may hold the activation by now."""
    if scene.repeated:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        if registry.activation != "Active":
            return Done()
    return followed(await scene.azure.connected.deactivate(scene.site.acr_ref, scene.name))


def _deactivate_line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry deactivate",
        name=operation.target,
        **acr_options(site.acr_ref),
        yes=True,
    )


async def _look(scene: Scene) -> Progress:
    return await _is_inactive(scene, None)


async def _is_inactive(scene: Scene, _token: object) -> Progress:
    """What counts is what the registry shows, not that Azure took the request."""
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    if registry.activation == "Inactive":
        return Done(Deactivated())
    if scene.waited >= STILL_ACTIVE_AFTER * scene.patience:
        raise Failure(Cause.STILL_ACTIVE, {"last_activity": registry.last_activity})
    return Going()


def _look_line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
    line = command_line(
        "az acr connected-registry show",
        name=operation.target,
        **acr_options(site.acr_ref),
        query="activation.status",
        output="tsv",
    )
    return repeated(line, "activation", "Inactive", seconds=3)


DEACTIVATE = Step("connected.deactivate", _deactivate, _deactivate_line, wait=follow)
INACTIVE = Step("connected.inactive", _look, _look_line, wait=_is_inactive, interval=3, within=2 * STILL_ACTIVE_AFTER)
