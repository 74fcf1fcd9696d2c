"""The removal of a connected registry, declared."""

from services.operations.procedure import Procedure, site_names
from services.operations.remove.checks import CHECKS
from services.operations.remove.observation import Observation, observe
from services.operations.remove.plan import plan
from services.operations.remove.request import RemoveOptions, RemoveRequest, remove_request
from services.operations.remove.steps import STEPS
from services.operations.token_steps import scope_maps_lock
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower(), scope_maps_lock(site))


REMOVAL = Procedure[RemoveRequest, Observation](
    kind="remove",
    options=RemoveOptions,
    request=remove_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=STEPS,
    values={"remove.options": RemoveOptions},
)
