"""Steps on a connected registry in Azure, for each kind of operation that makes or deletes one.

`name` among a step's parameters is that of the thing which it changes.
"""

from services.model.azure import Pending
from services.model.errors import Busy, Conflict
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, scope_options
from services.operations.outputs import RegistryCreated
from services.operations.step import Progress, Scene, Step, follow, followed, is_there
from services.operations.token_steps import put_scope_map, put_token
from services.policy.sites import GC_SCHEDULE, Site, sync_description


def enable_data_endpoint(kind: str) -> Step:
    """A step that enables the cloud registry's data endpoint."""

    async def begin(scene: Scene) -> Progress:
        return followed(await scene.azure.registries.enable_data_endpoint(scene.site.acr_ref))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "az acr update",
            name=planned.params["name"],
            resource_group=site.acr_ref.resource_group,
            subscription=site.acr_ref.subscription,
            data_endpoint_enabled="true",
        )

    return Step(kind, begin, line, wait=follow)


def put_sync_scope_map(kind: str) -> Step:
    """A step that creates the sync scope map with its `actions`, or overwrites it."""

    async def begin(scene: Scene) -> Progress:
        params = scene.params
        return followed(
            await scene.azure.scope_maps.put(
                scene.site.acr_ref, params["name"], params["actions"], sync_description(scene.name)
            )
        )

    def line(site: Site, operation: Operation, planned: PlannedStep) -> str:
        actions = planned.params["actions"]
        # It creates or overwrites, as the bot's own request does.
        create = command_line(
            "az acr scope-map create",
            name=planned.params["name"],
            **acr_options(site.acr_ref),
            description=sync_description(operation.target),
        )
        return f"{create} {scope_options(actions if isinstance(actions, tuple) else ())}"

    return put_scope_map(kind, begin, line)


def put_sync_token(kind: str) -> Step:
    """A step that creates the sync token, or points it to the `scope_map`."""

    async def begin(scene: Scene) -> Progress:
        scope_map = f"{scene.site.acr_ref.id}/scopeMaps/{scene.params['scope_map']}"
        return followed(await scene.azure.tokens.put(scene.site.acr_ref, scene.params["name"], scope_map))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "az acr token create",
            name=planned.params["name"],
            **acr_options(site.acr_ref),
            scope_map=planned.params["scope_map"],
            no_passwords="true",
        )

    return put_token(kind, begin, line)


def unusual_settings(gc_enabled: bool, gc_schedule: str, audit_logs: bool) -> dict[str, object]:
    """Parameters of a creation in which garbage collection or audit logs are other than the Azure CLI has them.

    Otherwise there are none, so that a plan of an older version that waits for approval is the same as one of today.
    """
    is_usual = (gc_enabled, gc_schedule) == (True, GC_SCHEDULE)
    collection = {} if is_usual else {"gc_enabled": gc_enabled, "gc_schedule": gc_schedule}
    return {**collection, **({"audit_logs": True} if audit_logs else {})}


def create_registry(kind: str) -> Step:
    """A step that creates the connected registry."""

    def progress(pending: Pending) -> Progress:
        gateway = pending.facts.get("gateway_endpoint", "")
        return followed(pending, RegistryCreated(gateway) if gateway else None)

    async def begin(scene: Scene) -> Progress:
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
            gc_enabled=params.get("gc_enabled", True),
            gc_schedule=params.get("gc_schedule", GC_SCHEDULE),
            audit_logs=params.get("audit_logs", False),
            parent=params.get("parent", ""),
        )
        return progress(pending)

    async def wait(scene: Scene, token: Pending) -> Progress:
        return progress(await scene.azure.operations.poll(token))

    def line(site: Site, operation: Operation, planned: PlannedStep) -> str:
        params = planned.params
        return command_line(
            "az acr connected-registry create",
            name=operation.target,
            **acr_options(site.acr_ref),
            parent=params.get("parent"),
            sync_token=params["token"],
            mode=params["mode"],
            sync_schedule=params["schedule"],
            sync_window=params.get("window"),
            sync_message_ttl=params.get("message_ttl"),
            log_level=params.get("log_level"),
            gc_enabled=str(params["gc_enabled"]).lower() if "gc_enabled" in params else None,
            gc_schedule=params.get("gc_schedule"),
            audit_logs_enabled="true" if params.get("audit_logs") else None,
            yes=True,
        )

    return Step(
        kind,
        begin,
        line,
        wait=wait,
        writes=lambda site, planned: site.acr_ref.connected_id(str(planned.params["name"])),
        exists=lambda scene: is_there(scene.azure.connected.get(scene.site.acr_ref, scene.name)),
    )


def remove_registry(kind: str) -> Step:
    """A step that deletes the connected registry as the Azure CLI does, deactivated first only where Azure insists."""

    async def deactivated(scene: Scene, pending: Pending) -> Progress:
        if pending.kind != "done":
            return followed(pending)
        return followed(await scene.azure.connected.delete(scene.site.acr_ref, scene.params["name"]))

    async def begin(scene: Scene) -> Progress:
        acr, name = scene.site.acr_ref, scene.params["name"]
        try:
            return followed(await scene.azure.connected.delete(acr, name))
        except Busy:
            raise
        except Conflict as refusal:
            # Other conflicts, such as with a child, would leave behind a connected registry that is cut off.
            if "activ" not in f"{refusal.code} {refusal.message}".casefold():
                raise
            return await deactivated(scene, await scene.azure.connected.deactivate(acr, name))

    async def wait(scene: Scene, token: Pending) -> Progress:
        pending = await scene.azure.operations.poll(token)
        return followed(pending) if token.kind == "gone" else await deactivated(scene, pending)

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "az acr connected-registry delete", name=planned.params["name"], **acr_options(site.acr_ref), yes=True
        )

    return Step(kind, begin, line, wait=wait)
