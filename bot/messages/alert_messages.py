"""Incidents → one message in each channel that watches them, edited as they develop; their threads hear of it.

What a message shows is stored with it, so that after a restart the same message goes on. Of several processes the one
that holds an alert's row writes to it.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from bot.messages.posting import GONE, NOT_THERE, Posting
from bot.messages.queue import CatchUp
from handlers.kit.message import Message
from handlers.views import alert as views
from services.model.errors import Absent, NotAllowed, Refused
from services.model.incident import IncidentMessage, StoredIncident
from services.ports import Configuration
from services.store import Store
from services.watching import incident_rules, scope

KIND = "registry_alert"
LEASE = timedelta(minutes=1)
log = structlog.get_logger("alerts")


class Alerts:
    """`changed` may be called from anywhere in the loop, as often as one likes."""

    def __init__(
        self,
        posting: Posting,
        store: Store,
        configuration: Configuration,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._posting = posting
        self._store = store
        self._configuration = configuration
        self._now = now
        self._holder = secrets.token_hex(8)
        self._catch_up = CatchUp(self._show)

    async def start(self) -> None:
        """Show what was not shown when the last process ended, and everything from now on."""
        for incident in await self._store.incidents.behind():
            self.changed(incident)
        self._catch_up.start()

    async def stop(self, deadline: float = 5) -> None:
        """Show what is left, as far as the time (seconds) allows."""
        await self._catch_up.stop(deadline)

    def changed(self, incident: str) -> None:
        """There is something new to show."""
        self._catch_up.changed(incident)

    @property
    def waiting(self) -> int:
        """Incidents whose last state is not shown yet."""
        return self._catch_up.waiting

    async def _show(self, incident: str) -> None:
        filed = await self._store.incidents.get(incident)
        if filed is None:
            return
        for alert in await self._wanted(filed):
            if alert.shown < filed.revision or alert.told < filed.revision:
                await self._bring_up(filed, alert)

    async def _wanted(self, filed: StoredIncident) -> tuple[IncidentMessage, ...]:
        """The messages that it has, and those that it has to get because a channel watches."""
        known = {(one.team, one.channel): one for one in await self._store.incidents.alerts(filed.incident.id)}
        if filed.incident.resolved:
            return tuple(known.values())
        watches = await self._store.watches.all()
        home = await self._home(filed) if any(watch.scope == "site" for watch in watches) else ""
        for watch in watches:
            place = (watch.place.team, watch.place.channel)
            if place not in known and scope.alerts(watch, filed.incident, filed.acr, home, self._configuration.sites):
                known[place] = IncidentMessage(filed.incident.id, *place)
        return tuple(known.values())

    async def _home(self, filed: StoredIncident) -> str:
        """The cluster of the connected registry that it is about."""
        if filed.incident.kind != "registry":
            return ""
        seen = await self._store.sightings.last([filed.acr])
        homes = {incident_rules.subject(one.sighting): one.sighting.cluster for one in seen}
        return homes.get(filed.incident.subject, "")

    # --- one message ------------------------------------------------------------------------------------------------

    async def _bring_up(self, filed: StoredIncident, alert: IncidentMessage) -> None:
        now = self._now()
        held = await self._store.incidents.claim_alert(alert, self._holder, now, now + LEASE)
        if held is None:
            return  # the process that has it shows it; should it die, `Incidents.sweep` comes here again
        try:
            ts = held.ts or await self._post(filed, held)
            if ts and held.ts and held.shown < filed.revision:
                ts = await self._edit(filed, held)
            if ts and held.ts:
                await self._tell(filed, held)
        except (NotAllowed, Refused, Absent) as error:
            if error.code not in NOT_THERE:
                raise
            # Nobody there can read it; it counts as shown, until the incident changes.
            log.warning("not_in_channel", incident=filed.incident.id, channel=alert.channel, error=error.code)
            await self._save(alert, shown=filed.revision, told=filed.revision, posting="")
        finally:
            await self._save(alert, holder="", until=now)

    async def _post(self, filed: StoredIncident, alert: IncidentMessage) -> str:
        """The first message. It tells everything up to now, so its thread begins empty."""
        mark = f"{filed.incident.id}:{alert.channel}"
        ts = await self._posting.find(alert.channel, mark, kind=KIND) if alert.posting else ""
        shown = filed.revision if not ts else -1
        if not ts:
            await self._save(alert, posting=mark)
            ts = await self._posting.post(alert.channel, views.card(filed.incident), kind=KIND, mark=mark)
        await self._save(alert, ts=ts, shown=shown, told=filed.revision, before=filed.incident, posting="")
        if shown < filed.revision:
            self.changed(filed.incident.id)
        return ts

    async def _edit(self, filed: StoredIncident, alert: IncidentMessage) -> str:
        await self._posting.updates.ready()
        try:
            await self._posting.update(alert.channel, alert.ts, views.card(filed.incident))
        except (Refused, Absent) as error:
            if isinstance(error, Refused) and error.code not in GONE:
                raise
            return await self._gone(filed, alert)
        await self._save(alert, shown=filed.revision)
        return alert.ts

    async def _gone(self, filed: StoredIncident, alert: IncidentMessage) -> str:
        """Somebody deleted the message: an open incident gets another one, a resolved one is left in peace."""
        if filed.incident.resolved:
            await self._save(alert, shown=filed.revision, told=filed.revision)
        else:
            await self._save(alert, ts="", shown=-1, told=-1, posting="")
            self.changed(filed.incident.id)
        return ""

    async def _tell(self, filed: StoredIncident, alert: IncidentMessage) -> None:
        """What the thread has not heard yet, in one reply."""
        incident = filed.incident
        if alert.told >= filed.revision:
            return
        mark = f"{incident.id}:{filed.revision}"
        found = alert.posting and await self._posting.find(alert.channel, alert.posting, kind=KIND, thread=alert.ts)
        if found:
            # What that reply said is not known any more; the card has it all.
            await self._save(alert, told=int(alert.posting.rpartition(":")[2]), before=incident, posting="")
            self.changed(incident.id)
            return
        if text := views.line(alert.before, incident):
            await self._save(alert, posting=mark)
            loud = views.is_loud(alert.before, incident)
            await self._posting.post(alert.channel, Message(text), kind=KIND, mark=mark, thread=alert.ts, loud=loud)
        await self._save(alert, told=filed.revision, before=incident, posting="")

    async def _save(self, alert: IncidentMessage, **changes: object) -> None:
        await self._store.incidents.save_alert(alert, **changes)
