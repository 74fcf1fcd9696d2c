"""The deployment and the deletion of a workload, and a new password of its client token, declared."""

from services.operations.procedure import Procedure
from services.operations.workload.checks import CHECKS, DELETION_CHECKS
from services.operations.workload.observation import DeletionObservation, Observation, observe, observe_deletion
from services.operations.workload.outputs import VALUES
from services.operations.workload.plan import deletion_plan, plan
from services.operations.workload.request import (
    DeletionOptions,
    DeletionRequest,
    WorkloadOptions,
    WorkloadRequest,
    deletion_names,
    deletion_request,
    workload_names,
    workload_request,
)
from services.operations.workload.rotation import (
    ROTATION_CHECKS,
    RotationObservation,
    RotationOptions,
    RotationRequest,
    observe_rotation,
    rotation_names,
    rotation_plan,
    rotation_request,
)
from services.operations.workload.rotation_steps import ROTATION_STEPS
from services.operations.workload.steps import DELETION_STEPS, STEPS
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower())


def _deletion_locks(site: Site, _workload: str) -> tuple[str, ...]:
    """Whatever changes the connected registry that is installed in a cluster locks the cluster too."""
    return (site.cluster_ref.id.lower(),)


DEPLOY_WORKLOAD = Procedure[WorkloadRequest, Observation](
    kind="workload deploy",
    options=WorkloadOptions,
    request=workload_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=workload_names,
    plan=plan,
    steps=STEPS,
    values={"workload.options": WorkloadOptions, **VALUES},
    needs_cluster=True,
)
DELETE_WORKLOAD = Procedure[DeletionRequest, DeletionObservation](
    kind="workload delete",
    options=DeletionOptions,
    request=deletion_request,
    locks=_deletion_locks,
    observe=observe_deletion,
    checks=DELETION_CHECKS,
    names=deletion_names,
    plan=deletion_plan,
    steps=DELETION_STEPS,
    values={"workload.deletion_options": DeletionOptions},
    needs_cluster=True,
)
ROTATE_CLIENT_TOKEN = Procedure[RotationRequest, RotationObservation](
    kind="workload rotate",
    options=RotationOptions,
    request=rotation_request,
    locks=_locks,
    observe=observe_rotation,
    checks=ROTATION_CHECKS,
    names=rotation_names,
    plan=rotation_plan,
    steps=ROTATION_STEPS,
    values={"workload.rotation_options": RotationOptions, **VALUES},
    needs_cluster=True,
)
