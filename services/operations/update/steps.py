"""The steps of a change of settings: send it, and see it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.model.azure import ConnectedRegistry
from services.model.errors import Failure
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations import client_tokens
from services.operations.command_line import acr_options, command_line, lines
from services.operations.step import Done, Going, Progress, Scene, Step, again, follow, followed
from services.operations.update.request import Cause
from services.policy.sites import Site

NOT_TAKEN_AFTER = timedelta(minutes=2)
FIELDS = ("schedule", "window", "message_ttl", "log_level", "notifications", "gc_enabled", "gc_schedule", "audit_logs")


def settings(registry: ConnectedRegistry) -> dict[str, object]:
    """What of a connected registry this kind can change, by option; its client tokens are a step of their own."""
    return {field: ordered(getattr(registry, field)) for field in FIELDS}


def ordered(value: object) -> object:
    """A list in an order of its own, since Azure's says nothing."""
    return tuple(sorted(value)) if isinstance(value, tuple) else value


def update(kind: str) -> Step:
    """A step that sends the changes."""

    async def begin(scene: Scene) -> Progress:
        values: dict[str, Any] = {field: pair[1] for field, pair in scene.params["changes"].items()}
        return followed(await scene.azure.connected.update(scene.site.acr_ref, scene.params["name"], **values))

    def line(site: Site, operation: Operation, planned: PlannedStep) -> str:
        params: Mapping[str, Any] = planned.params
        after = {field: pair[1] for field, pair in params["changes"].items()}
        # The Azure CLI adds to the list of notifications and takes from it; it can't replace it.
        reported_before, reported_after = params["changes"].get("notifications", ((), ()))
        collects = after.get("gc_enabled")
        audit_logs = after.pop("audit_logs", None)
        update = command_line(
            "az acr connected-registry update",
            name=operation.target,
            **acr_options(site.acr_ref),
            sync_schedule=after.get("schedule"),
            sync_window=after.get("window"),
            sync_message_ttl=after.get("message_ttl"),
            log_level=after.get("log_level"),
            add_notifications=tuple(pattern for pattern in reported_after if pattern not in reported_before),
            remove_notifications=tuple(pattern for pattern in reported_before if pattern not in reported_after),
            gc_enabled=None if collects is None else str(collects).lower(),
            gc_schedule=after.get("gc_schedule"),
        )
        # The Azure CLI's own option for audit logs sends true or false, where the service knows Enabled and Disabled.
        status = {"logging": {"auditLogStatus": "Enabled" if audit_logs else "Disabled"}}
        arm_id = site.acr_ref.connected_id(operation.target)
        patch = command_line("az resource patch", ids=arm_id, properties=json.dumps(status))
        return lines((update if after else "", patch if audit_logs is not None else ""))

    return Step(kind, begin, line, wait=follow)


def change_client_tokens(kind: str) -> Step:
    """A step that adds client tokens to the connected registry's list and takes others from it.

    The lists before and after are for people; what was approved is which tokens come and go.
    """

    async def begin(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.params["name"])
        add, remove = scene.params["add"], scene.params["remove"]
        pending = await client_tokens.write(scene, registry, add=add, remove=remove)
        return followed(pending) if pending else Done()

    def line(site: Site, operation: Operation, planned: PlannedStep) -> str:
        return client_tokens.line(site, operation.target, add=planned.params["add"], remove=planned.params["remove"])

    return Step(kind, begin, line, wait=follow, free=lambda _params: frozenset({"before", "after"}))


def see_taken(kind: str) -> Step:
    """A step that looks until the registry shows the settings: that Azure took the request does not count."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.params["name"])
        differs = _differences(scene, registry)
        if not differs:
            return Done()
        if scene.waited >= NOT_TAKEN_AFTER * scene.patience:
            raise Failure(Cause.NOT_TAKEN, {"differs": differs})
        return Going()

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        return command_line("az acr connected-registry show", name=operation.target, **acr_options(site.acr_ref))

    return Step(kind, look, line, wait=again(look), within=2 * NOT_TAKEN_AFTER)


def _differences(scene: Scene, registry: ConnectedRegistry) -> dict[str, object]:
    """By setting what the registry shows, and what was asked for."""
    shown, params = settings(registry), scene.params
    differs: dict[str, object] = {
        field: (shown[field], value) for field, value in params["settings"].items() if shown[field] != value
    }
    # A plan that changes no client tokens names none.
    listed, add, remove = registry.client_token_ids, params.get("add", ()), params.get("remove", ())
    after = client_tokens.changed(scene.site, registry, add=add, remove=remove)
    if after != listed:
        differs["client_tokens"] = (client_tokens.names(listed), client_tokens.names(after))
    return differs


UPDATE = update("connected.update")
CLIENT_TOKENS = change_client_tokens("connected.client_tokens")
TAKEN = see_taken("connected.updated")
