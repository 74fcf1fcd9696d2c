"""Access to all clusters: one client for each kubeconfig and context, for as long as it is used."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio.client import ApiClient

from services.gateways.kubernetes import access
from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.gateways.kubernetes.translation import SERVICE, arc_reason, connecting
from services.model.azure import ClusterRef
from services.model.errors import Unreachable, WrongCluster
from services.model.fence import UNFENCED, Fence
from services.ports import Route
from services.tally import Tally
from services.traces import OFF, Traces

DEADLINE = 15.0
REQUESTS_AT_ONCE = 8
PAGE = 500
IDLE = 300.0
"""Seconds after which the connections to a cluster that nobody asks are closed."""
PROVEN = 60.0
"""Seconds for which a cluster's word about itself counts: a kubeconfig or an address may come to mean another one."""

_Key = tuple[str, str, Route]
"""Kubeconfig, context, route."""


@dataclass
class _Session:
    """One client, with what is known of the cluster behind it."""

    client: ApiClient
    api: Api
    version: tuple[int, ...]
    """Of the kubeconfig and the files that it names."""
    used: float
    proven: KubernetesCluster
    unproven: KubernetesCluster
    resource: ClusterRef | None = None
    resource_read_at: float | None = None
    """When the cluster was asked for its Arc resource."""


class KubernetesGateway:
    """Implements `services.ports.Kubernetes`; close it in the end.

    `deadline` is of one request, in seconds; `at_once` limits a cluster's requests and connections at a time, `page`
    the objects in one answer. `environment` is where `KUBECONFIG`, `HOME` and the variables of a Pod are looked up,
    `account` the folder of its service account. `fence` is checked before every request that may write.
    """

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        at_once: int = REQUESTS_AT_ONCE,
        page: int = PAGE,
        environment: Mapping[str, str] = os.environ,
        account: Path = access.SERVICE_ACCOUNT,
        fence: Fence = UNFENCED,
        traces: Traces = OFF,
    ) -> None:
        self._deadline, self._at_once, self._page = deadline, at_once, page
        self._pod = access.Pod(environment, account)
        self._fence = fence
        self._traces = traces
        self._sessions: dict[_Key, _Session] = {}
        self._retired: list[_Session] = []
        self.requests = Tally()
        """To the clusters' API servers, by cluster and status."""
        self._loading: defaultdict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def cluster(
        self, kubeconfig: str, context: str, expected: ClusterRef | None = None, *, route: Route = "direct"
    ) -> KubernetesCluster:
        """The cluster behind a context, compared with `expected`.

        Credentials are read again when a file of theirs has changed, and after the API server has refused them.

        Raises:
            Unreachable: the kubeconfig can't be used, or the cluster can't be asked which one it is.
            WrongCluster: it is another one; or the bot's own, by default, without a proof that it is the right one.
        """
        location = access.place(kubeconfig, self._pod.environment)
        key: _Key = location, context, route
        async with self._loading[key]:
            session = await self._session(key)
            if expected is None:
                return session.proven
            return await self._compared(session, expected, route, own=location == access.IN_CLUSTER)

    async def close(self) -> None:
        """Close all connections."""
        self._retired += self._sessions.values()
        self._sessions.clear()
        while self._retired:
            await _release(self._retired.pop())

    async def _session(self, key: _Key) -> _Session:
        await self._release_unused(but=key)
        session, version = self._sessions.get(key), access.version(key[0])
        if session is None or session.version != version or not session.api.accepted:
            opened = await self._open(*key, version)
            if session is not None:
                self._retired.append(session)
            session = self._sessions[key] = opened
        session.used = _now()
        return session

    async def _compared(self, session: _Session, expected: ClusterRef, route: Route, *, own: bool) -> KubernetesCluster:
        """Nothing is believed of a cluster, and nothing written into it, before it has said which one it is."""
        # What was away may come back as another cluster: the proof is asked for again after a request without answer.
        is_fresh = session.resource_read_at is not None and _now() - session.resource_read_at < PROVEN
        # Behind an Arc proxy it is always asked for: Azure knows why that way is broken, and callers ask it when the
        # cluster can't be reached, not when a later question fails.
        if not is_fresh or not session.api.reached or route == "arc":
            session.resource = await session.unproven.arc_resource()
            session.resource_read_at = _now()
        actual = session.resource
        if actual is not None and actual.id.lower() != expected.id.lower():
            raise WrongCluster(SERVICE, session.api.name, "WrongCluster", expected=expected.id, actual=actual.id)
        if actual is None and own:
            # No kubeconfig names a cluster, so this is merely where the bot itself runs.
            raise WrongCluster(SERVICE, session.api.name, "OwnCluster", reason="own", expected=expected.id)
        return session.unproven if actual is None else session.proven

    async def _release_unused(self, *, but: _Key) -> None:
        """Close the connections that nobody has used for a while, and those that have been replaced."""
        idle = [key for key, session in self._sessions.items() if key != but and _now() - session.used >= IDLE]
        self._retired += [self._sessions.pop(key) for key in idle]
        for session in [session for session in self._retired if not session.api.busy]:
            self._retired.remove(session)
            await _release(session)

    async def _open(self, location: str, context: str, route: Route, version: tuple[int, ...]) -> _Session:
        try:
            with connecting(f"{location} {context}".strip()):
                async with asyncio.timeout(self._deadline):
                    client = await access.client(
                        location, context, self._pod, connections=self._at_once, deadline=self._deadline
                    )
        except Unreachable as error:
            if route == "arc":
                error.reason = error.reason or arc_reason(error)
            raise
        name = context or client.configuration.host
        api = Api(
            client,
            name,
            deadline=self._deadline,
            at_once=self._at_once,
            page=self._page,
            fence=self._fence,
            route=route,
            requests=self.requests,
            traces=self._traces,
        )
        return _Session(client, api, version, _now(), KubernetesCluster(api), KubernetesCluster(api, "unproven"))


async def _release(session: _Session) -> None:
    """Close a client's connections. Whoever still holds the cluster opens new ones by asking."""
    await session.client.close()  # type: ignore[no-untyped-call]  # the library has no types here
    session.client.rest_client.pool_manager = None


def _now() -> float:
    return asyncio.get_running_loop().time()
