"""What people decide about incidents: the same for commands and buttons."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from services.model.audit import AuditRow
from services.model.errors import NotFound, Stale
from services.model.health import Health, Sighting
from services.model.incident import Filed, Incident
from services.model.people import Person, Place
from services.model.watch import Watch
from services.ports import Configuration
from services.store import Store
from services.watching import incident_rules
from services.watching.health import health
from services.watching.scope import hears

NEWS = timedelta(minutes=10)
"""For how long it is looked again whether every channel has a message of what changed."""


class Incidents:
    """`changed` is called with an incident's id whenever people should see something new."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        changed: Callable[[str], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._changed = changed
        self._now = now

    async def get(self, incident: str) -> Filed:
        """Raises `NotFound` with the newest ids."""
        found = await self._store.incidents.get(incident)
        if found is None:
            recent = await self._store.incidents.recent()
            raise NotFound("alert", incident, tuple(one.incident.id for one in recent))
        return found

    async def about(self, filed: Filed) -> tuple[tuple[Sighting, Health], ...]:
        """The connected registries that an incident is about, as they were last seen, with their health now."""
        now, incident = self._now(), filed.incident
        seen = await self._store.sightings.seen([filed.acr])
        return tuple(
            (one.sighting, health(one.sighting, now, activated_before=one.activated))
            for one in seen
            if one.sighting.target.name in incident.children or incident_rules.subject(one.sighting) == incident.subject
        )

    async def heard_by(self, watches: Sequence[Watch]) -> tuple[Incident, ...]:
        """The open ones that these watches tell about, whatever their age."""
        sites = self._configuration.sites
        homes = await self._homes()
        return tuple(
            filed.incident
            for filed in await self._store.incidents.open()
            if any(
                hears(watch, filed.incident, filed.acr, homes.get(filed.incident.subject, ""), sites, old=True)
                for watch in watches
            )
        )

    async def _homes(self) -> dict[str, str]:
        acrs = {site.acr_ref.id.lower() for site in self._configuration.sites.values()}
        return {
            incident_rules.subject(one.sighting): one.sighting.cluster for one in await self._store.sightings.seen(acrs)
        }

    async def acknowledge(self, incident: str, by: Person, place: Place) -> Incident:
        """`by` takes care of it. Raises `NotFound`, or `Stale` when it is over."""
        return await self._change(
            incident, by, place, "acknowledge", lambda before: incident_rules.acknowledge(before, by.id, self._now())
        )

    async def snooze(self, incident: str, choice: str, by: Person, place: Place) -> Incident:
        """Nothing loud until `choice` (`incident_rules.snooze`), in `by`'s time zone. Raises `Invalid` too."""
        return await self._change(
            incident, by, place, "snooze", lambda before: incident_rules.snooze(before, choice, self._now(), by.tz)
        )

    async def sweep(self) -> None:
        """Take ended snoozes away, and find what no message shows yet, such as another process's that died."""
        now = self._now()
        over = await self._store.incidents.snoozes_over(now)
        for incident in (*over, *await self._store.incidents.behind(now - NEWS)):
            self._changed(incident)

    async def _change(
        self, incident: str, by: Person, place: Place, word: str, change: Callable[[Incident], Incident]
    ) -> Incident:
        filed = await self._store.incidents.change(incident, change)
        if filed is None:
            found = await self.get(incident)
            raise Stale(incident, "resolved" if found.incident.resolved else "open", "open")
        await self._store.audit.record(
            AuditRow("decision", by.id, "done", f"alert {word} {incident}", channel=place.channel, at=self._now())
        )
        self._changed(incident)
        return filed.incident
