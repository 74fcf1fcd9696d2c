"""The steps of a removal. A deletion is done when Azure answers that there is nothing left; none is sent on a guess."""

from datetime import timedelta

from services.model.azure import Pending
from services.model.errors import Absent, Busy, Conflict, Failure, WrongCluster
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line
from services.operations.remove.request import Cause
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed
from services.operations.token_steps import delete_scope_map, delete_token, narrow_scope_map
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD
from services.policy.sites import EXTENSION_TYPE, Site

STAYS_AFTER = timedelta(minutes=15)
"""By then the cluster's agents have uninstalled the extension, or can't."""


async def _remove_extension(scene: Scene) -> Progress:
    """The name may belong to another extension by now, where a failed run is repeated."""
    name = scene.params["name"]
    try:
        extension = await scene.azure.extensions.get(scene.site.cluster_ref, name)
    except Absent:
        return Done()
    if extension.type.casefold() != EXTENSION_TYPE:
        raise Failure(Cause.EXTENSION_REPLACED, {"extension": name, "type": extension.type})
    return followed(await scene.azure.extensions.delete(scene.site.cluster_ref, name, force=scene.params["force"]))


def _extension_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az k8s-extension delete",
        name=planned.params["name"],
        cluster_name=site.cluster_ref.name,
        cluster_type="connectedClusters",
        resource_group=site.cluster_ref.resource_group,
        force=planned.params["force"] or None,
        yes=True,
    )


async def _look(scene: Scene) -> Progress:
    return await _namespace_gone(scene, None)


async def _namespace_gone(scene: Scene, _token: object) -> Progress:
    """Only the site's own cluster can say so: in any other one there is no such namespace either."""
    cluster, namespace = await scene.cluster(), scene.params["namespace"]
    if cluster.identity != "proven":
        raise WrongCluster("kubernetes", scene.site.name, "ClusterUnproven", reason="unproven")
    phase = await cluster.namespace_phase(namespace)
    if not phase:
        return Done()
    if scene.waited >= STAYS_AFTER * scene.patience:
        raise Failure(Cause.NAMESPACE_STAYS, {"namespace": namespace, "phase": phase})
    return Going()


def _namespace_line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "kubectl wait", f"namespace/{planned.params['namespace']}", **{"for": "delete", "timeout": "15m"}
    )


async def _remove_registry(scene: Scene) -> Progress:
    """As the Azure CLI does, without deactivation; where Azure insists on that, it comes first."""
    acr, name = scene.site.acr_ref, scene.params["name"]
    try:
        return followed(await scene.azure.connected.delete(acr, name))
    except Busy:
        raise
    except Conflict as refusal:
        # Other conflicts, such as with a child, would leave behind a connected registry that is cut off.
        if "activ" not in f"{refusal.code} {refusal.message}".casefold():
            raise
        return await _deactivated(scene, await scene.azure.connected.deactivate(acr, name))


async def _registry_removed(scene: Scene, token: Pending) -> Progress:
    pending = await scene.azure.operations.poll(token)
    return followed(pending) if token.kind == "gone" else await _deactivated(scene, pending)


async def _deactivated(scene: Scene, pending: Pending) -> Progress:
    if pending.kind != "done":
        return followed(pending)
    return followed(await scene.azure.connected.delete(scene.site.acr_ref, scene.params["name"]))


def _registry_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry delete", name=planned.params["name"], **acr_options(site.acr_ref), yes=True
    )


STEPS: tuple[Step, ...] = (
    DELETE_WORKLOAD,
    DELETE_PULL_SECRETS,
    Step(
        "extension.remove",
        _remove_extension,
        _extension_line,
        wait=follow,
        interval=5,
        within=timedelta(minutes=30),
    ),
    Step("namespace.gone", _look, _namespace_line, wait=_namespace_gone, interval=5, within=2 * STAYS_AFTER),
    Step("connected.remove", _remove_registry, _registry_line, wait=_registry_removed),
    narrow_scope_map("scope_map.narrow"),
    delete_token("token.remove"),
    delete_scope_map("scope_map.remove"),
)
