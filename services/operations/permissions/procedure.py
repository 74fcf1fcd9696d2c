"""The change of a connected registry's permissions, declared."""

from services.operations.permissions.checks import CHECKS
from services.operations.permissions.observation import Observation, observe
from services.operations.permissions.plan import plan
from services.operations.permissions.request import (
    EdgeSilent,
    EdgeSynced,
    PermissionsOptions,
    PermissionsRequest,
    permissions_request,
)
from services.operations.permissions.steps import STEPS
from services.operations.procedure import Procedure, site_names
from services.operations.token_steps import scope_maps_lock
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.acr_ref.connected_id(name).lower(), scope_maps_lock(site))


PERMISSIONS = Procedure[PermissionsRequest, Observation](
    kind="permissions",
    options=PermissionsOptions,
    request=permissions_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=STEPS,
    values={
        "permissions.options": PermissionsOptions,
        "permissions.edge_synced": EdgeSynced,
        "permissions.edge_silent": EdgeSilent,
    },
)
