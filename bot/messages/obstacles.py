"""What Slack refuses for now: which subjects wait, when they retry, and one log line at the beginning and the end.

An obstacle blocks all of Slack (a revoked token, no network), one channel (archived, or without the bot) or one
subject. While it lasts, one waiting subject at a time probes it; as soon as a probe succeeds, the others follow.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from services.model.message import Channel, Subject

ObstacleScope = Channel | Subject | None
"""What an obstacle blocks; None is all of Slack."""
log = structlog.get_logger("messages")


@dataclass
class Obstacle:
    """Something that blocks messages. `code` is Slack's error code."""

    code: str
    failures: int = 0
    waiting: dict[Subject, None] = field(default_factory=dict)
    probe: Subject | None = None
    """The subject that is being tried at the moment."""
    timer: asyncio.TimerHandle | None = None


class Obstacles:
    """Calls `again` with each subject to retry. `pause` is the first pause in seconds; it doubles."""

    def __init__(self, again: Callable[[Subject], None], *, pause: float = 1.0) -> None:
        self._again = again
        self._pause = pause
        self._standing: dict[ObstacleScope, Obstacle] = {}

    def stop(self, subject: Subject, *scopes: ObstacleScope) -> bool:
        """Whether the subject has to wait because one of these is blocked; it is retried without being asked again."""
        for scope in scopes:
            obstacle = self._standing.get(scope)
            if obstacle is not None and obstacle.probe != subject:
                obstacle.waiting[subject] = None
                return True
        return False

    def stands(self, scope: ObstacleScope) -> bool:
        """Whether this is blocked, including while a probe is running."""
        return scope in self._standing

    def met(self, scope: ObstacleScope, subject: Subject, code: str, *, longest: float) -> None:
        """The subject was refused. Pauses between probes double up to `longest` seconds."""
        obstacle = self._standing.get(scope)
        if obstacle is None or obstacle.code != code:
            log.warning("messages_refused", **_named(scope), error=code)
        if obstacle is None:
            obstacle = self._standing[scope] = Obstacle(code)
        obstacle.code = code
        obstacle.waiting[subject] = None
        if obstacle.timer is not None:
            return  # this subject was already being sent when another one met the obstacle
        obstacle.probe = None
        pause = min(self._pause * 2 ** min(obstacle.failures, 20), longest)
        obstacle.failures += 1
        obstacle.timer = asyncio.get_running_loop().call_later(pause, self._try, scope)

    def passed(self, *scopes: ObstacleScope) -> None:
        """Slack accepted a message, so these are no longer blocked."""
        for scope in scopes:
            obstacle = self._standing.pop(scope, None)
            if obstacle is None:
                continue
            log.info("messages_accepted", **_named(scope), after=obstacle.code, waiting=len(obstacle.waiting))
            if obstacle.timer is not None:
                obstacle.timer.cancel()
            for subject in obstacle.waiting:
                self._again(subject)

    def wake(self, *scopes: ObstacleScope) -> None:
        """Something may have removed the obstacle: probe at once, and start again with short pauses."""
        for scope in scopes:
            obstacle = self._standing.get(scope)
            if obstacle is not None and obstacle.timer is not None:
                obstacle.timer.cancel()
                obstacle.failures = 0
                self._try(scope)

    def left(self, subject: Subject) -> None:
        """The subject's turn is over. If it neither passed nor was refused, the next one probes."""
        for scope, obstacle in list(self._standing.items()):
            if obstacle.probe == subject:
                self._try(scope)

    def _try(self, scope: ObstacleScope) -> None:
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
        """The obstacle that blocks all of Slack, if there is one."""
        return self._standing.get(None)

    def __len__(self) -> int:
        """The number of subjects that wait for Slack or for themselves, which should not take long."""
        brief = [obstacle for scope, obstacle in self._standing.items() if not isinstance(scope, Channel)]
        return len({subject for obstacle in brief for subject in (*obstacle.waiting, obstacle.probe) if subject})

    def close(self) -> None:
        """Stop all retries."""
        for obstacle in self._standing.values():
            if obstacle.timer is not None:
                obstacle.timer.cancel()
        self._standing.clear()


def _named(scope: ObstacleScope) -> dict[str, str]:
    match scope:
        case Channel():
            return {"channel": scope.id}
        case Subject():
            return {scope.kind: scope.id}
    return {}
