"""Where a connected registry runs, and who may see it there. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from services.model.azure import Extension
from services.model.errors import DomainError
from services.policy.sites import Site


@dataclass(frozen=True)
class Placement:
    """Where a connected registry runs.

    `extensions` are those that serve it by site, usually one; `unasked` the sites of its cloud registry whose clusters
    could not be asked, so that it may run there.
    """

    extensions: tuple[tuple[Site, Extension], ...] = ()
    unasked: tuple[tuple[Site, DomainError], ...] = ()

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites at which it runs, as far as they could be asked."""
        return tuple(site for site, _ in self.extensions)

    def may_be_at(self, site: Site) -> bool:
        """Whether it runs there; True also where the site's cluster could not be asked."""
        return site in self.sites or any(site == unasked for unasked, _ in self.unasked)

    def is_visible(self, readable: Collection[Site]) -> bool:
        """Whether somebody may see it who may read at these sites, one of them of its cloud registry.

        Where it runs at no site, or that is not known, one site of its cloud registry is enough.
        """
        return not self.extensions or any(site in readable for site in self.sites)

    def among(self, readable: Collection[Site]) -> "Placement":
        """The part of it that somebody may see who may read at these sites."""
        return replace(self, extensions=tuple(pair for pair in self.extensions if pair[0] in readable))
