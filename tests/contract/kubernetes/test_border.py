"""Answers that are no API server's: login pages, redirects, lists without an end. Each is one error."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from services.gateways.answers import USUAL
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.errors import Unreadable

TOKEN = "the-bots-token"
QUESTIONS: dict[str, Callable[[KubernetesCluster], Awaitable[object]]] = {
    "version": lambda cluster: cluster.version(),
    "nodes": lambda cluster: cluster.nodes(),
    "cert-manager": lambda cluster: cluster.has_cert_manager(),
    "ranges": lambda cluster: cluster.service_ranges(),
    "rights": lambda cluster: cluster.missing_rights(),
    "runtime": lambda cluster: cluster.runtime("connected-registry"),
}
PAGE = "<html>Sign in</html>"
SHAPES = {
    "a login page": PAGE,
    "null": "null",
    "a list": "[]",
    "another object": '{"name": "x"}',
    "wrong parts": '{"kind": "List", "metadata": 7, "items": "x", "status": []}',
    "wrong items": '{"kind": "List", "items": [null, 7], "spec": "x"}',
    "too deep": "[" * 100_000,
}


class Server:
    """Says the same to every request, and keeps what it was sent."""

    def __init__(self) -> None:
        self.body, self.status, self.headers = "", 200, dict[str, str]()
        self.seen: list[str] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization", ""))
        return web.Response(text=self.body, status=self.status, headers=self.headers)


async def served() -> tuple[Server, web.AppRunner]:
    server, application = Server(), web.Application()
    application.router.add_route("*", "/{path:.*}", server.serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return server, runner


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server, runner = await served()
    yield server
    await runner.cleanup()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Server]:
    """Another host."""
    server, runner = await served()
    yield server
    await runner.cleanup()


@pytest.fixture
async def cluster(server: Server, gateway: KubernetesGateway, tmp_path: Path) -> KubernetesCluster:
    kubeconfig: dict[str, Any] = {
        "clusters": [{"name": "odd", "cluster": {"server": server.url}}],
        "users": [{"name": "bot", "user": {"token": TOKEN}}],
        "contexts": [{"name": "odd", "context": {"cluster": "odd", "user": "bot"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))
    return await gateway.cluster(str(file), "odd")


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_what_is_no_kubernetes_answer_is_no_answer(
    server: Server, cluster: KubernetesCluster, question: str, shape: str
) -> None:
    server.body = SHAPES[shape]
    with pytest.raises(Unreadable):
        await QUESTIONS[question](cluster)


@pytest.mark.parametrize("status", [403, 404, 409])
async def test_a_refusal_of_something_on_the_way_is_no_answer(
    server: Server, cluster: KubernetesCluster, status: int
) -> None:
    server.body, server.status = PAGE, status
    with pytest.raises(Unreadable):
        await cluster.has_cert_manager()


async def test_a_resource_that_an_older_api_server_does_not_know_is_absent(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.body, server.status = "404 page not found\n", 404
    assert not await cluster.has_cert_manager()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_and_no_credential_leaves(
    server: Server, elsewhere: Server, cluster: KubernetesCluster, status: int
) -> None:
    server.status, server.headers = status, {"Location": f"{elsewhere.url}/api/v1/nodes"}
    elsewhere.body = '{"kind": "NodeList", "items": []}'
    with pytest.raises(Unreadable):
        await cluster.nodes()
    assert (len(server.seen), elsewhere.seen) == (1, [])


async def test_a_list_that_never_ends_is_ended(server: Server, cluster: KubernetesCluster) -> None:
    server.body = '{"kind": "NodeList", "metadata": {"continue": "again"}, "items": []}'
    with pytest.raises(Unreadable):
        await cluster.nodes()
    assert len(server.seen) <= 3


async def test_an_answer_that_is_too_large_is_not_read(server: Server, cluster: KubernetesCluster) -> None:
    server.body = " " * (USUAL + 1)
    with pytest.raises(Unreadable) as caught:
        await cluster.nodes()
    assert caught.value.code == "AnswerTooLarge"
