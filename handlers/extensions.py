"""Extensions: the Arc extension that runs a connected registry, in Azure and in its cluster."""

import asyncio

from handlers.connected import locate
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import extensions as views
from services.model.azure import Token
from services.operations.answers import Questions
from services.operations.deploy.installation import Installation
from services.operations.reach import ClusterQuestions
from services.policy.sites import RUNTIME_NAMESPACE, Site
from services.services import Services


@command(
    "extension show", needs="registry:read", examples=("extension show edge01", "extension show edge01 --site berlin")
)
async def show(request: Request, name: str, *, site: Site | None = None, services: Services) -> Message:
    """Show the Arc extension that runs a connected registry, in Azure and in its cluster, and why it does not work.

    It is recognised by the connected registry that it serves, whatever its name.

    Args:
        name: Of the connected registry.
        site: Where it is; needed only if several cloud registries have one of this name.
    """
    detail = await locate(request, services, name, site)
    # The site that the person named comes first, if the registry runs there.
    places = sorted(detail.placement.extensions, key=lambda place: place[0] != site)
    if not places:
        return views.absent(detail, slash=request.slash)
    (at, extension), registry = places[0], detail.registry
    azure, acr, arc = services.azure, at.acr_ref, at.cluster_ref
    namespace = extension.release_namespace or RUNTIME_NAMESPACE

    async def sync_token() -> Token | None:
        name = registry.token_id.rpartition("/")[2]
        return await azure.tokens.get(acr, name) if name else None

    # Both planes at once: three ARM requests, and the cluster.
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        token = arm.find(acr.id, sync_token)
        cloud = arm.find(acr.id, lambda: azure.registries.get(acr))
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), services.azure, services.kubernetes, at)
        runtime = inside.ask(lambda reached: reached.runtime(namespace))
        certificates = inside.ask(lambda reached: reached.certificates(namespace))
    installation = Installation(
        at,
        registry,
        extension,
        cluster=cluster.result(),
        token=token.result(),
        acr=cloud.result(),
        runtime=runtime.result(),
        certificates=certificates.result(),
    )
    return views.card(detail, installation, request.now, slash=request.slash)
