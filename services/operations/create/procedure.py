"""The creation of a connected registry, declared."""

from services.operations.create.checks import CHECKS
from services.operations.create.observation import Observation, observe
from services.operations.create.plan import STEPS, plan
from services.operations.create.request import CreateOptions, CreateRequest, create_request
from services.operations.procedure import Procedure, site_names
from services.operations.token_steps import scope_maps_lock
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.acr_ref.connected_id(name).lower(), scope_maps_lock(site))


CREATION = Procedure[CreateRequest, Observation](
    kind="create",
    options=CreateOptions,
    request=create_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=STEPS,
    values={"create.options": CreateOptions},
)
