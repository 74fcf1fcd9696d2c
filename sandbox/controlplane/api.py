"""Requests to one API server as its administrator. Objects are plain dicts."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

Json = dict[str, Any]
DEADLINE = aiohttp.ClientTimeout(total=30)
CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS = 409, 404, 429
TRIES, PAUSE = 50, 0.1
AT_ONCE = 16
"""Connections to one API server."""


@dataclass(eq=False)
class RefusedError(Exception):
    """An answer of 400 and above."""

    status: int
    message: str

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class Api:
    """A session with one API server; close it in the end."""

    def __init__(self, url: str, token: str, trust: ssl.SSLContext) -> None:
        self.url = url
        connector = aiohttp.TCPConnector(ssl=trust, limit=AT_ONCE)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, timeout=DEADLINE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def is_ready(self) -> bool:
        """Whether the API server reports that it is ready."""
        try:
            async with self._session.get(f"{self.url}/readyz") as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def get(self, path: str, **query: str) -> Json:
        """Read an object or a list."""
        return await self._ask("GET", path, query)

    async def find(self, path: str) -> Json | None:
        """The same; None if it doesn't exist."""
        try:
            return await self.get(path)
        except RefusedError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def create(self, path: str, body: Json) -> Json | None:
        """Create an object in a collection; None if one of that name exists."""
        try:
            return await self._ask("POST", path, {}, body)
        except RefusedError as error:
            if error.status == CONFLICT:
                return None
            raise

    async def replace(self, path: str, body: Json) -> Json:
        """Replace an object."""
        return await self._ask("PUT", path, {}, body)

    async def merge(self, path: str, body: Json) -> Json | None:
        """Merge into an object; None if it doesn't exist."""
        return await self._unless_gone("PATCH", path, {}, body, "application/merge-patch+json")

    async def delete(self, path: str, **query: str) -> None:
        """Delete an object or a collection at once; no error if it doesn't exist."""
        await self._unless_gone("DELETE", path, {"gracePeriodSeconds": "0", "propagationPolicy": "Background"} | query)

    async def _unless_gone(
        self, method: str, path: str, query: dict[str, str], body: Json | None = None, kind: str = "application/json"
    ) -> Json | None:
        try:
            return await self._ask(method, path, query, body, kind)
        except RefusedError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def _ask(
        self, method: str, path: str, query: dict[str, str], body: Json | None = None, kind: str = "application/json"
    ) -> Json:
        """Send a request; repeat it while the API server prepares the storage of a kind that has just been defined."""
        for _ in range(TRIES):
            try:
                return await self._ask_once(method, path, query, body, kind)
            except RefusedError as error:
                if error.status != TOO_MANY_REQUESTS:
                    raise
                await asyncio.sleep(PAUSE)
        return await self._ask_once(method, path, query, body, kind)

    async def _ask_once(self, method: str, path: str, query: dict[str, str], body: Json | None, kind: str) -> Json:
        async with self._session.request(
            method, self.url + path, params=query, json=body, headers={"Content-Type": kind}
        ) as answer:
            try:
                document: Json = await answer.json(content_type=None)
            except ValueError:
                document = {}
            if not answer.ok:
                raise RefusedError(answer.status, str(document.get("message") or answer.reason))
            return document
