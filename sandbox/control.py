"""The control API that all parts share: faults, the clock, and an overview of the world."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.faults import Fault, Faults

Json = dict[str, Any]


class Control:
    """Routes under /sandbox for the clock, the faults and the world; `glance` gives what /sandbox/world answers."""

    def __init__(self, clock: Clock, faults: Faults, glance: Callable[[], Json]) -> None:
        self._clock, self._faults, self._glance = clock, faults, glance

    def routes(self) -> list[web.RouteDef]:
        """The shared routes, for any part's application."""
        return [
            web.get("/sandbox/world", self._world),
            web.get("/sandbox/clock", self._show_clock),
            web.post("/sandbox/clock", self._set_clock),
            web.get("/sandbox/faults", self._show_faults),
            web.post("/sandbox/faults", self._add_fault),
            web.delete("/sandbox/faults", self._clear_faults),
            web.delete("/sandbox/faults/{id}", self._remove_fault),
        ]

    async def _world(self, _request: web.Request) -> web.Response:
        return web.json_response({**self._glance(), "clock": self._time(), "faults": self._list()})

    async def _show_clock(self, _request: web.Request) -> web.Response:
        return web.json_response(self._time())

    async def _set_clock(self, request: web.Request) -> web.Response:
        try:
            turn_clock(self._clock, await body_of(request))
        except ValueError as error:
            return refusal(400, str(error))
        return web.json_response(self._time())

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._list()})

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            added = self._faults.add(fault_of(await body_of(request)))
        except ValueError as error:
            return refusal(400, str(error))
        return web.json_response(asdict(added))

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"faults": []})

    async def _remove_fault(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if not self._faults.remove(name):
            return refusal(404, f"There is no fault {name!r} in force; GET /sandbox/faults lists them.")
        return web.json_response({"faults": self._list()})

    def _time(self) -> Json:
        clock = self._clock
        return {"now": clock.now().isoformat(), "stopped": clock.stopped, "ahead": round(clock.ahead, 3)}

    def _list(self) -> list[Json]:
        return [asdict(fault) for fault in self._faults]


class ControlServer:
    """A server for the control routes, used when no part serves them."""

    def __init__(self, routes: list[web.RouteDef], host: str, port: int) -> None:
        self._routes, self._host, self._port = routes, host, port
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; after it `url` is known."""
        application = web.Application()
        application.add_routes(self._routes)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self.url = f"http://{self._host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()


def turn_clock(clock: Clock, order: Json) -> None:
    """Apply {"turn": seconds}, {"stop": true} and {"go_on": true}, in this order when several are given.

    Raises:
        ValueError: none of them is given.
    """
    turn = order.get("turn", 0)
    wrong_turn = isinstance(turn, bool) or not isinstance(turn, int | float)
    if not order or order.keys() - {"turn", "stop", "go_on"} or wrong_turn:
        raise ValueError('Send {"turn": SECONDS}, {"stop": true} or {"go_on": true}.')
    if turn:
        clock.turn(turn)
    if order.get("stop"):
        clock.stop()
    if order.get("go_on"):
        clock.go_on()


def fault_of(order: Json) -> Fault:
    """The fault that a request describes.

    Raises:
        ValueError: a field is unknown, missing or of a wrong kind.
    """
    fields = Fault.__dataclass_fields__.keys() - {"id"}
    if unknown := sorted(order.keys() - fields):
        raise ValueError(f"Unknown field {unknown[0]!r}; there are: {', '.join(sorted(fields))}.")
    for problem in _fault_problems(order):
        raise ValueError(problem)
    return Fault(**order)


def _fault_problems(order: Json) -> Iterator[str]:
    if order.get("part") not in ("slack", "azure", "kube"):
        yield 'part is "slack", "azure" or "kube".'
    if order.get("action", "fail") not in ("fail", "delay", "drop", "lose_reply"):
        yield 'action is "fail", "delay", "drop" or "lose_reply".'
    for name, kind, words in _FIELDS:
        if name in order and (not isinstance(order[name], kind) or isinstance(order[name], bool)):
            yield f"{name} is {words}."
    if "match" not in order:
        yield "match is missing: a regular expression that is looked for in METHOD /path, or in Slack's method name."


_FIELDS: tuple[tuple[str, Any, str], ...] = (
    ("match", str, "a regular expression as a text"),
    ("times", int | None, "a whole number, or null for always"),
    ("skip", int, "a whole number"),
    ("status", int, "an HTTP status"),
    ("code", str, "a text"),
    ("message", str, "a text"),
    ("headers", dict, "a mapping of names to texts"),
    ("seconds", int | float, "a number of seconds"),
    ("details", list, "a list of objects"),
    ("additional_info", list, "a list of objects"),
)


async def body_of(request: web.Request) -> Json:
    """The JSON object in a request.

    Raises:
        ValueError: there is none.
    """
    try:
        body = await request.json()
    except ValueError:
        raise ValueError("The body must be a JSON object.") from None
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object.")  # noqa: TRY004 - the text came from outside
    return body


def refusal(status: int, text: str) -> web.Response:
    """An error answer of the control API."""
    return web.json_response({"error": text}, status=status)
