"""Clients that hang up while they are answered."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

from aiohttp import ClientConnectionResetError, web

Part = TypeVar("Part")
Handler = Callable[[Part, web.Request], Awaitable[web.StreamResponse]]


def hangups(handler: Handler[Part]) -> Handler[Part]:
    """A handler of streams that ends quietly when the client has gone; aiohttp would log an error of the server's.

    No middleware: aiohttp caches what it builds of them, and with it whole parts that have been stopped.
    """

    @wraps(handler)
    async def handled(part: Part, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(part, request)
        except ClientConnectionResetError:
            if request.transport is not None and not request.transport.is_closing():
                raise
            return web.Response(status=499)

    return handled
