"""Syncs and pulls, which go on at edges while operations change these, and are counted by the sandbox."""

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from typing import Any

from kubernetes.aio import client, config

from sandbox.azure.cloud import Registry
from sandbox.compose import Sandbox
from sandbox.edge import chart, connection

MINUTE = 60
LONGEST = 60.0
"""Seconds that a minute of the sandbox's clock lasts at most, on a busy machine."""
LOOK = 0.02
RUNTIME_NAMESPACE = "connected-registry"
REFUSED = re.compile("401 Unauthorized|insufficient_scope")


@dataclass(frozen=True)
class Edge:
    """A connected registry in a cluster, and the workloads that pull from it: namespaces and names.

    `cluster` is the cluster's name in Kubernetes; its administrator's context is called after it.
    """

    name: str
    cloud_registry: str
    cluster: str
    workloads: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Counts:
    """Of all edges together. A cycle is the sync of one edge in one minute; a missed one is called after the edge.

    Pulls that failed are by reason, in the words of containerd.
    """

    cycles: int
    missed: tuple[str, ...]
    pulls: int
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        """How many of the failed pulls were refused for their password; others came while no runtime served."""
        return sum(count for reason, count in self.failed.items() if REFUSED.search(reason))

    def since(self, before: "Counts") -> "Counts":
        """What has been added since then."""
        return Counts(
            self.cycles - before.cycles,
            self.missed[len(before.missed) :],
            self.pulls - before.pulls,
            self.failed - before.failed,
        )


@dataclass(frozen=True)
class ValidPassword:
    """A password of a token; `in_use` by a runtime or a workload."""

    token: str
    created: datetime
    in_use: bool


class Traffic:
    """Syncs and pulls at some edges of a sandbox, as `traffic` starts it."""

    def __init__(self, box: Sandbox, edges: Sequence[Edge], clusters: Mapping[str, Any]) -> None:
        self._box, self._edges, self._clusters = box, edges, clusters
        self._cycles, self._missed = 0, list[str]()

    @property
    def counts(self) -> Counts:
        """So far."""
        assert self._box.edge  # noqa: S101 - the sandbox has all its parts
        pulls = [self._box.edge.agent(edge.cluster).status()["pulls"] for edge in self._edges]
        failed = sum((Counter(count["failed"]) for count in pulls), Counter[str]())
        return Counts(self._cycles, tuple(self._missed), sum(count["done"] for count in pulls), failed)

    async def minutes(self, pause: float) -> None:
        """Turn the clock by a minute, for ever, with a pause before the next one.

        A minute ends when every edge has synced in it, or has had the time to.
        """
        while True:
            self._box.clock.turn(MINUTE)
            begin = self._box.clock.now()
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    while any(sync < begin for sync in self._syncs().values()):
                        await asyncio.sleep(LOOK)
            missed = [name for name, sync in self._syncs().items() if sync < begin]
            self._missed += missed
            self._cycles += len(self._edges) - len(missed)
            await asyncio.sleep(pause)

    async def pulls(self, pause: float) -> None:
        """Replace the Pods of another workload every `pause` seconds, for ever, so that nodes pull."""
        workloads = [(edge, *workload) for edge in self._edges for workload in edge.workloads]
        for edge, namespace, name in cycle(workloads):
            core: Any = client.CoreV1Api(self._clusters[edge.cluster])
            await core.delete_collection_namespaced_pod(namespace, label_selector=f"app.kubernetes.io/name={name}")
            await asyncio.sleep(pause)

    async def passwords(self) -> tuple[ValidPassword, ...]:
        """All of these edges' tokens; of a token by which nothing pulls any more there are none."""
        now, passwords = self._box.clock.now(), list[ValidPassword]()
        for edge in self._edges:
            for name, used in (await self._used(edge)).items():
                for password in self._cloud_registry(edge).tokens[name].passwords.values():
                    in_use = any(password.matches(value, now) for value in used)
                    passwords.append(ValidPassword(name, password.created, in_use))
        return tuple(passwords)

    async def _used(self, edge: Edge) -> dict[str, list[str]]:
        """By token the passwords that the runtime and the workloads of an edge have."""
        api = self._clusters[edge.cluster]
        core: Any = client.CoreV1Api(api)
        secret = await core.read_namespaced_secret(chart.CONNECTION_SECRET, RUNTIME_NAMESPACE)
        text = base64.b64decode(secret.data["ACR_REGISTRY_CONNECTION_STRING"]).decode()
        runtime = connection.parse(text)
        used = {runtime.token: [runtime.password]}
        for namespace, name in edge.workloads:
            apps: Any = client.AppsV1Api(api)
            deployment = await apps.read_namespaced_deployment(name, namespace)
            [reference] = deployment.spec.template.spec.image_pull_secrets
            secret = await core.read_namespaced_secret(reference.name, namespace)
            [login] = json.loads(base64.b64decode(secret.data[".dockerconfigjson"]))["auths"].values()
            used.setdefault(login["username"], []).append(login["password"])
        return used

    def _cloud_registry(self, edge: Edge) -> Registry:
        assert self._box.azure  # noqa: S101 - the sandbox has all its parts
        return self._box.azure.cloud.registries[edge.cloud_registry]

    def _syncs(self) -> dict[str, Any]:
        return {edge.name: self._cloud_registry(edge).connected[edge.name].last_sync for edge in self._edges}


@asynccontextmanager
async def traffic(box: Sandbox, edges: Sequence[Edge], *, minutes: float, pulls: float) -> AsyncIterator[Traffic]:
    """Minute follows minute and pull follows pull after so many seconds, until the block ends."""
    load: Any = config.new_client_from_config
    kubeconfig = box.environment()["KUBECONFIG"]
    async with AsyncExitStack() as stack:
        clusters = {
            name: await stack.enter_async_context(await load(kubeconfig, f"{name}-admin"))
            for name in {edge.cluster for edge in edges}
        }
        running = Traffic(box, edges, clusters)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(running.minutes(minutes)), group.create_task(running.pulls(pulls))]
            try:
                yield running
            finally:
                for task in tasks:
                    task.cancel()
