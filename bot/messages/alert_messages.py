"""Incidents on the board: one alert in each watching channel, and a reply in its thread for each development."""

from datetime import datetime

from bot.messages.board import ThreadReply, View
from handlers.kit.message import Message
from handlers.views import alert as views
from services.model.incident import StoredIncident
from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.ports import Configuration
from services.store import Store
from services.watching import incident_rules, scope


class AlertMessages:
    """Shows incidents; a `board.Kind`."""

    name: SubjectKind = "incident"
    event_type = "registry_alert"

    def __init__(self, store: Store, configuration: Configuration) -> None:
        self._store = store
        self._configuration = configuration

    async def view(self, subject: str) -> View | None:
        """The incident as it is now."""
        stored = await self._store.incidents.get(subject)
        if stored is None:
            return None
        incident = stored.incident
        cluster = ""
        if incident.kind == "registry":
            sightings = [last.sighting for last in await self._store.sightings.last([stored.acr])]
            clusters = {incident_rules.subject(sighting): sighting.cluster for sighting in sightings}
            # ARM id, lower case; it stays empty where the registry's cluster is not known.
            cluster = clusters.get(incident.subject, "")
        sites = scope.sites_of_incident(incident, stored.acr, cluster, self._configuration.sites)
        # Of a whole cloud registry the sites are not listed.
        is_placed = incident.kind == "cluster" or (incident.kind == "registry" and cluster)
        names = tuple(site.name for site in sites) if is_placed else ()
        concern = views.Concern(names, self._configuration.policy.operators(sites))

        async def render(_plan_blocks: bool) -> Message:
            return views.card(incident, concern)

        async def replies(message: LiveMessage) -> tuple[ThreadReply, ...]:
            """One reply with everything that changed since the thread's last reply."""
            if message.position >= stored.revision:
                return ()
            text = views.line(message.reported, incident, concern)
            loud = views.is_loud(message.reported, incident)
            return (ThreadReply(stored.revision, text, loud=loud, reported=incident),)

        return View(
            revision=stored.revision,
            channels=await self._channels(stored, cluster),
            readers=await self._readers(),
            render=render,
            replies=replies,
            # The first message shows everything up to now, so its thread begins empty.
            first_position=stored.revision,
            reported=incident,
            comes_back=not incident.resolved,
        )

    async def behind(self, since: datetime | None) -> tuple[str, ...]:
        """Incidents that are not shown, or may not be shown, in some channel."""
        return await self._store.messages.incidents_behind(since)

    async def _readers(self) -> dict[Channel, str]:
        """Who set up the oldest watch of each channel: they chose to have alerts there."""
        watches = sorted(await self._store.watches.all(), key=lambda watch: watch.created, reverse=True)
        return {Channel(watch.place.team, watch.place.channel): watch.by for watch in watches}

    async def _channels(self, stored: StoredIncident, cluster: str) -> tuple[Channel, ...]:
        """The channels that have a message of the incident, and while it is open those with a watch that covers it."""
        incident = stored.incident
        messages = await self._store.messages.of(Subject("incident", incident.id))
        channels = {message.channel: None for message in messages if message.ts}
        if incident.resolved:
            return tuple(channels)
        watches = await self._store.watches.all()
        sites = self._configuration.sites
        covering = (watch for watch in watches if scope.alerts(watch, incident, stored.acr, cluster, sites))
        channels |= {Channel(watch.place.team, watch.place.channel): None for watch in covering}
        # A post whose reply was lost may have arrived, even if its watch is gone by now.
        channels |= {message.channel: None for message in messages if message.pending}
        return tuple(channels)
