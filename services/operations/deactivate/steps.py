"""The two steps of a deactivation: ask for it, and see it."""

from datetime import timedelta

from services.model.errors import Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, repeated
from services.operations.deactivate.request import Cause, Deactivated
from services.operations.step import Done, Going, Progress, Scene, Step, again, follow, followed
from services.policy.sites import Site

STILL_ACTIVE_AFTER = timedelta(minutes=5)
"""By then Azure has shown it as Inactive, or something else has activated it."""


def deactivate(kind: str) -> Step:
    """A step that asks Azure for the deactivation."""

    async def begin(scene: Scene) -> Progress:
        # Looks first where it may have been done before: another installation may hold the activation by now.
        if scene.repeated:
            registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
            if registry.activation != "Active":
                return Done()
        return followed(await scene.azure.connected.deactivate(scene.site.acr_ref, scene.name))

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        options = acr_options(site.acr_ref)
        return command_line("az acr connected-registry deactivate", name=operation.target, **options, yes=True)

    return Step(kind, begin, line, wait=follow)


def see_inactive(kind: str) -> Step:
    """A step that looks until the registry is inactive: that Azure took the request does not count."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        if registry.activation == "Inactive":
            return Done(Deactivated())
        if scene.waited >= STILL_ACTIVE_AFTER * scene.patience:
            raise Failure(Cause.STILL_ACTIVE, {"last_activity": registry.last_activity})
        return Going()

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        show = command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query="activation.status",
            output="tsv",
        )
        return repeated(show, "activation", "Inactive", seconds=3)

    return Step(kind, look, line, wait=again(look), interval=3, within=2 * STILL_ACTIVE_AFTER)


DEACTIVATE = deactivate("connected.deactivate")
INACTIVE = see_inactive("connected.inactive")
