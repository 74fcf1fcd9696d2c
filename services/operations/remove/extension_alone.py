"""The deletion of a connected registry's extension alone, declared: everything in the cloud registry stays."""

from dataclasses import dataclass

from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.answers import is_missing
from services.operations.checks import Check, check, ok, required, warning
from services.operations.procedure import Draft, Procedure, site_names
from services.operations.remove import checks
from services.operations.remove.observation import Observation, observe
from services.operations.remove.plan import at_edge, extension_of, of_request
from services.operations.remove.request import Code, RemoveOptions, RemoveRequest
from services.operations.remove.steps import NAMESPACE_GONE, REMOVE_EXTENSION
from services.policy.sites import Site


@dataclass(frozen=True)
class ExtensionDeleteOptions:
    """`extension` and `without_cluster` as in `RemoveOptions`."""

    extension: str = ""
    without_cluster: bool = False


def _request(_site: Site, name: str, options: ExtensionDeleteOptions) -> RemoveRequest:
    return RemoveRequest(name, RemoveOptions(options.extension, without_cluster=options.without_cluster))


@check("connected.stays", title="Connected registry that stays")
def stays(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """An activation outlives its extension, and no other installation is let in before it ends."""
    registry = of_request(request, observation).registry
    if registry is None or extension_of(request, observation) is None:
        return None
    if registry.activation == "Active":
        return warning(Code.CONNECTED_STAYS_ACTIVE)
    return ok(Code.CONNECTED_STAYS)


@check("azure.actions", title="Bot has the Azure right that the deletion uses")
def actions(site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """By its roles; a lock or a deny assignment shows only when Azure refuses."""
    if extension_of(request, observation) is None:
        return None
    return azure_checks.actions((observation.missing_at_cluster, site.cluster_ref.name))


@check("kubernetes.workloads", title="Workloads that pull from it", proofs=("workloads that pull from it",))
def workloads(_site: Site, _request: RemoveRequest, observation: Observation) -> Finding | None:
    """They run on with the images that their nodes have; those that the bot made stay too."""
    if is_missing(observation.kubernetes_version):
        return None
    pulling = required(observation.workloads)
    return checks.pulling(pulling)


def _plan(_site: Site, request: RemoveRequest, observation: Observation) -> Draft:
    extension = extension_of(request, observation)
    registry = of_request(request, observation).registry
    facts: dict[str, object] = {"extension": extension.name if extension else ""}
    if registry:
        facts["connected_registry.activation"] = registry.activation
    return Draft(at_edge(request, observation), facts)


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower())


CHECKS: tuple[Check[RemoveRequest, Observation], ...] = (
    stays,
    checks.data,
    checks.extension,
    actions,
    checks.agents,
    checks.reached,
    checks.rights,
    workloads,
)

EXTENSION_DELETION = Procedure[RemoveRequest, Observation](
    kind="extension delete",
    options=ExtensionDeleteOptions,
    request=_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=_plan,
    steps=(REMOVE_EXTENSION, NAMESPACE_GONE),
    values={"extension_delete.options": ExtensionDeleteOptions},
)
