"""When a cause that is seen ends a step: at once where it can't pass by itself, else only when it lasts."""

from dataclasses import replace
from datetime import timedelta

from services.model.azure import ConnectedRegistry, Extension, Token
from services.model.errors import DomainError, Failure
from services.model.kubernetes import Runtime
from services.operations.deploy.causes import Cause
from services.operations.deploy.diagnosis import at_site, diagnose
from services.operations.step import Scene
from services.policy.sites import RUNTIME_NAMESPACE

GRACE = timedelta(seconds=90)
"""A fresh password takes up to 60 s to be known everywhere (Learn: repository-scoped tokens); Pods settle."""
RECOVERY = timedelta(minutes=6)
"""The same for a retry: what was mended shows when the Pod starts again, and a crash loop pauses for five minutes."""
STAYS = frozenset(
    {
        Cause.ALREADY_ACTIVATED,
        Cause.BAD_CONNECTION_STRING,
        Cause.NO_AMD64_NODE,
        Cause.POD_SECURITY,
        Cause.TOKEN_DISABLED,
        Cause.CLUSTER_EXPIRED,
    }
)


_SLOW = frozenset({Cause.POD_NOT_STARTED, Cause.PULL_THROTTLED})
"""Passes by itself: when something else comes up, such as the cert-manager that fills a Secret, or with time."""
_ON_THE_WAY = frozenset({Cause.FIREWALL, Cause.PROXY, Cause.TLS_INSPECTED})
_RECORDED = frozenset({Cause.ALREADY_ACTIVATED, Cause.BAD_CONNECTION_STRING, Cause.POD_SECURITY})
"""Read from a log or an event, which may be older than what a retry has mended."""


async def runtime(scene: Scene) -> Runtime | None:
    """What the cluster says about it; a cluster that can't be asked must not end the wait for Azure's word."""
    try:
        return await (await scene.cluster()).runtime(RUNTIME_NAMESPACE)
    except DomainError:
        return None


async def raise_if_final(
    scene: Scene,
    *,
    extension: Extension | None = None,
    connected: ConnectedRegistry | None = None,
    final: bool = False,
) -> None:
    """Raises the cause of what Azure and the cluster show, when waiting longer would not help."""
    cluster_state = await runtime(scene)
    final = final or scene.last
    failure = diagnose(extension=extension, connected=connected, runtime=cluster_state, last=final)
    if failure is not None and failure.cause == Cause.BAD_PASSWORD:
        failure = diagnose(extension=extension, connected=connected, runtime=cluster_state, token=await _token(scene))
    is_slow = scene.operation.attempt > 1 or (failure is not None and failure.cause in _SLOW)
    grace = (RECOVERY if is_slow else GRACE) * scene.patience
    if failure is not None and (final or stays(failure, scene) or scene.waited >= grace):
        failure = at_site(failure, scene.site)
        raise await _with_hosts(failure, scene) if failure.cause in _ON_THE_WAY else failure


def stays(failure: Failure, scene: Scene) -> bool:
    """Whether waiting would not mend it."""
    is_old = scene.operation.attempt > 1 and failure.cause in _RECORDED
    return failure.cause in STAYS and not is_old


async def _with_hosts(failure: Failure, scene: Scene) -> Failure:
    """Which hosts the edge has to reach, as Azure names them: their suffix, and a label in them, differ by registry."""
    hosts: dict[str, None] = {}
    try:
        registry = await scene.azure.registries.get(scene.site.acr_ref)
        hosts |= dict.fromkeys((registry.login_server, *registry.data_endpoint_hosts))
        hosts[(await scene.azure.connected.get(scene.site.acr_ref, scene.name)).gateway_endpoint] = None
    except DomainError:
        pass  # the cause stands without them
    return replace(failure, facts={**failure.facts, "hosts": tuple(filter(None, hosts))})


async def _token(scene: Scene) -> Token | None:
    """The sync token: a disabled one is refused in the same words as a wrong password."""
    try:
        return await scene.azure.tokens.get(scene.site.acr_ref, scene.name)
    except DomainError:
        return None
