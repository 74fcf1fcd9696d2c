"""Watches: the stream of changes after a revision, as one JSON object a line."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sandbox.kube.resources import Json, Key
from sandbox.kube.selectors import Match
from sandbox.kube.status import StatusError
from sandbox.kube.store import Change, Store

BOOKMARK_PERIOD = 30.0
"""Seconds of real time between bookmarks; a real server sends about one a minute."""


@dataclass(frozen=True)
class Selection:
    """The objects and options of a watch."""

    key: Key
    namespace: str
    match: Match
    revision: int | None
    """The revision after which changes are sent; None sends the current objects first."""
    bookmarks: bool = False
    initial_end: bool = False
    """Whether to mark the end of the initial objects with a bookmark (`sendInitialEvents`)."""


async def events(
    store: Store, selection: Selection, render: Callable[[Json], Json], bookmark: Json
) -> AsyncIterator[bytes]:
    """The lines of a watch. They don't end; the caller stops reading."""
    revision = store.revision if selection.revision is None else selection.revision
    if selection.revision is None:
        for obj in store.items(selection.key, selection.namespace):
            if selection.match(obj):
                yield _line("ADDED", render(obj))
    if selection.initial_end:
        yield _line("BOOKMARK", _bookmark(bookmark, revision, ended=True))
    while True:
        try:
            changes = list(store.since(revision))
        except StatusError as error:
            yield _line("ERROR", error.body())
            return
        for change in changes:
            revision = change.revision
            event = _event(change, selection)
            if event:
                yield _line(event, render(change.object))
        timed_out = False
        with contextlib.suppress(TimeoutError):
            timed_out = True
            async with asyncio.timeout(BOOKMARK_PERIOD):
                await store.changed(revision)
                timed_out = False
        if timed_out and selection.bookmarks:
            yield _line("BOOKMARK", _bookmark(bookmark, revision, ended=False))


def _event(change: Change, selection: Selection) -> str | None:
    """A change as this watch sees it: an object that no longer matches counts as deleted."""
    if change.key != selection.key:
        return None
    if selection.namespace and change.object["metadata"].get("namespace") != selection.namespace:
        return None
    now = change.type != "DELETED" and selection.match(change.object)
    before = change.previous is not None and selection.match(change.previous)
    if now:
        return "MODIFIED" if before else "ADDED"
    return "DELETED" if before else None


def _bookmark(bookmark: Json, revision: int, *, ended: bool) -> Json:
    metadata: Json = {"resourceVersion": str(revision), "creationTimestamp": None}
    if ended:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return bookmark | {"metadata": metadata}


def _line(kind: str, obj: Json) -> bytes:
    return json.dumps({"type": kind, "object": obj}, separators=(",", ":")).encode() + b"\n"
