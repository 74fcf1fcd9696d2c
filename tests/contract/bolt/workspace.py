"""What people do in the sandbox's workspace, waiting each time until the bot has nothing more to do."""

from typing import Any, Self

import aiohttp

from bot.slack.app import SlackBot

Json = dict[str, Any]


class Workspace:
    """The control API of the sandbox's Slack."""

    def __init__(self, url: str, bot: SlackBot) -> None:
        self._url = f"{url}/sandbox/slack"
        self._bot = bot
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def do(self, what: str, **body: Any) -> Json:
        async with self._session.post(f"{self._url}/{what}", json=body) as answer:
            done: Json = await answer.json()
        await self._bot.idle()
        return done

    async def say(self, text: str, *, as_: str = "alice", channel: str = "edge-ops") -> Json:
        return await self.do("say", text=text, channel=channel, **{"as": as_})

    async def click(self, label: str, *, as_: str = "alice", channel: str = "edge-ops") -> Json:
        messages = await self.messages(as_=as_, channel=channel)
        return await self.do("click", text=label, ts=messages[-1]["ts"], channel=channel, confirm=True, **{"as": as_})

    async def fill(self, values: Json, *, as_: str = "alice") -> Json:
        return await self.do("fill", values=values, submit=True, **{"as": as_})

    async def options(self, action: str, block: str, typed: str, *, as_: str = "alice") -> list[str]:
        body = {"as": as_, "view": True, "action_id": action, "block_id": block, "value": typed}
        found = await self.do("options", **body)
        return [each["value"] for each in found["options"]]

    async def get(self, what: str, **query: str) -> Json:
        async with self._session.get(f"{self._url}/{what}", params=query) as answer:
            found: Json = await answer.json()
            return found

    async def view(self, *, as_: str = "alice") -> Json:
        return await self.get("view", **{"as": as_})

    async def messages(self, *, as_: str = "alice", channel: str = "edge-ops") -> list[Json]:
        found = await self.get("messages", channel=channel, **{"as": as_})
        return list(found["messages"])

    async def read(self, *, as_: str = "alice", channel: str = "edge-ops") -> str:
        found = await self.get("read", channel=channel, **{"as": as_})
        return "\n".join(found["lines"])

    async def calls(self, method: str) -> list[Json]:
        found = await self.get("calls", method=method)
        return list(found["calls"])
