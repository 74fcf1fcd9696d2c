"""Check a site before anything is changed there."""

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import checks as views
from services.operations.deploy.checks import run
from services.operations.deploy.observation import observe
from services.operations.deploy.request import deploy_request
from services.policy.sites import Site
from services.services import Services


@command("check", needs="registry:read", examples=("check berlin", "check berlin --name edge01"))
async def check(request: Request, site: Site, *, name: str | None = None, services: Services) -> Message:
    """Check everything that a deployment to a site depends on, and show how to fix each problem. Changes nothing.

    Args:
        site: The site to check.
        name: A connected registry; also check whether it can be deployed there.
    """
    deployment = deploy_request(site, name)
    observation = await observe(services.azure, services.kubernetes, site, deployment)
    observation = observation.with_certificate(site, services.environment, request.now)
    return views.report("deploy", site, name, run(site, deployment, observation))
