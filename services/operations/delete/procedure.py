"""The deletion of a connected registry, declared."""

from services.operations.delete.checks import CHECKS
from services.operations.delete.observation import Observation, observe
from services.operations.delete.plan import STEPS, plan
from services.operations.delete.request import DeleteOptions, DeleteRequest, delete_request
from services.operations.procedure import Procedure, site_names
from services.operations.token_steps import scope_maps_lock
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower(), scope_maps_lock(site))


DELETION = Procedure[DeleteRequest, Observation](
    kind="delete",
    options=DeleteOptions,
    request=delete_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=STEPS,
    values={"delete.options": DeleteOptions},
)
