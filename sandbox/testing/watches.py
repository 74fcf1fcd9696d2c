"""Waiting for what happens in a cluster, with the official client's watches."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from kubernetes.aio import watch

PATIENCE = 60
"""Seconds after which a wait fails."""


async def events(listing: Any, **arguments: Any) -> AsyncGenerator[dict[str, Any]]:
    """The events of a watch. `listing` is a list method of the client, `arguments` are what it takes."""
    stream: Any = watch.Watch()  # type: ignore[no-untyped-call]  # the client leaves it without types
    async with stream:
        async for event in stream.stream(listing, **arguments):
            yield event


async def first(listing: Any, matches: Callable[[Any], bool], *, deleted_after: Any = None, **arguments: Any) -> Any:
    """The first object of a watch that matches; with `deleted_after`, an object as it was read, the first deleted.

    Raises:
        TimeoutError: there was none within `PATIENCE` seconds.
    """
    if deleted_after is not None:
        arguments["resource_version"] = deleted_after.metadata.resource_version
    async with aclosing(events(listing, timeout_seconds=PATIENCE, **arguments)) as stream:
        async for event in stream:
            if (event["type"] == "DELETED") is (deleted_after is not None) and matches(event["object"]):
                return event["object"]
    raise TimeoutError(f"no object matched within {PATIENCE} s")
