"""Ask several questions at once; the first error is raised as itself and ends the others."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(questions: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The answers in the questions' order. How many run at once is the concern of the API's slots."""
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += [group.create_task(question) for question in questions]
    except* Exception as failed:  # noqa: BLE001 - it is unwrapped, not handled
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
