"""Socket Mode: envelopes to one of the app's open WebSockets, and their acknowledgements."""

import asyncio
import json
import secrets
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.hangups import hangups
from sandbox.slack.undelivered import Retry, Undelivered
from sandbox.slack.values import Json
from sandbox.slack.workspace import Workspace

MOST_CONNECTIONS = 10
ANSWERED = ("view_submission", "block_suggestion")
"""Interactions whose acknowledgement may have content; commands' may too, those of clicks and events may not."""
DEBUG_CONNECTION = 360.0
HEARTBEAT = 10.0
"""Seconds between the server's pings. Clients in Go and JavaScript reconnect after half a minute without one."""
REMEMBERED = 10_000
"""The number of acknowledgements whose times are kept."""


@dataclass(eq=False)
class _Socket:
    """One open connection."""

    ws: web.WebSocketResponse
    request: web.Request
    closing: bool = False
    silent: bool = False
    """Whether it takes what comes and never answers."""
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)


@dataclass
class _Sent:
    """An envelope that waits for its acknowledgement."""

    socket: _Socket
    kind: str
    answer: "asyncio.Future[Any]"
    at: float = field(default_factory=time.perf_counter)


class Sockets:
    """All connections of the app."""

    def __init__(self, slack: Workspace) -> None:
        self._slack = slack
        self._open: list[_Socket] = []
        self._sent: dict[str, _Sent] = {}
        self.acknowledged: deque[Json] = deque(maxlen=REMEMBERED)
        """What was acknowledged, and after how many seconds."""
        self.host = f"applink-{secrets.token_hex(4)}"

    def routes(self) -> list[web.RouteDef]:
        """The address that apps.connections.open returns."""
        return [web.get("/link/", self._serve), web.get("/link", self._serve)]

    def __len__(self) -> int:
        return len(self._open)

    async def send(self, kind: str, payload: Json, retry: Retry | None = None) -> Any:
        """Send an envelope to one socket and return its acknowledgement; raises Undelivered."""
        envelope: Json = {"envelope_id": str(uuid.uuid4()), "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind == "slash_commands" or payload["type"] in ANSWERED
        if kind == "events_api":
            envelope |= {"retry_attempt": retry.attempt if retry else 0, "retry_reason": retry.reason if retry else ""}
        try:
            async with asyncio.timeout(self._slack.timing.ack):
                return await self._exchange(envelope)
        except TimeoutError:
            raise Undelivered("operation_timeout", "timeout") from None
        finally:
            self._sent.pop(envelope["envelope_id"], None)

    async def _exchange(self, envelope: Json) -> Any:
        while candidates := [socket for socket in self._open if not socket.closing]:
            socket = secrets.choice(candidates)
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._sent[envelope["envelope_id"]] = _Sent(socket, envelope["type"], answer)
            try:
                if not socket.silent:
                    await socket.ws.send_str(json.dumps(envelope))
            except ConnectionError:
                socket.closing = True
                continue
            return await answer
        raise Undelivered("dispatch_failed", "connection_failed")

    async def refresh(self) -> None:
        """Have every open connection renewed: a warning, then the end after ten seconds."""
        for socket in list(self._open):
            self._start(socket, self._retire(socket))

    async def disable(self) -> None:
        """Close every connection with the notice that Socket Mode was switched off."""
        for socket in list(self._open):
            await self._end(socket, "link_disabled")

    def silence(self) -> None:
        """Keep every connection open without a word from now on: no envelope, no ping, and no answer to one."""
        for socket in self._open:
            socket.silent = True

    def cut(self) -> None:
        """Break every connection without a notice."""
        for socket in list(self._open):
            socket.closing = True
            if socket.request.transport is not None:
                socket.request.transport.abort()

    async def close(self) -> None:
        """Close every connection, as at the end of the sandbox."""
        for socket in list(self._open):
            socket.closing = True
            await socket.ws.close(code=1001)

    @hangups
    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._slack.tickets:
            return web.Response(status=403, text="The ticket is unknown or was used.")
        self._slack.tickets.remove(ticket)
        # Pings are sent and answered here, so that a connection can fall silent.
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        socket = _Socket(ws, request)
        if len(self._open) >= MOST_CONNECTIONS:
            await self._end(socket, "too_many_websockets")
            return ws
        await self._live(socket, debug=request.query.get("debug_reconnects") == "true")
        return ws

    async def _live(self, socket: _Socket, *, debug: bool) -> None:
        life = DEBUG_CONNECTION if debug else self._slack.timing.connection
        self._open.append(socket)
        self._slack.feed.publish({"type": "state"})
        try:
            await socket.ws.send_str(json.dumps(self._hello(life)))
            self._start(socket, self._grow_old(socket, life))
            self._start(socket, self._beat(socket))
            await self._read(socket)
        except ConnectionError:
            return
        finally:
            self._open.remove(socket)
            for task in socket.tasks:
                task.cancel()
            # Commands and clicks keep waiting: the next connection may acknowledge them. Events are sent again.
            for sent in self._sent.values():
                if sent.socket is socket and sent.kind == "events_api" and not sent.answer.done():
                    sent.answer.set_exception(Undelivered("dispatch_failed", "connection_failed"))
            self._slack.feed.publish({"type": "state"})

    async def _beat(self, socket: _Socket) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            if not socket.silent:
                try:
                    await socket.ws.ping()
                except ConnectionError:  # the app has died; whoever reads from it ends this too
                    return

    async def _read(self, socket: _Socket) -> None:
        async for frame in socket.ws:
            if socket.silent:
                continue
            if frame.type is WSMsgType.TEXT:
                self._acknowledge(frame.data)
            elif frame.type is WSMsgType.PING:
                await socket.ws.pong(frame.data)

    def _acknowledge(self, text: str) -> None:
        """Accept an acknowledgement on any socket; other messages are ignored."""
        try:
            ack = json.loads(text)
        except ValueError:
            return
        sent = self._sent.get(str(ack.get("envelope_id"))) if isinstance(ack, dict) else None
        if sent is not None and not sent.answer.done():
            self.acknowledged.append({"type": sent.kind, "seconds": time.perf_counter() - sent.at})
            sent.answer.set_result(ack.get("payload") or None)

    def _hello(self, life: float) -> Json:
        debug: Json = {"host": self.host, "build_number": 1, "approximate_connection_time": int(life)}
        debug["started"] = self._slack.clock.now().isoformat()
        info = {"app_id": self._slack.app.id}
        return {"type": "hello", "num_connections": len(self._open), "debug_info": debug, "connection_info": info}

    async def _grow_old(self, socket: _Socket, life: float) -> None:
        # A connection ages in real time, so that turning the sandbox's clock does not end it.
        await asyncio.sleep(max(0.0, life - self._slack.timing.refresh_warning))
        await self._retire(socket)

    async def _retire(self, socket: _Socket) -> None:
        await self._disconnect(socket, "warning")
        await asyncio.sleep(self._slack.timing.refresh_warning)
        await self._end(socket, "refresh_requested")

    async def _end(self, socket: _Socket, reason: str) -> None:
        socket.closing = True
        await self._disconnect(socket, reason)
        await socket.ws.close()

    async def _disconnect(self, socket: _Socket, reason: str) -> None:
        frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": self.host}}
        try:
            await socket.ws.send_str(json.dumps(frame))
        except ConnectionError:
            socket.closing = True

    @staticmethod
    def _start(socket: _Socket, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        socket.tasks.add(task)
        task.add_done_callback(socket.tasks.discard)
