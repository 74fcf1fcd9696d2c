"""The steps of a removal. A deletion is done when Azure answers that there is nothing left; none is sent on a guess."""

from datetime import timedelta

from services.model.errors import Absent, DomainError, Failure, WrongCluster
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line
from services.operations.extension_steps import extension_options
from services.operations.registry_steps import remove_registry
from services.operations.remove.request import Cause
from services.operations.step import Done, Going, Progress, Scene, Step, again, follow, followed
from services.operations.token_steps import delete_scope_map, delete_token, narrow_scope_map
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD
from services.policy.sites import EXTENSION_TYPE, Site
from services.ports import Cluster

STAYS_AFTER = timedelta(minutes=15)
"""By then the cluster's agents have uninstalled the extension, or can't."""


def remove_extension(kind: str) -> Step:
    """A step that deletes the extension, and with it what it has installed."""

    async def begin(scene: Scene) -> Progress:
        name = scene.params["name"]
        try:
            extension = await scene.azure.extensions.get(scene.site.cluster_ref, name)
        except Absent:
            return Done()
        # The name may belong to another extension by now, where a failed run is repeated.
        if extension.type.casefold() != EXTENSION_TYPE:
            raise Failure(Cause.EXTENSION_REPLACED, {"extension": name, "type": extension.type})
        return followed(await scene.azure.extensions.delete(scene.site.cluster_ref, name, force=scene.params["force"]))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "az k8s-extension delete",
            **extension_options(site, planned.params["name"]),
            force=planned.params["force"] or None,
            yes=True,
        )

    return Step(kind, begin, line, wait=follow, interval=5, within=timedelta(minutes=30))


async def _held_up(cluster: Cluster, namespace: str) -> str:
    """What a namespace waits for that is being deleted, in the cluster's words; empty where it can't be asked."""
    try:
        return (await cluster.runtime(namespace)).namespace_message
    except DomainError:
        return ""


def see_namespace_gone(kind: str) -> Step:
    """A step that looks until the extension's namespace is gone."""

    async def look(scene: Scene) -> Progress:
        cluster, namespace = await scene.cluster(), scene.params["namespace"]
        # Only the site's own cluster can say so: in any other one there is no such namespace either.
        if cluster.identity != "proven":
            raise WrongCluster("kubernetes", scene.site.name, "ClusterUnproven", reason="unproven")
        phase = await cluster.namespace_phase(namespace)
        if not phase:
            return Done()
        if scene.waited >= STAYS_AFTER * scene.patience:
            message = await _held_up(cluster, namespace)
            cause = Cause.DELETION_HELD if message else Cause.NAMESPACE_STAYS
            raise Failure(cause, {"namespace": namespace, "phase": phase, "message": message})
        return Going()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        context: dict[str, object] = {"context": site.cluster.kubernetes.context}
        namespace = f"namespace/{planned.params['namespace']}"
        return command_line("kubectl wait", namespace, **context, **{"for": "delete"}, timeout="15m")

    return Step(kind, look, line, wait=again(look), interval=5, within=2 * STAYS_AFTER)


REMOVE_EXTENSION = remove_extension("extension.remove")
NAMESPACE_GONE = see_namespace_gone("namespace.gone")
STEPS: tuple[Step, ...] = (
    DELETE_WORKLOAD,
    DELETE_PULL_SECRETS,
    REMOVE_EXTENSION,
    NAMESPACE_GONE,
    remove_registry("connected.remove"),
    narrow_scope_map("scope_map.narrow"),
    delete_token("token.remove"),
    delete_scope_map("scope_map.remove"),
)
