"""The entry of the Web API: encodings, tokens, scopes, limits, faults, and the log of calls."""

import asyncio
import inspect
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.slack.api import METHODS
from sandbox.slack.api.call import Call, Method, arguments
from sandbox.slack.limits import Limits, limited
from sandbox.slack.values import Json, SlackError
from sandbox.slack.workspace import Workspace

DEFAULT_CODE, DEFAULT_STATUS = "InternalServerError", 500


class WebApi:
    """Serves /api/METHOD."""

    def __init__(self, slack: Workspace, *, clock: Clock, limits: Limits, faults: Faults) -> None:
        self._slack, self._clock, self._limits, self._faults = slack, clock, limits, faults

    def routes(self) -> list[web.RouteDef]:
        """GET and POST are equivalent, as in Slack."""
        return [web.get("/api/{method}", self._answer), web.post("/api/{method}", self._answer)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        fault = self._faults.take("slack", name)
        if fault is not None and fault.action == "delay":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.action == "drop":
            return _hang_up(request)
        body, status, headers = await self._outcome(request, name, fault)
        if fault is not None and fault.action == "lose_reply":
            return _hang_up(request)
        return web.json_response(body, status=status, headers=headers)

    async def _outcome(self, request: web.Request, name: str, fault: Fault | None) -> tuple[Json, int, dict[str, str]]:
        args: dict[str, Any] = {}
        try:
            args, token = await arguments(request)
            if fault is not None and fault.action == "fail":
                raise _failure(fault)
            body, status = await self._run(Call(name, args), token), 200
            scopes = self._slack.app.scopes
            headers = {"x-oauth-scopes": ",".join(sorted(scopes))} if scopes else {}
        except SlackError as error:
            body, status, headers = error.body(), error.status, error.headers
        entry: Json = {"at": self._clock.now().isoformat(), "method": name, "args": args, "ok": body["ok"]}
        self._slack.calls.append({**entry, "error": body.get("error")})
        return body, status, headers

    async def _run(self, call: Call, token: str) -> Json:
        method = METHODS.get(call.method)
        if method is None:
            raise SlackError("unknown_method", extra={"req_method": call.method})
        self._admit(method, token)
        self._limits.count(call, method.tier)
        result = method.run(self._slack, call)
        return {"ok": True, **(await result if inspect.isawaitable(result) else result)}

    def _admit(self, method: Method, token: str) -> None:
        """Raise SlackError if the token is missing, wrong, of another kind, or lacks the scope."""
        if method.caller == "none":
            return
        if not token:
            raise SlackError("not_authed")
        app = self._slack.app
        if token in self._slack.old_tokens:
            raise SlackError("token_revoked")
        if token == app.bot_token and self._slack.token_error:
            raise SlackError(self._slack.token_error)
        kind = {app.bot_token: "bot", app.app_token: "app", app.config_token: "config"}.get(token)
        if kind is None:
            raise SlackError("invalid_auth")
        if method.caller not in (kind, "any"):
            raise SlackError("not_allowed_token_type")
        if method.scope and not any(app.has_scope(scope) for scope in method.scope):
            provided = ",".join(sorted(app.scopes or ()))
            raise SlackError("missing_scope", extra={"needed": method.scope[0], "provided": provided})


def _failure(fault: Fault) -> SlackError:
    if fault.status == web.HTTPTooManyRequests.status_code:
        error = limited(int(fault.headers.get("Retry-After", "1")))
        return SlackError(error.error, status=error.status, headers={**error.headers, **fault.headers})
    # A fault with only an error code has the default status; Slack refuses with HTTP 200.
    plain = fault.code == DEFAULT_CODE
    status = 200 if fault.status == DEFAULT_STATUS and not plain else fault.status
    return SlackError("internal_error" if plain else fault.code, status=status, headers=dict(fault.headers))


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
