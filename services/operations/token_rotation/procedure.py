"""The rotation of a sync token, declared."""

from services.model.operation import Operation
from services.model.plan import Finding
from services.operations.procedure import Procedure, site_names
from services.operations.token_rotation.checks import CHECKS
from services.operations.token_rotation.observation import Observation, observe
from services.operations.token_rotation.plan import plan
from services.operations.token_rotation.request import (
    Code,
    InContact,
    RotationOptions,
    RotationRequest,
    rotation_request,
)
from services.operations.token_rotation.steps import ROTATE, STEPS
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower())


def _is_own_doing(operation: Operation, blocker: Finding) -> bool:
    """The extension that the last attempt has changed and given up."""
    tried = {operation.planned[run.index].kind for run in operation.steps if run.state == "error"}
    return blocker.code in {Code.EXTENSION_BUSY, Code.EXTENSION_FAILED} and ROTATE.kind in tried


TOKEN_ROTATION = Procedure[RotationRequest, Observation](
    kind="token rotate",
    options=RotationOptions,
    request=rotation_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=STEPS,
    with_files=Observation.with_certificate,
    values={"token_rotation.options": RotationOptions, "token_rotation.in_contact": InContact},
    is_own_doing=_is_own_doing,
)
