"""A Web API call: its method, its arguments in any encoding, and its token."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aiohttp import web

from sandbox.slack.values import Json, SlackError
from sandbox.slack.workspace import Workspace


class Tier(Enum):
    """Calls per minute that Slack grants a method; docs.slack.dev/apis/web-api/rate-limits."""

    TWO = 20
    THREE = 50
    FOUR = 100
    POSTING = 60
    """chat.postMessage: about one a second and channel, with bursts."""
    FREE = 0
    """auth.test and api.test: hundreds a minute; not counted here."""


@dataclass(frozen=True)
class Call:
    """The method's name and its arguments as received: strings from forms, any JSON value from JSON bodies."""

    method: str
    args: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """A string argument; numbers sent as JSON are accepted too."""
        value = self.args.get(name)
        return default if value is None else value if isinstance(value, str) else json.dumps(value)

    def need(self, name: str) -> str:
        """A required string argument."""
        if not (value := self.text(name)):
            raise invalid(f"missing required field: {name}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean: `true`, `1` and their like."""
        value = self.args.get(name)
        return default if value is None else str(value).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """An integer; 0 counts as absent, as in Slack."""
        try:
            return int(self.args.get(name) or 0) or default
        except (TypeError, ValueError):
            raise invalid(f"must provide an integer [json-pointer:/{name}]") from None

    def json(self, name: str, error: str = "invalid_json") -> Any:
        """A JSON value, even if sent as a string; None if absent."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


Run = Callable[[Workspace, Call], "Json | Awaitable[Json]"]


@dataclass(frozen=True)
class Method:
    """A Web API method: its function, its rate limit, and the scopes that it requires."""

    run: Run
    tier: Tier
    scope: tuple[str, ...] = ()
    """Any of these is enough."""
    caller: str = "bot"
    """The kind of token it requires: `bot`, `app`, `config`, `any` of them, or `none`."""


def invalid(*messages: str) -> SlackError:
    """`invalid_arguments` with what is wrong."""
    return SlackError("invalid_arguments", tuple(f"[ERROR] {message}" for message in messages))


async def arguments(request: web.Request) -> tuple[dict[str, Any], str]:
    """A request's arguments and its token; raises SlackError for a body that can't be read."""
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        values |= _json_body(await request.read())
    elif request.method == "POST":
        values |= await _form(request)
    field = values.pop("token", "")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return values, token.strip() if kind.lower() == "bearer" and token else str(field)


async def _form(request: web.Request) -> dict[str, str]:
    try:
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    except LookupError:
        raise SlackError("invalid_charset") from None
    except ValueError:
        raise SlackError("invalid_form_data") from None


def _json_body(content: bytes) -> Json:
    try:
        body = json.loads(content) if content.strip() else {}
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def page(items: Sequence[Any], call: Call, default: int, maximum: int = 1000) -> tuple[list[Any], Json]:
    """The page of `items` that `limit` and `cursor` select, and the part of the answer that links to the next one."""
    limit = call.number("limit", default)
    if not 0 < limit <= maximum:
        raise SlackError("invalid_limit")
    start = 0
    if cursor := call.text("cursor"):
        try:
            start = int(base64.b64decode(cursor.encode(), validate=True).decode().removeprefix("next:"))
        except (ValueError, binascii.Error):
            raise SlackError("invalid_cursor") from None
    has_more = start + limit < len(items)
    following = base64.b64encode(f"next:{start + limit}".encode()).decode() if has_more else ""
    return list(items[start : start + limit]), {"response_metadata": {"next_cursor": following}}
