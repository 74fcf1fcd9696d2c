"""Open incidents, and what people decide about them."""

from collections.abc import Callable, Collection, Sequence

from services.model.audit import AuditRow
from services.model.clock import Clock
from services.model.errors import NotFound, Stale
from services.model.health import Health, Sighting
from services.model.incident import Incident, StoredIncident
from services.model.people import Person, Place
from services.model.watch import Watch
from services.policy.sites import Site
from services.ports import Configuration, MessageBoard
from services.store import Store
from services.watching import incident_rules, responses, scope
from services.watching.health import health


class Triage:
    """Open incidents, and what people decide about them: the same for commands and buttons.

    `board` shows what changes.
    """

    def __init__(self, store: Store, configuration: Configuration, board: MessageBoard, clock: Clock) -> None:
        self._store = store
        self._configuration = configuration
        self._board = board
        self._clock = clock

    async def get(self, incident: str) -> StoredIncident:
        """Raises `NotFound`."""
        if (stored := await self._store.incidents.get(incident)) is None:
            raise NotFound("alert", incident)
        return stored

    async def recent(self) -> tuple[StoredIncident, ...]:
        """The newest three, open or not, the newest first."""
        return await self._store.incidents.recent()

    async def sites(self, stored: StoredIncident) -> tuple[Site, ...]:
        """The sites that it affects."""
        incident, cluster = stored.incident, ""
        if incident.kind == "registry":
            clusters = await self._clusters([stored.acr])
            cluster = clusters.get(incident.subject, "")
        return scope.sites_of_incident(incident, stored.acr, cluster, self._configuration.sites)

    async def is_placed(self, stored: StoredIncident) -> bool:
        """Whether its sites are those of one known cluster, and not just all of its cloud registry."""
        if stored.incident.kind != "registry":
            return stored.incident.kind == "cluster"
        return bool((await self._clusters([stored.acr])).get(stored.incident.subject))

    async def affected(self, stored: StoredIncident) -> tuple[tuple[Sighting, Health], ...]:
        """The connected registries of an incident by their last sightings, with their health now."""
        now, incident = self._clock.now(), stored.incident
        sightings = await self._store.sightings.last([stored.acr])
        return tuple(
            (last.sighting, health(last.sighting, now, activated_before=last.activated))
            for last in sightings
            if last.sighting.target.name in incident.children
            or incident_rules.subject(last.sighting) == incident.subject
        )

    async def open(self, watches: Sequence[Watch]) -> tuple[StoredIncident, ...]:
        """The open ones that these watches alert about, whatever their age."""
        sites = self._configuration.sites
        clusters = await self._clusters({site.acr_ref.id.lower() for site in sites.values()})
        return tuple(
            stored
            for stored in await self._store.incidents.open()
            if any(
                scope.alerts(
                    watch, stored.incident, stored.acr, clusters.get(stored.incident.subject, ""), sites, old=True
                )
                for watch in watches
            )
        )

    async def all_open(self) -> tuple[StoredIncident, ...]:
        """All open ones, whoever watches them."""
        return await self._store.incidents.open()

    async def _clusters(self, acrs: Collection[str]) -> dict[str, str]:
        """The cluster of each connected registry, by an incident's subject."""
        sightings = await self._store.sightings.last(acrs)
        return {incident_rules.subject(last.sighting): last.sighting.cluster for last in sightings}

    async def acknowledge(self, incident: str, by: Person, place: Place) -> Incident:
        """`by` takes care of it. Raises `NotFound`, or `Stale` when it is over."""
        return await self._change(
            incident, by, place, "acknowledge", lambda before: responses.acknowledge(before, by.id, self._clock.now())
        )

    async def snooze(self, incident: str, choice: str, by: Person, place: Place) -> Incident:
        """No notifications until `choice` (`responses.snooze`), in `by`'s time zone. Raises `Invalid`."""
        return await self._change(
            incident, by, place, "snooze", lambda before: responses.snooze(before, choice, self._clock.now(), by.tz)
        )

    async def sweep(self) -> None:
        """End snoozes that have run out."""
        for incident in await self._store.incidents.end_snoozes(self._clock.now()):
            self._board.changed(incident)

    async def _change(
        self, incident: str, by: Person, place: Place, word: str, change: Callable[[Incident], Incident]
    ) -> Incident:
        stored = await self._store.incidents.change(incident, change)
        if stored is None:
            current = (await self.get(incident)).incident
            raise Stale(incident, "resolved" if current.resolved else "open", "open")
        sites = await self.sites(stored)
        await self._store.audit.record(
            AuditRow(
                "decision",
                by.id,
                "done",
                f"alert {word} {incident}",
                name=by.name,
                site=sites[0].name if len(sites) == 1 else "",
                channel=place.channel,
                facts={"kind": stored.incident.kind, "subject": stored.incident.subject},
                at=self._clock.now(),
            )
        )
        self._board.changed(incident)
        return stored.incident
