"""What this process remembers of its latest requests, in memory alone, and bounded.

Where Azure asked it to wait, what it has just written, and where operations under way are followed.
"""

from collections.abc import Callable

LONGEST_WAIT = 3600.0
"""Seconds for which a `Retry-After` is obeyed at most; Azure asks for minutes. An answer may name a day by mistake."""
UNSEEN = 60.0
"""Seconds after a write within which a 404 for it is not believed (azapi#587, azure-cli#27913)."""

MAX_OPERATIONS = 1000
"""Operations that are remembered at a time."""


class Holds:
    """Where nothing is asked before a moment that Azure named. `now` is a monotonic clock, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: dict[tuple[str, str], float] = {}

    def hold(self, kind: str, place: str, seconds: float) -> None:
        """Ask nothing at `place`, a path or a subscription, for so long. `kind` is that of the quota."""
        now = self._now()
        self._until = {key: until for key, until in self._until.items() if until > now}
        key = kind, place.lower()
        self._until[key] = max(self._until.get(key, 0), now + min(seconds, LONGEST_WAIT))

    def remaining(self, kind: str, *places: str) -> float:
        """Seconds until all of `places` may be asked; 0 when they may be asked now."""
        ends = (self._until.get((kind, place.lower()), 0) for place in places)
        return max(0.0, max(ends) - self._now())


class Writes:
    """ARM ids that were written a moment ago: the first reads may get 404, since not every front end knows them yet."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._written: dict[str, float] = {}

    def note(self, arm_id: str) -> None:
        """Remember that this was written now, by this process or by another one that says so."""
        now = self._now()
        self._written = {written: at for written, at in self._written.items() if now - at < UNSEEN}
        self._written[arm_id.lower().rstrip("/")] = now

    def forget(self, arm_id: str) -> None:
        """Believe a 404 for this and for what is below it again: it was deleted, or its creation failed."""
        prefix = f"{arm_id.lower().rstrip('/')}/"
        self._written = {written: at for written, at in self._written.items() if not f"{written}/".startswith(prefix)}

    def mentions(self, path: str, body: str, *, no_parent: bool = False) -> bool:
        """Whether a request is about something written a moment ago: by its path, or by an id in its body.

        A resource below it is something else, unless Azure says that it is the parent that is missing (`no_parent`).
        """
        now, path, body = self._now(), f"{path.lower()}/", body.lower()
        return any(
            now - at < UNSEEN and (_is_about(path, written, no_parent=no_parent) or f'"{written}"' in body)
            for written, at in self._written.items()
        )


def _is_about(path: str, written: str, *, no_parent: bool) -> bool:
    if not path.startswith(f"{written}/"):
        return False
    below = path.removeprefix(f"{written}/").split("/")[:-1]
    # Below a resource stand its actions, the operations on it, and pairs of type and name: other resources.
    is_other = len(below) > 1 and below[0] not in {"operationstatuses", "operationresults"}
    return no_parent or not is_other


class SignedUrls:
    """Where asynchronous operations of this process are followed, by the ARM id of what they change.

    The URLs are signed, so they stay in memory. A process that has none follows the resource itself.
    """

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}

    def keep(self, arm_id: str, url: str) -> None:
        """Remember the newest URL of an operation; beyond `MAX_OPERATIONS` the oldest one is dropped."""
        self._urls.pop(arm_id.lower(), None)
        self._urls[arm_id.lower()] = url
        if len(self._urls) > MAX_OPERATIONS:
            del self._urls[next(iter(self._urls))]

    def get(self, arm_id: str) -> str:
        """Empty when this process has none."""
        return self._urls.get(arm_id.lower(), "")

    def drop(self, arm_id: str) -> None:
        """Forget the URL: the operation has ended, or can't be followed there."""
        self._urls.pop(arm_id.lower(), None)
