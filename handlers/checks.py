"""Check a site before anything is done to it."""

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
async def check(request: Request, site: Site, *, name: str | None = None, services: Services) -> Message:  # noqa: ARG001 - part of the door's call
    """Ask everything that a deployment to a site depends on, and say how to mend what is not well. Changes nothing.

    Args:
        site: Which one.
        name: Also whether this connected registry could be deployed there.
    """
    deployment = deploy_request(site, name)
    observation = await observe(services.azure, services.kubernetes, site, deployment)
    return views.report("deploy", site, name, run(site, deployment, observation))
