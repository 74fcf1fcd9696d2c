"""The control API of a fleet: its script, the truth, and requests to break or repair something now."""

import json
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from sandbox.fleet.script import CAUSES, HOUR, MINUTE, Kind, Trouble
from sandbox.fleet.truth import trouble_json

if TYPE_CHECKING:
    from sandbox.fleet.fleet import Fleet

KINDS: tuple[Kind, ...] = get_args(Kind)
FIELDS = ("kind", "subject", "seconds", "cause", "down", "up", "late")
ORDER = 'Send {"outage": {"subject": NAME, "kind"?, "seconds"?, "cause"?}} or {"mend": NAME or "all"}.'
OF_EDGES = tuple(kind for kind in KINDS if kind not in ("cluster", "acr"))


class Control:
    """Handlers of /sandbox/fleet."""

    def __init__(self, fleet: "Fleet") -> None:
        self._fleet = fleet

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount."""
        return [web.get("/sandbox/fleet", self._show), web.post("/sandbox/fleet", self._order)]

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self._fleet.document())

    async def _order(self, request: web.Request) -> web.Response:
        """{"outage": {...}} breaks something now; {"mend": NAME} ends what is wrong with it now."""
        try:
            body = _order(await request.read())
            if "mend" in body:
                everything = str(body["mend"]).lower() == "all"
                mended = self._fleet.calm() if everything else self._fleet.mend(self._subject(body["mend"]))
                return web.json_response({"mended": [trouble_json(one) for one in mended]})
            trouble = self._trouble(body["outage"])
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        except KeyError as error:
            return web.json_response({"error": str(error.args[0])}, status=404)
        self._fleet.add(trouble)
        return web.json_response({"subject": trouble.subject} | trouble_json(trouble))

    def _trouble(self, order: Any) -> Trouble:
        if not isinstance(order, dict) or "subject" not in order:
            raise ValueError(ORDER)
        if unknown := sorted(order.keys() - set(FIELDS)):
            raise ValueError(f"Unknown field {unknown[0]!r}; there are: {', '.join(FIELDS)}.")
        subject = self._subject(order["subject"])
        kind = self._kind(subject, order.get("kind"))
        lengths = {name: _seconds(order, name) for name in ("seconds", "down", "up", "late") if name in order}
        seconds = lengths.pop("seconds", HOUR)
        if kind == "flapping":
            lengths = {"down": 20 * MINUTE, "up": 10 * MINUTE} | lengths
        if kind == "slow":
            lengths.setdefault("late", 4 * MINUTE)
        begin = self._fleet.now()
        cause = str(order.get("cause") or CAUSES[kind][0])
        return Trouble(kind, subject, begin, begin + seconds, cause, **lengths)

    def _subject(self, name: Any) -> str:
        subject = self._fleet.subject(str(name))
        if subject is None:
            raise KeyError(
                f"The fleet has no registry, cluster or cloud registry {name!r}; GET /sandbox/fleet lists all."
            )
        return subject

    def _kind(self, subject: str, requested: Any) -> Kind:
        fitting = self._fleet.kinds(subject)
        for kind in fitting:
            if kind == (requested or fitting[0]):
                return kind
        raise ValueError(f"kind {requested!r} must be one of {', '.join(fitting)}, the kinds for {subject}.")


def _order(content: bytes) -> dict[str, Any]:
    body = json.loads(content or b"{}")
    if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= {"outage", "mend"}:
        raise ValueError(ORDER)
    return body


def _seconds(order: dict[str, Any], name: str) -> int:
    value = order[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 1:
        raise ValueError(f"{name} has to be a number of seconds, 1 or more.")
    return round(value)
