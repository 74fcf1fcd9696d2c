"""The two steps of a change of settings: send it, and see it."""

from datetime import timedelta
from typing import Any

from services.model.azure import ConnectedRegistry
from services.model.errors import Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line
from services.operations.step import Done, Going, Progress, Scene, Step, again, follow, followed
from services.operations.update.request import Cause, UpdateOptions
from services.policy.sites import Site

NOT_TAKEN_AFTER = timedelta(minutes=2)
FIELDS = ("schedule", "window", "message_ttl", "log_level", "notifications")


def settings(registry: ConnectedRegistry) -> dict[str, object]:
    """What of a connected registry this kind can change, by option."""
    return {field: ordered(getattr(registry, field)) for field in FIELDS}


def ordered(value: object) -> object:
    """A list in an order of its own, since Azure's says nothing."""
    return tuple(sorted(value)) if isinstance(value, tuple) else value


def _iso(span: timedelta | None) -> str | None:
    """ISO 8601, as the Azure CLI takes it."""
    return f"PT{int(span.total_seconds() // 60)}M" if span else None


def update(kind: str) -> Step:
    """A step that sends the changes."""

    async def begin(scene: Scene) -> Progress:
        values: dict[str, Any] = {field: pair[1] for field, pair in scene.params["changes"].items()}
        return followed(await scene.azure.connected.update(scene.site.acr_ref, scene.params["name"], **values))

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        options = operation.options if isinstance(operation.options, UpdateOptions) else UpdateOptions()
        return command_line(
            "az acr connected-registry update",
            name=operation.target,
            registry=site.acr_ref.name,
            resource_group=site.acr_ref.resource_group,
            sync_schedule=options.schedule,
            sync_window=_iso(options.window),
            sync_message_ttl=_iso(options.message_ttl),
            log_level=options.log_level,
            add_notifications=options.notifications,
        )

    return Step(kind, begin, line, wait=follow)


def see_taken(kind: str) -> Step:
    """A step that looks until the registry shows the settings: that Azure took the request does not count."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.params["name"])
        shown, requested = settings(registry), scene.params["settings"]
        if all(shown[field] == value for field, value in requested.items()):
            return Done()
        if scene.waited >= NOT_TAKEN_AFTER * scene.patience:
            differs = {field: (shown[field], value) for field, value in requested.items() if shown[field] != value}
            raise Failure(Cause.NOT_TAKEN, {"differs": differs})
        return Going()

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        return command_line("az acr connected-registry show", name=operation.target, registry=site.acr_ref.name)

    return Step(kind, look, line, wait=again(look), within=2 * NOT_TAKEN_AFTER)


UPDATE = update("connected.update")
TAKEN = see_taken("connected.updated")
