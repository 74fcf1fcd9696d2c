"""Clients that disconnect before their answer is complete."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

from aiohttp import ClientConnectionResetError, web

Part = TypeVar("Part")
Handler = Callable[[Part, web.Request], Awaitable[web.StreamResponse]]


def hangups(handler: Handler[Part]) -> Handler[Part]:
    """Wrap a handler of streams so that it ends quietly when the client disconnects; aiohttp would log a server error.

    This is no middleware, because aiohttp caches middlewares, and with them whole parts that have been stopped.
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
