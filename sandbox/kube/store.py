"""Objects by kind, namespace and name, with one revision counter and a history that watches read."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.kube.resources import Json, Key
from sandbox.kube.status import expired

HISTORY = 5_000
"""Changes in the history; a watch that requests older ones is refused as expired."""


@dataclass(frozen=True)
class Change:
    """One write."""

    revision: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    key: Key
    object: Json
    previous: Json | None


class Store:
    """What etcd is to an API server.

    Stored objects are never modified in place: to change one, put a modified copy.
    """

    def __init__(self, history: int = HISTORY) -> None:
        self.revision = 1
        self._objects: dict[Key, dict[tuple[str, str], Json]] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._changed = asyncio.Event()

    def get(self, key: Key, namespace: str, name: str) -> Json | None:
        """The object, or None."""
        return self._objects.get(key, {}).get((namespace, name))

    def items(self, key: Key, namespace: str = "") -> list[Json]:
        """All objects of a kind (in a namespace, if one is given), in the order of their namespaces and names."""
        objects = self._objects.get(key, {})
        return [objects[place] for place in sorted(objects) if not namespace or place[0] == namespace]

    def names(self, key: Key) -> set[str]:
        """The names in use for a cluster-wide kind."""
        return {name for _, name in self._objects.get(key, {})}

    def put(self, key: Key, obj: Json) -> Json:
        """Write an object and return it with its new resourceVersion."""
        self.revision += 1
        metadata = obj["metadata"] | {"resourceVersion": str(self.revision)}
        stored = obj | {"metadata": metadata}
        place = (metadata.get("namespace", ""), metadata["name"])
        objects = self._objects.setdefault(key, {})
        previous = objects.get(place)
        objects[place] = stored
        self._record(Change(self.revision, "MODIFIED" if previous else "ADDED", key, stored, previous))
        return stored

    def remove(self, key: Key, namespace: str, name: str) -> Json:
        """Remove an object and return it with the resourceVersion of its removal."""
        previous = self._objects[key].pop((namespace, name))
        self.revision += 1
        last = previous | {"metadata": previous["metadata"] | {"resourceVersion": str(self.revision)}}
        self._record(Change(self.revision, "DELETED", key, last, previous))
        return last

    def since(self, revision: int) -> Iterator[Change]:
        """The changes after that revision, oldest first.

        Raises:
            StatusError: 410 Expired, if the history no longer has all of them.
        """
        oldest = self._history[0].revision if self._history else self.revision + 1
        if revision < oldest - 1:
            raise expired(f"too old resource version: {revision} ({oldest - 1})")
        start = len(self._history) - (self.revision - revision)
        return (self._history[index] for index in range(max(0, start), len(self._history)))

    def compact(self) -> None:
        """Forget the history, so that every older revision is expired."""
        self._history.clear()

    async def changed(self, revision: int) -> None:
        """Return when there is something after that revision."""
        while self.revision <= revision:
            await self._changed.wait()

    def wake(self) -> None:
        """Wake everyone who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _record(self, change: Change) -> None:
        self._history.append(change)
        self.wake()
