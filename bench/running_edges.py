"""Many edges at which a connected registry and a workload run already, over the subscriptions that a fleet has."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bench import edges
from bench.edges import PER_CLOUD_REGISTRY, cloud_registry, edge
from sandbox.azure.cloud import Cloud, ConnectedRegistry, Extension, Origin, Password, Registry, ScopeMap, Token
from sandbox.compose import Sandbox
from sandbox.edge.agent import TYPE, Agent
from sandbox.edge.runtime import Runtime
from sandbox.kube import KubePart
from sandbox.kube.resources import DEPLOYMENTS, PODS, SECRETS
from services.gateways.kubernetes.deployments import deployment_manifest, secret_manifest
from services.model.kubernetes import PullSecret, WorkloadSpec
from services.model.secret import Secret
from services.operations.connection_string import connection_string

PER_SUBSCRIPTION = 200
"""So that one question to all of its clusters fits into ARM's documented bucket of 250 reads."""
REPOSITORY = "hello-world"
SCHEDULE = "0 * * * *"
"""Of each connected registry: with syncs each minute a thousand simulated edges would keep this machine busy."""
ADDRESS = "10.96.0.50"
"""Of each connected registry: clusters often have the same range of Services."""
GROUP = "edge-rg"
LOOK = 1.0


def subscription(number: int) -> str:
    """The subscription of an edge and of its cloud registry."""
    return f"22222222-2222-4222-8222-{number // PER_SUBSCRIPTION:012}"


def world(count: int, channels: int) -> dict[str, Any]:
    """That of `bench.edges`, with data endpoints, an image, and the edges spread over subscriptions."""
    made = edges.world(count, channels)
    azure = made["azure"]
    sections = []
    for first in range(0, count, PER_SUBSCRIPTION):
        numbers = slice(first, first + PER_SUBSCRIPTION)
        acrs = slice(first // PER_CLOUD_REGISTRY, (first + PER_SUBSCRIPTION) // PER_CLOUD_REGISTRY)
        stocked = {"data_endpoint": True, "images": [f"{REPOSITORY}:latest"]}
        sections.append(
            {
                **azure,
                "subscription": {"id": subscription(first), "name": f"Edges from {first}"},
                "registries": [registry | stocked for registry in azure["registries"][acrs]],
                "connected_clusters": [
                    cluster | {"agent_key": f"agents-{first}"} for cluster in azure["connected_clusters"][numbers]
                ],
            }
        )
    return made | {"azure": {**sections[0], "neighbours": sections[1:]}}


def files(folder: Path, made: Mapping[str, Any]) -> dict[str, str]:
    """Settings as those of `bench.edges`, with the subscription of each site."""
    settings = edges.files(folder, made)
    file = Path(settings["REGISTRY_BOT_SITES"])
    sites = yaml.safe_load(file.read_text(encoding="utf-8"))["sites"]
    for number, site in enumerate(sites.values()):
        site["subscription"] = subscription(number)
    file.write_text(yaml.safe_dump({"sites": sites}), encoding="utf-8")
    return settings


async def populate(sandbox: Sandbox, count: int, patience: float) -> None:
    """What a deployment and a workload of the bot leave at each edge, without the hour that a thousand of both take.

    Azure's part is put there directly. The edges install, activate, sync and pull by themselves.
    """
    kube = sandbox.kube
    assert isinstance(kube, KubePart)  # noqa: S101 - the clusters are simulated
    origin = Origin.now("bench", sandbox.clock.now())
    passwords = [_put_registry(cloud(sandbox, number), number, origin) for number in range(count)]
    await _reached(sandbox, "edges have synced", lambda agent: _has(agent, digest_in_the_cloud(sandbox)), patience)
    for number, cluster in enumerate(kube.clusters.values()):
        name, secret = edge(number), f"regcred-{REPOSITORY}"
        workload = WorkloadSpec("default", REPOSITORY, name, f"{ADDRESS}/{REPOSITORY}:latest", 1, None, secret)
        pull = PullSecret("default", secret, REPOSITORY, name, ADDRESS, f"{name}-pull", passwords[number])
        cluster.create(SECRETS, "default", secret_manifest(pull))
        cluster.create(DEPLOYMENTS, "default", deployment_manifest(workload))
        await asyncio.sleep(0)
    names = {f"{edge(number)}-arc": cluster for number, cluster in enumerate(kube.clusters.values())}

    def pulled(agent: Agent) -> bool:
        pods = names[agent.name].store.items(PODS.key, "default")
        return any(status.get("imageID") for pod in pods for status in pod["status"].get("containerStatuses") or ())

    await _reached(sandbox, "workloads have pulled", pulled, patience)


def cloud(sandbox: Sandbox, number: int) -> Cloud:
    """The subscription of an edge, from within."""
    assert sandbox.azure  # noqa: S101 - the sandbox has all its parts
    return (sandbox.azure, *sandbox.azure.neighbours)[number // PER_SUBSCRIPTION].cloud


def registries(sandbox: Sandbox) -> Iterator[Registry]:
    """The cloud registries of all subscriptions."""
    assert sandbox.azure  # noqa: S101 - the sandbox has all its parts
    for part in (sandbox.azure, *sandbox.azure.neighbours):
        yield from part.cloud.registries.values()


def agent_of(sandbox: Sandbox, number: int) -> Agent:
    """The edge itself."""
    assert sandbox.edge  # noqa: S101 - the sandbox has all its parts
    return sandbox.edge.agent(edge(number))


def runtime_of(agent: Agent) -> Runtime:
    """The one connected registry that runs there."""
    [runtime] = agent._runtimes.values()  # noqa: SLF001 - the control API does not set an edge's content
    return runtime


def digest_in_the_cloud(sandbox: Sandbox) -> str:
    """What the tag `latest` is in the first of the cloud registries; they are the same."""
    return next(registries(sandbox)).images.repositories[REPOSITORY].tags["latest"]


async def settled(sandbox: Sandbox, numbers: set[int], digest: str, patience: float) -> None:
    """Return when these edges have this digest under the tag."""
    agents = {agent_of(sandbox, number) for number in numbers}
    await _reached(sandbox, "edges have the push", lambda agent: agent not in agents or _has(agent, digest), patience)


def _has(agent: Agent, digest: str) -> bool:
    runtimes = agent._runtimes.values()  # noqa: SLF001 - there may be none yet
    return any(
        runtime.health == "ready" and runtime.content.get(REPOSITORY, {}).get("latest") == digest
        for runtime in runtimes
    )


async def _reached(sandbox: Sandbox, what: str, test: Any, patience: float) -> None:
    assert sandbox.edge  # noqa: S101 - the sandbox has all its parts
    async with asyncio.timeout(patience):
        while missing := sum(not test(agent) for agent in sandbox.edge.agents.values()):
            sys.stderr.write(f"\r{what}: all but {missing}    ")
            await asyncio.sleep(LOOK)
    sys.stderr.write("\n")


def _put_registry(cloud: Cloud, number: int, origin: Origin) -> Secret:
    """Connected registry, tokens, scope maps and extension; the password of the client token."""
    name, acr = edge(number), cloud.registries[cloud_registry(number)]
    reads = [f"repositories/{REPOSITORY}/{verb}/read" for verb in ("content", "metadata")]
    gateway = [f"gateway/{name}/{verb}" for verb in ("config/read", "config/write", "message/read", "message/write")]
    passwords = []
    for token, actions in ((name, [*gateway, *reads]), (f"{name}-pull", reads)):
        password, value = Password.mint("password1", origin.created_at, None)
        acr.scope_maps[token] = ScopeMap(token, actions, origin.created_at, origin)
        acr.tokens[token] = Token(token, token, origin.created_at, origin, passwords={"password1": password})
        passwords.append(Secret(value))
    acr.connected[name] = ConnectedRegistry(
        name,
        "ReadOnly",
        name,
        origin,
        schedule=SCHEDULE,
        client_tokens=[f"{cloud.registry_id(acr)}/tokens/{name}-pull"],
    )
    string = connection_string(name=name, token=name, password=passwords[0], gateway_endpoint=acr.gateway)
    cluster = cloud.clusters[GROUP, f"{name}-arc"]
    cluster.extensions[name] = Extension(
        name,
        TYPE,
        origin,
        cluster.next_generation(),
        release_namespace="connected-registry",
        settings={"service.clusterIP": ADDRESS, "pvc.storageRequest": "250Gi", "cert-manager.enabled": "false"},
        protected={"connectionString": string.reveal()},
    )
    return passwords[1]
