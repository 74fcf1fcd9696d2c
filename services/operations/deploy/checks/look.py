"""Look at the world around one deployment: every question at once, each with a deadline, none of them fatal."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from services.model.errors import Absent, DomainError, Unreachable
from services.model.kubernetes import Runtime
from services.operations.deploy.checks.declaration import NOT_WANTED
from services.operations.deploy.observation import Answer, Observation, Seen, Unasked
from services.policy.sites import PROVIDERS, RUNTIME_NAMESPACE, Site
from services.ports import Azure, Cluster, Kubernetes

T = TypeVar("T")
DEADLINE = 20.0

_log = structlog.get_logger()
_UNWANTED = Unasked(Unreachable("", "", NOT_WANTED))


async def observe(
    azure: Azure,
    kubernetes: Kubernetes,
    site: Site,
    name: str | None,
    *,
    deadline: float = DEADLINE,
    providers: bool = True,
    leased: frozenset[str] = frozenset(),
) -> Observation:
    """What is there, or why it could not be asked. `deadline` is of each question, in seconds.

    Seven ARM requests; six without `providers`, two less without a name. `leased` is passed through.
    """
    acr, arc, access = site.acr_ref, site.cluster_ref, site.cluster.kubernetes
    async with asyncio.TaskGroup() as group:
        arm = _Questions(group, "azure", deadline)
        states = arm.ask(site.subscription, lambda: azure.providers.states(site.subscription, PROVIDERS), providers)
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        scope_map = arm.find(acr.id, lambda: azure.scope_maps.get(acr, name or ""), bool(name))
        token = arm.find(acr.id, lambda: azure.tokens.get(acr, name or ""), bool(name))
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        kube = _Questions(group, "kubernetes", deadline)
        door = kube.ask(site.name, lambda: kubernetes.cluster(access.kubeconfig, access.context))
        version = kube.ask(site.name, lambda: _then(door, lambda inside: inside.version()))
        nodes = kube.ask(site.name, lambda: _then(door, lambda inside: inside.nodes()))
        classes = kube.ask(site.name, lambda: _then(door, lambda inside: inside.storage_classes()))
        phase = kube.ask(site.name, lambda: _then(door, lambda inside: inside.namespace_phase(RUNTIME_NAMESPACE)))
        cert_manager = kube.ask(site.name, lambda: _then(door, lambda inside: inside.has_cert_manager()))
        ranges = kube.ask(site.name, lambda: _then(door, lambda inside: inside.service_ranges(access.hold_namespace)))
        missing = kube.ask(site.name, lambda: _then(door, lambda inside: inside.missing_rights(access.hold_namespace)))
        runtime = kube.ask(site.name, lambda: _then(door, lambda inside: _runtime(inside, phase)))
    return Observation(
        providers=states.result(),
        registry=registry.result(),
        connected=connected.result(),
        scope_map=scope_map.result(),
        token=token.result(),
        cluster=cluster.result(),
        extensions=extensions.result(),
        kubernetes_version=version.result(),
        nodes=nodes.result(),
        storage_classes=classes.result(),
        namespace_phase=phase.result(),
        cert_manager=cert_manager.result(),
        ranges=ranges.result(),
        missing_rights=missing.result(),
        runtime=runtime.result(),
        leased=leased,
    )


Question = Callable[[], Awaitable[T]]


@dataclass(frozen=True)
class _Questions:
    """Puts questions to one outside system, in a group of tasks that waits for them all."""

    group: asyncio.TaskGroup
    service: str
    deadline: float

    def ask(self, target: str, question: Question[T], wanted: bool = True) -> asyncio.Task[Answer[T]]:
        """Any question."""
        return self.group.create_task(self._answer(target, question) if wanted else _unwanted())

    def find(self, target: str, question: Question[T], wanted: bool = True) -> asyncio.Task[Answer[T | None]]:
        """A question for one thing: None when there is none."""
        return self.ask(target, lambda: _or_none(question), wanted)

    def list(self, target: str, question: Question[tuple[T, ...]]) -> asyncio.Task[Answer[tuple[T, ...]]]:
        """A question for all children of something: none when that doesn't exist itself."""
        return self.ask(target, lambda: _or_nothing(question))

    async def _answer(self, target: str, question: Question[T]) -> Answer[T]:
        try:
            async with asyncio.timeout(self.deadline):
                return Seen(await question())
        except DomainError as error:
            return Unasked(error)
        except TimeoutError:
            return Unasked(Unreachable(self.service, target, "DeadlineExceeded", f"no answer in {self.deadline:g} s"))
        except Exception as error:  # noqa: BLE001 - a gateway's defect must not take the other answers along
            _log.exception("question_failed", service=self.service, target=target)
            return Unasked(Unreachable(self.service, target, type(error).__name__))


async def _unwanted() -> Unasked:
    return _UNWANTED


async def _or_none(question: Question[T]) -> T | None:
    try:
        return await question()
    except Absent:
        return None


async def _or_nothing(question: Question[tuple[T, ...]]) -> tuple[T, ...]:
    try:
        return await question()
    except Absent:
        return ()


async def _then(first: asyncio.Task[Answer[Cluster]], question: Callable[[Cluster], Awaitable[T]]) -> T:
    """A question to something that has to be reached first; it fails as the reaching did."""
    return await question(await _value(first))


async def _value(task: asyncio.Task[Answer[T]]) -> T:
    # Shielded: a deadline that runs out here must not cancel what others wait for too.
    answer = await asyncio.shield(task)
    if isinstance(answer, Unasked):
        raise answer.error
    return answer.value


async def _runtime(cluster: Cluster, phase: asyncio.Task[Answer[str]]) -> Runtime | None:
    """Only read where there is a namespace for it."""
    return await cluster.runtime(RUNTIME_NAMESPACE) if await _value(phase) else None
