"""A channel's watches: saved, ended, looked up. Polling and schedule are notified."""

from collections.abc import Callable, Sequence

from services.model.errors import NotFound
from services.model.people import Place
from services.model.watch import Watch
from services.store import Store


class Subscriptions:
    """`changed` are called after every change: the polling and the schedule follow the watches."""

    def __init__(self, store: Store, changed: Sequence[Callable[[], None]]) -> None:
        self._store = store
        self._changed = tuple(changed)

    async def of_channel(self, place: Place) -> tuple[Watch, ...]:
        """Watches of a channel, by what they cover."""
        return await self._store.watches.of_channel(place.team, place.channel)

    async def get(self, watch: str) -> Watch:
        """Raises `NotFound`."""
        if (stored := await self._store.watches.get(watch)) is None:
            raise NotFound("watch", watch)
        return stored

    async def save(self, watch: Watch) -> Watch:
        """Add it, or change the one that the channel has on the same subject."""
        saved = await self._store.watches.save(watch)
        self._notify()
        return saved

    async def remove(self, watch: Watch) -> None:
        """End it."""
        await self._store.watches.remove(watch.id)
        self._notify()

    def _notify(self) -> None:
        for changed in self._changed:
            changed()
