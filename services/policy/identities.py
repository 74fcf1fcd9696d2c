"""Which of the bot's identities works where: by the subscriptions and resource groups that the sites name."""

from collections.abc import Callable, Iterator, Mapping

from services.policy.sites import Site

OWN = ""
"""Stands for the identity of the bot's own settings, at sites that name none."""


class IdentityMap:
    """Gives the identity for an ARM id, by the sites in force."""

    def __init__(self, sites: Callable[[], Mapping[str, Site]]) -> None:
        self._sites = sites
        self._read: Mapping[str, Site] | None = None
        self._by_scope: Mapping[str, str] = {}

    def __call__(self, arm_id: str) -> str:
        """The identity of the resource's group; where no site names that, of the first site in its subscription."""
        sites = self._sites()
        if sites is not self._read:
            self._read, self._by_scope = sites, _by_scope(sites)
        parts = arm_id.casefold().strip("/").split("/")
        group, subscription = "/".join(parts[:4]), "/".join(parts[:2])
        return self._by_scope.get(group, self._by_scope.get(subscription, OWN))


def scopes(site: Site) -> Iterator[tuple[str, str]]:
    """The groups of a site's registry and cluster, as the beginning of an ARM id in lower case, and whose they are."""
    acr, cluster = site.acr_ref, site.cluster_ref
    for ref, own in ((acr, site.acr.identity), (cluster, site.cluster.identity)):
        scope = f"subscriptions/{ref.subscription}/resourceGroups/{ref.resource_group}".casefold()
        yield scope, own or site.identity or OWN


def _by_scope(sites: Mapping[str, Site]) -> Mapping[str, str]:
    by_scope: dict[str, str] = {}
    for site in sites.values():
        for group, identity in scopes(site):
            by_scope.setdefault(group, identity)
            by_scope.setdefault("/".join(group.split("/")[:2]), identity)
    return by_scope
