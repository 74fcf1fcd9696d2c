"""What a request's person may do where: the policy's answer, by the request's person and place."""

from collections.abc import Iterable

from handlers.kit.request import Request
from services.policy.sites import Site
from services.services import Services


def permitted_sites(
    request: Request, services: Services, permission: str | None, sites: Iterable[Site] | None = None
) -> tuple[Site, ...]:
    """Those of `sites` (all without it) at which this person has the permission, said in this place."""
    candidates = services.sites.values() if sites is None else sites
    return services.policy.permitted_sites(request.person, request.place, permission, candidates)
