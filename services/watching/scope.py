"""Which connected registries, cloud registries and incidents a watch is about. Rules only."""

from collections.abc import Iterable, Mapping

from services.model.azure import AcrRef
from services.model.errors import NotFound
from services.model.health import Sighting
from services.model.incident import Incident
from services.model.watch import Watch
from services.policy.sites import Site

Sites = Mapping[str, Site]


def scope(typed: str, sites: Sites) -> tuple[str, str]:
    """What somebody means by `all`, a site's or a cloud registry's name: the scope and the name as configured.

    A site goes before a cloud registry of the same name. Raises `NotFound`.
    """
    word = typed.lower()
    if word == "all":
        return "all", ""
    if word in sites:
        return "site", word
    found = next((site.acr.name for site in sites.values() if site.acr.name.lower() == word), None)
    if found is None:
        raise NotFound("site or cloud registry", typed)
    return "acr", found


def sites_of(watch: Watch, sites: Sites) -> tuple[Site, ...]:
    """The sites that a watch is about; none when the configuration no longer has them."""
    return tuple(site for site in sites.values() if _names(watch, site))


def _names(watch: Watch, site: Site) -> bool:
    match watch.scope:
        case "all":
            return True
        case "site":
            return site.name == watch.subject
        case "acr":
            return site.acr.name.lower() == watch.subject.lower()


def acrs(watches: Iterable[Watch], sites: Sites) -> dict[str, AcrRef]:
    """The cloud registries that have to be asked, by ARM id in lower case."""
    found = (site.acr_ref for watch in watches for site in sites_of(watch, sites))
    return {ref.id.lower(): ref for ref in found}


def covers(watch: Watch, sighting: Sighting, sites: Sites) -> bool:
    """Whether a watch is about this connected registry.

    Where it is not known which cluster one lives on, each site of its cloud registry counts: better told than not.
    """
    return any(
        site.acr_ref.id.lower() == sighting.target.acr
        and (watch.scope != "site" or sighting.cluster in ("", site.cluster_ref.id.lower()))
        for site in sites_of(watch, sites)
    )


def hears(watch: Watch, incident: Incident, acr: str, cluster: str, sites: Sites, *, old: bool = False) -> bool:
    """Whether a watch tells about this incident of a cloud registry, in a connected registry that lives on `cluster`.

    Trouble that is older than the watch is not told of until it changes (the first summary has it), unless `old`.
    """
    if watch.alerts == "off" or (watch.alerts == "critical" and incident.severity != "critical"):
        return False
    if not old and (incident.changed or incident.opened) < watch.created:
        return False
    place = incident.subject if incident.kind == "cluster" else cluster
    return any(
        site.acr_ref.id.lower() == acr
        and (watch.scope != "site" or incident.kind == "acr" or place in ("", site.cluster_ref.id.lower()))
        for site in sites_of(watch, sites)
    )


def sites_of_acr(acr: str, sites: Sites) -> tuple[Site, ...]:
    """The sites of a cloud registry (ARM id, lower case)."""
    return tuple(site for site in sites.values() if site.acr_ref.id.lower() == acr)
