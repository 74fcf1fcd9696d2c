"""People who use the workspace through its control API."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from sandbox.slack import SlackPart

Json = dict[str, Any]
MakePart = Callable[..., Awaitable[SlackPart]]


class People:
    """The control API, as a person at the page uses it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = f"{url}/sandbox/slack", session

    async def get(self, name: str, **query: str) -> Json:
        async with self.session.get(f"{self.url}/{name}", params=query) as answer:
            body: Json = await answer.json()
            return body

    async def post(self, name: str, /, **body: Any) -> Json:
        async with self.session.post(f"{self.url}/{name}", json=body) as answer:
            received: Json = await answer.json()
            return received

    async def say(self, text: str, as_: str = "alice", channel: str = "edge-ops", **more: Any) -> Json:
        return await self.post("say", **{"as": as_, "channel": channel, "text": text, **more})

    async def click(self, as_: str = "alice", **body: Any) -> Json:
        return await self.post("click", **{"as": as_, **body})

    async def read(self, as_: str = "alice", channel: str = "edge-ops") -> list[str]:
        lines: list[str] = (await self.get("read", **{"as": as_, "channel": channel}))["lines"]
        return lines

    async def messages(self, as_: str = "alice", channel: str = "edge-ops", **more: str) -> list[Json]:
        body: list[Json] = (await self.get("messages", **{"as": as_, "channel": channel, **more}))["messages"]
        return body
