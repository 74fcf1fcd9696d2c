"""What the person of a request may do, and at which sites."""

from collections.abc import Iterable

from handlers.kit.request import Request
from services.policy.sites import Site
from services.services import Services


def permitted_sites(
    request: Request, services: Services, permission: str | None, sites: Iterable[Site] | None = None
) -> tuple[Site, ...]:
    """The sites (by default all) at which this person has the permission, in the request's channel."""
    candidates = services.sites.values() if sites is None else sites
    return services.policy.permitted_sites(request.person, request.place, permission, candidates)
