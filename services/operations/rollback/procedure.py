"""The rollback of an operation that stopped halfway, declared: what it alone made or changed, in reverse."""

from services.operations.extension_update import procedure as extension_update
from services.operations.procedure import Procedure, site_names
from services.operations.remove.procedure import REMOVAL
from services.operations.remove.steps import STEPS
from services.operations.rollback.checks import CHECKS
from services.operations.rollback.observation import Observation, observe
from services.operations.rollback.plan import KIND, plan
from services.operations.rollback.request import RollbackOptions, RollbackRequest
from services.operations.step import Step
from services.operations.token_steps import widen_scope_map
from services.operations.update import steps as update
from services.operations.workload.rotation_steps import END_PASSWORD, ROLLED_OUT
from services.operations.workload.steps import DELETE_SCOPE_MAP, DELETE_TOKEN, PUT_WORKLOAD, UNLINK

ROLLBACK_STEPS: tuple[Step, ...] = (
    *STEPS,
    widen_scope_map("scope_map.widen"),
    update.UPDATE,
    update.CLIENT_TOKENS,
    update.TAKEN,
    extension_update.UPDATE,
    extension_update.AVAILABLE,
    PUT_WORKLOAD,
    ROLLED_OUT,
    END_PASSWORD,
    UNLINK,
    DELETE_TOKEN,
    DELETE_SCOPE_MAP,
)

ROLLBACK = Procedure[RollbackRequest, Observation](
    kind=KIND,
    options=RollbackOptions,
    request=lambda _site, name, options: RollbackRequest(name, options),
    locks=REMOVAL.locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=ROLLBACK_STEPS,
    values={"rollback.options": RollbackOptions},
    takes_back=lambda options: str(options.operation),
)
