"""What Slack refuses for now: who waits for it, when it is tried again, and one log line when it begins and ends.

An obstacle closes all of Slack (a revoked token, no network), one channel (archived, or without the bot) or one
subject. While it stands, one subject at a time tries whether it is gone; when that succeeds, all who wait follow.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from services.model.message import Channel, Subject

Scope = Channel | Subject | None
"""What an obstacle closes; None is all of Slack."""
log = structlog.get_logger("messages")


@dataclass
class Obstacle:
    """One that stands. `code` is Slack's word for it."""

    code: str
    failures: int = 0
    waiting: dict[Subject, None] = field(default_factory=dict)
    probe: Subject | None = None
    """Who tries at the moment."""
    timer: asyncio.TimerHandle | None = None


class Obstacles:
    """`again` is called with a subject whose time has come. `pause` is the first pause in seconds; it doubles."""

    def __init__(self, again: Callable[[Subject], None], *, pause: float = 1.0) -> None:
        self._again = again
        self._pause = pause
        self._standing: dict[Scope, Obstacle] = {}

    def stop(self, subject: Subject, *scopes: Scope) -> bool:
        """Whether the subject has to wait because of one of these; it is tried again by itself."""
        for scope in scopes:
            obstacle = self._standing.get(scope)
            if obstacle is not None and obstacle.probe != subject:
                obstacle.waiting[subject] = None
                return True
        return False

    def stands(self, scope: Scope) -> bool:
        """Whether there is one, tried at the moment or not."""
        return scope in self._standing

    def met(self, scope: Scope, subject: Subject, code: str, *, longest: float) -> None:
        """The subject was refused. Pauses between tries double up to `longest` seconds."""
        obstacle = self._standing.get(scope)
        if obstacle is None or obstacle.code != code:
            log.warning("messages_refused", **_named(scope), error=code)
        if obstacle is None:
            obstacle = self._standing[scope] = Obstacle(code)
        obstacle.code = code
        obstacle.waiting[subject] = None
        if obstacle.timer is not None:
            return  # others were under way when it was met first
        obstacle.probe = None
        pause = min(self._pause * 2 ** min(obstacle.failures, 20), longest)
        obstacle.failures += 1
        obstacle.timer = asyncio.get_running_loop().call_later(pause, self._try, scope)

    def passed(self, *scopes: Scope) -> None:
        """Slack took something: what stood in its way is gone."""
        for scope in scopes:
            obstacle = self._standing.pop(scope, None)
            if obstacle is None:
                continue
            log.info("messages_accepted", **_named(scope), after=obstacle.code, waiting=len(obstacle.waiting))
            if obstacle.timer is not None:
                obstacle.timer.cancel()
            for subject in obstacle.waiting:
                self._again(subject)

    def wake(self, *scopes: Scope) -> None:
        """Something happened that may have removed the obstacle: try at once, and often again at first."""
        for scope in scopes:
            obstacle = self._standing.get(scope)
            if obstacle is not None and obstacle.timer is not None:
                obstacle.timer.cancel()
                obstacle.failures = 0
                self._try(scope)

    def left(self, subject: Subject) -> None:
        """The subject's turn is over. Where it neither passed nor was refused, the next one tries."""
        for scope, obstacle in list(self._standing.items()):
            if obstacle.probe == subject:
                self._try(scope)

    def _try(self, scope: Scope) -> None:
        obstacle = self._standing[scope]
        obstacle.timer = None
        obstacle.probe = next(iter(obstacle.waiting), None)
        if obstacle.probe is None:
            del self._standing[scope]
            return
        del obstacle.waiting[obstacle.probe]
        self._again(obstacle.probe)

    @property
    def general(self) -> Obstacle | None:
        """What closes all of Slack, if anything does."""
        return self._standing.get(None)

    def __len__(self) -> int:
        """How many subjects wait for what is expected to pass soon: for Slack, or for themselves."""
        soon = [each for scope, each in self._standing.items() if not isinstance(scope, Channel)]
        return len({subject for each in soon for subject in (*each.waiting, each.probe) if subject is not None})

    def close(self) -> None:
        """Try nothing more."""
        for obstacle in self._standing.values():
            if obstacle.timer is not None:
                obstacle.timer.cancel()
        self._standing.clear()


def _named(scope: Scope) -> dict[str, str]:
    match scope:
        case Channel():
            return {"channel": scope.id}
        case Subject():
            return {scope.kind: scope.id}
    return {}
