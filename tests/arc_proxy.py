"""An Arc proxy beside the bot, as far as clients of one can see it.

`az connectedk8s proxy` starts a closed program that listens at https://127.0.0.1:PORT/proxies/HASH, writes a kubeconfig
with that address and the token that it was given, and passes requests on to the cluster's API server by Azure Relay.
What it answers while nobody listens at the relay is not published; this one says 502.
"""

import base64
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from sandbox.tls import Authority

PATH = "/proxies/b7aaf9dd06bfe352324393a15dd45da70bc8277cda39814daa7911a56a65b481"
_FORWARDED = ("Authorization", "Content-Type", "Accept")


class ArcProxy:
    """Leads to the cluster of a context in another kubeconfig."""

    def __init__(self, kubeconfig: Path, context: str, folder: Path) -> None:
        self.kubeconfig = folder / "arc.kubeconfig"
        self.requests: list[str] = []
        """Methods and paths that were passed on."""
        self.has_relay = True
        self._upstream, self._context = kubeconfig, context
        self._authority = Authority(folder)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._server = ""

    async def start(self) -> None:
        """Listen at any free port, and write the kubeconfig with the token of that moment."""
        content: dict[str, Any] = yaml.safe_load(self._upstream.read_text())
        context = next(one["context"] for one in content["contexts"] if one["name"] == self._context)
        cluster = next(one["cluster"] for one in content["clusters"] if one["name"] == context["cluster"])
        user = next(one for one in content["users"] if one["name"] == context["user"])
        self._server = cluster["server"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust))
        app = web.Application()
        app.router.add_route("*", PATH + "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._authority.server_context()).start()
        own = {
            "server": f"https://127.0.0.1:{self._runner.addresses[0][1]}{PATH}",
            "certificate-authority-data": base64.b64encode(self._authority.ca_file.read_bytes()).decode(),
        }
        clusters, contexts = (
            [{"name": "arc", "cluster": own}],
            [{"name": "arc", "context": context | {"cluster": "arc"}}],
        )
        self.kubeconfig.write_text(yaml.safe_dump({"clusters": clusters, "contexts": contexts, "users": [user]}))

    async def stop(self) -> None:
        """Listen no more; the kubeconfig stays."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        if not self.has_relay or self._session is None:
            return web.Response(status=HTTPStatus.BAD_GATEWAY, text="no listener")
        path = request.raw_path.removeprefix(PATH)
        self.requests.append(f"{request.method} {path}")
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        url = f"{self._server}{path}"
        async with self._session.request(request.method, url, headers=headers, data=await request.read()) as answer:
            kind = answer.headers.get("Content-Type", "application/json")
            return web.Response(status=answer.status, body=await answer.read(), headers={"Content-Type": kind})
