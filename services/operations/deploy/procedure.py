"""The deployment of a connected registry, declared."""

from dataclasses import replace

from services.model.errors import DomainError, Failure
from services.model.operation import Operation
from services.model.plan import Finding
from services.operations import arrival_steps
from services.operations.deploy.checks import CHECKS
from services.operations.deploy.codes import Code
from services.operations.deploy.diagnosis import diagnose
from services.operations.deploy.observation import Observation, observe
from services.operations.deploy.outputs import VALUES
from services.operations.deploy.plan import plan
from services.operations.deploy.request import DeployOptions, DeployRequest, deploy_request, site_names
from services.operations.deploy.steps import STEPS
from services.operations.deploy.steps.extension import INSTALL
from services.operations.procedure import Procedure
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower())


def _with_leased(observation: Observation, addresses: frozenset[str]) -> Observation:
    return replace(observation, leased=addresses)


def _diagnose(error: DomainError) -> Failure:
    return diagnose(error=error) or Failure("", {})


def _is_own_doing(operation: Operation, blocker: Finding) -> bool:
    """The extension that the last attempt began and gave up is still being changed."""
    tried = {operation.planned[run.index].kind for run in operation.steps if run.state == "error"}
    return blocker.code == Code.EXTENSION_BUSY and INSTALL.kind in tried


DEPLOY = Procedure[DeployRequest, Observation](
    kind="deploy",
    options=DeployOptions,
    request=deploy_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=STEPS,
    values={"deploy.options": DeployOptions, **VALUES, **arrival_steps.VALUES},
    with_files=Observation.with_certificate,
    with_leased=_with_leased,
    diagnose=_diagnose,
    is_own_doing=_is_own_doing,
)
