"""Incidents on the board: one alert in each watching channel, and a reply in its thread for each development."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from bot.messages.board import ThreadReply, View
from handlers.kit.message import Message
from handlers.views import alert as views
from services.model.incident import StoredIncident
from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.model.watch import Watch
from services.ports import Configuration
from services.store import Store
from services.watching import incident_rules, scope
from services.watching.scope import Sites


class AlertMessages:
    """Shows incidents; a `board.Kind`."""

    name: SubjectKind = "incident"
    event_type = "registry_alert"

    def __init__(self, store: Store, configuration: Configuration) -> None:
        self._store = store
        self._configuration = configuration
        self._compared: Sites | None = None
        """The sites with which all open incidents were compared."""

    async def view(self, subject: str) -> View | None:
        """The incident as it is now."""
        stored = await self._store.incidents.get(subject)
        if stored is None:
            return None
        incident = stored.incident
        clusters = await self._clusters([stored])
        # ARM id, lower case; it is empty where the registry's cluster is not known.
        cluster = clusters.get(incident.subject, "")
        messages = await self._store.messages.of(Subject("incident", incident.id))
        watches = await self._store.watches.all()
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
            channels=self._channels(stored, cluster, messages, watches),
            readers=_readers(watches),
            render=render,
            replies=replies,
            # The first message shows everything up to now, so its thread begins empty.
            first_position=stored.revision,
            reported=incident,
            comes_back=not incident.resolved,
        )

    async def is_urgent(self, _subject: str) -> bool:
        """Every alert is."""
        return True

    async def behind(self, since: datetime | None) -> tuple[str, ...]:
        """Incidents that some channel does not show as they are.

        At the start, and when the sites have changed, all open ones may lack a message in some channel.
        """
        sites = self._configuration.sites
        compares_open = since is None or sites is not self._compared
        changed = await self._store.incidents.unshown(with_open=compares_open)
        self._compared = sites
        if compares_open or not changed:
            return tuple(stored.incident.id for stored in changed)
        clusters, watches = await self._clusters(changed), await self._store.watches.all()
        messages_of: defaultdict[str, list[LiveMessage]] = defaultdict(list)
        for message in await self._store.messages.of_all("incident", [stored.incident.id for stored in changed]):
            messages_of[message.subject.id].append(message)
        behind, shown = list[str](), list[StoredIncident]()
        for stored in changed:
            messages = messages_of[stored.incident.id]
            channels = self._channels(stored, clusters.get(stored.incident.subject, ""), messages, watches)
            complete = {
                message.channel
                for message in messages
                if message.shown >= stored.revision and message.position >= stored.revision
            }
            if complete.issuperset(channels):
                shown.append(stored)
            else:
                behind.append(stored.incident.id)
        if shown:
            await self._store.incidents.mark_shown(shown)
        return tuple(behind)

    async def _clusters(self, incidents: Iterable[StoredIncident]) -> dict[str, str]:
        """By an incident's subject, the cluster of each connected registry that the incidents may be about."""
        registries = [stored for stored in incidents if stored.incident.kind == "registry"]
        names = {stored.incident.subject.rpartition("/")[2] for stored in registries}
        acrs = {stored.acr for stored in registries}
        sightings = await self._store.sightings.last(acrs, names) if registries else ()
        return {incident_rules.subject(last.sighting): last.sighting.cluster for last in sightings}

    def _channels(
        self, stored: StoredIncident, cluster: str, messages: Iterable[LiveMessage], watches: Iterable[Watch]
    ) -> tuple[Channel, ...]:
        """The channels that have a message of the incident, and while it is open those with a watch that covers it."""
        incident = stored.incident
        channels = {message.channel: None for message in messages if message.ts}
        if incident.resolved:
            return tuple(channels)
        sites = self._configuration.sites
        covering = (watch for watch in watches if scope.alerts(watch, incident, stored.acr, cluster, sites))
        channels |= {Channel(watch.place.team, watch.place.channel): None for watch in covering}
        # A post whose reply was lost may have arrived, even if its watch is gone by now.
        channels |= {message.channel: None for message in messages if message.pending}
        return tuple(channels)


def _readers(watches: Iterable[Watch]) -> dict[Channel, str]:
    """Who set up the oldest watch of each channel: they chose to have alerts there."""
    newest_first = sorted(watches, key=lambda watch: watch.created, reverse=True)
    return {Channel(watch.place.team, watch.place.channel): watch.by for watch in newest_first}
