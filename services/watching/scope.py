"""Which connected registries, cloud registries and incidents a watch covers. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.model.azure import AcrRef
from services.model.errors import NotFound
from services.model.health import Sighting
from services.model.incident import Incident
from services.model.watch import Scope, Watch
from services.policy.sites import Site
from services.watching.health import PROMPT

Sites = Mapping[str, Site]


def named(typed: str, sites: Sites) -> tuple[Scope, str]:
    """The scope that somebody means by `all`, a site's or a cloud registry's name, and the name as configured.

    A site goes before a cloud registry of the same name. Raises `NotFound`.
    """
    word = typed.lower()
    if word == "all":
        return "all", ""
    if word in sites:
        return "site", word
    for site in sites.values():
        if site.acr.name.lower() == word:
            return "acr", site.acr.name
    raise NotFound("site or cloud registry", typed)


def sites_of(watch: Watch, sites: Sites) -> tuple[Site, ...]:
    """The sites that a watch covers; none when the configuration no longer has them."""
    match watch.scope:
        case "all":
            return tuple(sites.values())
        case "site":
            return tuple(site for site in sites.values() if site.name == watch.subject)
        case "acr":
            return tuple(site for site in sites.values() if site.acr.name.lower() == watch.subject.lower())


def sites_of_acr(acr: str, sites: Sites) -> tuple[Site, ...]:
    """The sites of a cloud registry (ARM id, lower case)."""
    return tuple(site for site in sites.values() if site.acr_ref.id.lower() == acr)


def sites_of_incident(incident: Incident, acr: str, cluster: str, sites: Sites) -> tuple[Site, ...]:
    """The sites that an incident of a cloud registry affects, of a connected registry on `cluster` (ARM id or empty).

    Where the cluster is not known, every site of the cloud registry counts.
    """
    place = {"acr": "", "cluster": incident.subject, "registry": cluster}[incident.kind]
    return tuple(site for site in sites_of_acr(acr, sites) if place in ("", site.cluster_ref.id.lower()))


def acrs(watches: Iterable[Watch], sites: Sites) -> dict[str, AcrRef]:
    """The cloud registries that have to be polled, by ARM id in lower case."""
    refs = (site.acr_ref for watch in watches for site in sites_of(watch, sites))
    return {ref.id.lower(): ref for ref in refs}


def covers(watch: Watch, sighting: Sighting, sites: Sites) -> bool:
    """Whether a watch covers this connected registry.

    Where its cluster is not known, each site of its cloud registry counts: better once too often than not at all.
    """
    return any(
        site.acr_ref.id.lower() == sighting.target.acr
        and (watch.scope != "site" or sighting.cluster in ("", site.cluster_ref.id.lower()))
        for site in sites_of(watch, sites)
    )


def alerts(watch: Watch, incident: Incident, acr: str, cluster: str, sites: Sites, *, old: bool = False) -> bool:
    """Whether a watch alerts about this incident of a cloud registry, with a connected registry on `cluster`.

    Trouble that is older than the watch stands in the digest of the watch's beginning, and is no alert until it
    changes, unless `old`.
    """
    if watch.alerts == "off" or (watch.alerts == "critical" and incident.severity != "critical"):
        return False
    if not old and _turned(incident) < watch.created:
        return False
    covered = sites_of(watch, sites)
    if watch.scope != "site":
        return any(site.acr_ref.id.lower() == acr for site in covered)
    return any(site in covered for site in sites_of_incident(incident, acr, cluster, sites))


def _turned(incident: Incident) -> datetime:
    """When it last changed; one that has not changed since it opened is as old as its trouble.

    An incident opens some time after its trouble could be seen. A contact that was due counts from the moment when
    health calls it late, since until then nothing was wrong.
    """
    if incident.changed and incident.changed > incident.opened:
        return incident.changed
    moments = [incident.opened]
    match incident.facts.get("due"), incident.facts.get("since"):
        case datetime() as due, _:
            moments.append(due + PROMPT)
        case _, datetime() as since:
            moments.append(since)
    return min(moments)
