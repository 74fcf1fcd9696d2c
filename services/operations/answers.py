"""Questions to the outside: all at once, each with a deadline, none of them fatal."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from services.model.errors import Absent, DomainError, NoAccess, NotNeeded, Unreachable

T = TypeVar("T")
DEADLINE = 20.0
"""Seconds for one question."""
log = structlog.get_logger("operations")


@dataclass(frozen=True)
class Known(Generic[T]):
    """An answer. It is not `proven` where the site file states it, and nobody has asked the cluster."""

    value: T
    proven: bool = True


@dataclass(frozen=True)
class Unknown:
    """No answer: the question could not be asked, and `error` says why. Never to be read as "no"."""

    error: DomainError


@dataclass(frozen=True)
class NotAsked(Unknown):
    """No answer, on purpose. Whoever does not tell the two apart takes it for unknown, and that is right.

    The `error` is `NoAccess` at a site that gives the bot no access to its cluster: checks say what is not proven. It
    is `NotNeeded` where nobody needs the answer: checks are silent.
    """


Answer = Known[T] | Unknown
Question = Callable[[], Awaitable[T]]


def known(answer: Answer[T], default: T) -> T:
    """The value of an answer, or the default where there is none."""
    return answer.value if isinstance(answer, Known) else default


def is_missing(answer: Answer[T]) -> bool:
    """Whether a question was asked in vain."""
    return isinstance(answer, Unknown) and not isinstance(answer, NotAsked)


@dataclass(frozen=True)
class Questions:
    """Puts questions to one outside system, in a group of tasks that waits for them all.

    `service` is its name in errors (`azure`, `kubernetes`), `deadline` the seconds that each question may take.
    """

    group: asyncio.TaskGroup
    service: str
    deadline: float = DEADLINE

    def ask(self, target: str, question: Question[T]) -> asyncio.Task[Answer[T]]:
        """Any question. `target` is what it is about, for the error."""
        return self.group.create_task(self._answer(target, question))

    def find(self, target: str, question: Question[T]) -> asyncio.Task[Answer[T | None]]:
        """A question for one thing: None when there is none."""

        async def or_none() -> T | None:
            try:
                return await question()
            except Absent:
                return None

        return self.ask(target, or_none)

    def list(self, target: str, question: Question[tuple[T, ...]]) -> asyncio.Task[Answer[tuple[T, ...]]]:
        """A question for all children of something: none when that doesn't exist itself."""

        async def or_empty() -> tuple[T, ...]:
            try:
                return await question()
            except Absent:
                return ()

        return self.ask(target, or_empty)

    def skip(self) -> asyncio.Task[Answer[T]]:
        """A question that is not asked this time."""

        async def unasked() -> Answer[T]:
            return NotAsked(NotNeeded())

        return self.group.create_task(unasked())

    async def _answer(self, target: str, question: Question[T]) -> Answer[T]:
        try:
            async with asyncio.timeout(self.deadline):
                return Known(await question())
        except (NoAccess, NotNeeded) as error:
            return NotAsked(error)
        except DomainError as error:
            return Unknown(error)
        except TimeoutError:
            return Unknown(Unreachable(self.service, target, "DeadlineExceeded", f"no answer in {self.deadline:g} s"))
        except Exception as error:
            log.exception("question_failed", service=self.service, target=target)
            return Unknown(Unreachable(self.service, target, type(error).__name__))


async def value_of(task: asyncio.Task[Answer[T]]) -> T:
    """The value that another question gets; raises that question's error."""
    # Shielded: a deadline that runs out here must not cancel what others wait for too.
    answer = await asyncio.shield(task)
    if isinstance(answer, Unknown):
        raise answer.error
    return answer.value
