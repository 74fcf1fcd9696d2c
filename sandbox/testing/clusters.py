"""Clusters with a real control plane, started once for all tests and emptied between them."""

import asyncio
import json
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sandbox import world as worlds
from sandbox.clock import Clock
from sandbox.controlplane.part import RealKubePart
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority

T = TypeVar("T")
BERLIN_AND_HAMBURG: list[dict[str, Any]] = worlds.load()["kube"]["clusters"][:2]
"""The clusters of the default world, without the one that is older than a real API server can be."""


class RealClusters:
    """A context manager. They live in a thread with an event loop of its own, since every test has another loop."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="real-clusters", daemon=True)
        self._parts: dict[str, RealKubePart] = {}

    def __enter__(self) -> Self:
        """Start the thread. A cluster starts when a test needs it."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all clusters."""
        for part in self._parts.values():
            self.run(part.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def part(self, clusters: list[dict[str, Any]]) -> RealKubePart:
        """The clusters with this content, as in a world file. The first call starts them."""
        key = json.dumps(clusters, sort_keys=True)
        if key not in self._parts:
            folder = self._folder / f"world-{len(self._parts)}"
            self._parts[key] = self.run(self._start(clusters, folder))
        return self._parts[key]

    def fresh(self, clusters: list[dict[str, Any]]) -> RealKubePart:
        """The same clusters, reset to what the world says."""
        part = self.part(clusters)
        for entry in clusters:
            self.run(part.reset(entry["name"]))
        return part

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the clusters' loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self, clusters: list[dict[str, Any]], folder: Path) -> RealKubePart:
        part = RealKubePart(
            {"kube": {"clusters": clusters}, "azure": worlds.load()["azure"]},
            programs=self._programs,
            authority=Authority(folder),
            folder=folder,
            clock=Clock(),
            speed=IMMEDIATE,
        )
        await part.start()
        return part
