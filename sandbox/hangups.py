"""Clients that hang up while they are answered."""

from collections.abc import Awaitable, Callable

from aiohttp import ClientConnectionResetError, web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def hangups(request: web.Request, handler: Handler) -> web.StreamResponse:
    """End quietly when the client has gone, as a server does: aiohttp logs it as an error where a stream begins."""
    try:
        return await handler(request)
    except ClientConnectionResetError:
        if request.transport is not None and not request.transport.is_closing():
            raise
        return web.Response(status=499)
