"""Incidents on the board: one alert in each channel that watches, and a reply in its thread for each turn."""

from datetime import datetime
from functools import partial

from bot.messages.board import Reply, View
from handlers.kit.message import Message
from handlers.views import alert as views
from services.model.incident import Incident, StoredIncident
from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.ports import Configuration
from services.store import Store
from services.watching import incident_rules, scope


class AlertMessages:
    """A kind of the board (`board.Kind`)."""

    name: SubjectKind = "incident"
    event_type = "registry_alert"

    def __init__(self, store: Store, configuration: Configuration) -> None:
        self._store = store
        self._configuration = configuration

    async def view(self, subject: str) -> View | None:
        """How the incident is now."""
        stored = await self._store.incidents.get(subject)
        if stored is None:
            return None
        return View(
            revision=stored.revision,
            channels=await self._channels(stored),
            render=partial(_render, stored.incident),
            replies=partial(_replies, stored),
            # The first message has everything up to now, so its thread begins empty.
            first_position=stored.revision,
            reported=stored.incident,
            comes_back=not stored.incident.resolved,
        )

    async def behind(self, since: datetime | None) -> tuple[str, ...]:
        """Those that some channel lacks, or may lack."""
        return await self._store.messages.incidents_behind(since)

    async def _channels(self, stored: StoredIncident) -> tuple[Channel, ...]:
        """Those that have a message of it, and while it is open those that watch."""
        messages = await self._store.messages.of(Subject("incident", stored.incident.id))
        channels = {message.channel: None for message in messages if message.ts}
        if not stored.incident.resolved:
            watches = await self._store.watches.all()
            cluster = await self._cluster(stored) if any(watch.scope == "site" for watch in watches) else ""
            sites = self._configuration.sites
            hearing = (watch for watch in watches if scope.alerts(watch, stored.incident, stored.acr, cluster, sites))
            channels |= {Channel(watch.place.team, watch.place.channel): None for watch in hearing}
            # A post without a reply may be there, whatever the watches say by now.
            channels |= {message.channel: None for message in messages if message.pending}
        return tuple(channels)

    async def _cluster(self, stored: StoredIncident) -> str:
        """The cluster of the connected registry that it is about; empty when that is not known."""
        if stored.incident.kind != "registry":
            return ""
        sightings = [each.sighting for each in await self._store.sightings.last([stored.acr])]
        clusters = {incident_rules.subject(sighting): sighting.cluster for sighting in sightings}
        return clusters.get(stored.incident.subject, "")


async def _render(incident: Incident, _plan_blocks: bool) -> Message:
    return views.card(incident)


async def _replies(stored: StoredIncident, message: LiveMessage) -> tuple[Reply, ...]:
    """What changed since the thread's last reply, in one."""
    if message.position >= stored.revision:
        return ()
    text = views.line(message.reported, stored.incident)
    loud = views.is_loud(message.reported, stored.incident)
    return (Reply(stored.revision, text, loud=loud, reported=stored.incident),)
