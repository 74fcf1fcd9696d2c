"""The Slack client of the process, and the translation of Slack's errors into the bot's own."""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from handlers.kit.message import File
from services.model.errors import Absent, Foreign, NotAllowed, NotAuthenticated, Refused, Throttled, Unreachable
from services.model.redaction import scrub
from services.model.secret import Secret
from services.tally import NO_ANSWER, Tally
from services.traces import OFF, Traces

SlackClient = AsyncWebClient
"""The type that `open_client` yields, for modules that only pass it on."""
TIMEOUT = 15
"""Seconds for one call of the Web API."""
SHORT_PAUSE = 5.0
"""Seconds to wait after a 429 that does not say how long."""
_POSTING = ("chat.postMessage", "chat.postEphemeral", "chat.scheduleMessage", "views.open", "views.push")
"""Calls that must not be repeated when their reply is lost: they may have taken effect, and would show up twice."""


def _repeatable(request: HttpRequest) -> bool:
    return not request.url.split("?")[0].endswith(_POSTING)


class _ConnectionRetry(AsyncConnectionErrorRetryHandler):
    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        again = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return again and _repeatable(request)


class _ServerRetry(AsyncServerErrorRetryHandler):
    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        again = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return again and _repeatable(request)


def proxy_for(url: str) -> str | None:
    """The environment's proxy for this address; unlike slack-sdk, it respects NO_PROXY."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)


@asynccontextmanager
async def open_client(
    token: Secret, *, api_url: str, ca_file: Path | None = None, calls: Tally | None = None, traces: Traces = OFF
) -> AsyncIterator[AsyncWebClient]:
    """A client with one session whose connections are reused; `calls` counts them by method and status."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    connector = aiohttp.TCPConnector(limit=50, keepalive_timeout=60, ssl=context)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    counting = [] if calls is None else [_counting(calls, traces, api_url)]
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trace_configs=counting) as session:
        handlers: list[AsyncRetryHandler] = [
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
            _ConnectionRetry(max_retry_count=2),
            _ServerRetry(max_retry_count=2),
        ]
        client = AsyncWebClient(
            token=token.reveal(),
            base_url=api_url,
            timeout=TIMEOUT,
            ssl=context,
            session=session,
            retry_handlers=handlers,
        )
        # Set afterwards: slack-sdk takes no proxy as "the one of the environment, NO_PROXY or not".
        client.proxy = proxy_for(api_url)
        yield client


def _counting(calls: Tally, traces: Traces, api_url: str) -> aiohttp.TraceConfig:
    """Counts each try of a call; of other addresses, such as the secret ones of answers and uploads, only that."""

    def note(context: SimpleNamespace, url: URL, status: str) -> None:
        method = str(url).removeprefix(api_url).partition("?")[0] if str(url).startswith(api_url) else "other"
        seconds = asyncio.get_running_loop().time() - context.started
        calls.note(method, status, seconds=seconds)
        traces.call(
            f"slack {method}",
            seconds=seconds,
            failed=not status.startswith("2"),
            attributes={"slack.method": method, "http.response.status_code": int(status) if status != NO_ANSWER else 0},
        )

    async def begin(
        _: aiohttp.ClientSession, context: SimpleNamespace, _start: aiohttp.TraceRequestStartParams
    ) -> None:
        context.started = asyncio.get_running_loop().time()

    async def end(_: aiohttp.ClientSession, context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams) -> None:
        note(context, answer.url, str(answer.response.status))

    async def fail(
        _: aiohttp.ClientSession, context: SimpleNamespace, error: aiohttp.TraceRequestExceptionParams
    ) -> None:
        note(context, error.url, NO_ANSWER)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(begin)
    config.on_request_end.append(end)
    config.on_request_exception.append(fail)
    return config


def for_cards(client: AsyncWebClient) -> AsyncWebClient:
    """The same client for callers that keep a budget: it raises on a 429 instead of waiting inside the call."""
    client_for_cards = AsyncWebClient(
        token=client.token,
        base_url=client.base_url,
        timeout=TIMEOUT,
        ssl=client.ssl,
        session=client.session,
        retry_handlers=[_ConnectionRetry(max_retry_count=2), _ServerRetry(max_retry_count=2)],
    )
    # Set afterwards: slack-sdk takes no proxy as "the one of the environment, NO_PROXY or not".
    client_for_cards.proxy = client.proxy
    return client_for_cards


async def share(client: AsyncWebClient, file: File, *, channel: str, thread: str) -> None:
    """Share a text file in a thread. Raises `services.model.errors`."""
    with translated("files.upload"):
        await client.files_upload_v2(
            channel=channel, filename=file.name, content=file.content, title=file.title, thread_ts=thread
        )


# --- errors ---------------------------------------------------------------------------------------------------------

_IDENTITY = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
_LOST = frozenset(
    {
        "channel_not_found",
        "user_not_found",
        "user_not_visible",
        "message_not_found",
        "no_such_subteam",
        "thread_not_found",
    }
)
_OUTAGE = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        # The workspace moves to an Enterprise organisation.
        "team_added_to_org",
        "org_login_required",
    }
)
_LIMITED = frozenset({"ratelimited", "rate_limited"})
"""The first comes with status 429; chat.postMessage documents the second beside it, with status 200."""
CLOSED = frozenset(
    {
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "external_channel_migrating",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "no_permission",
    }
)
"""With one of these errors the bot can't post in a channel, or edit there (`is_inactive`: it is archived), for now."""


@contextmanager
def translated(method: str) -> Iterator[None]:
    """Turn Slack's errors inside into `services.model.errors`; `code` is Slack's error code."""
    try:
        yield
    except SlackApiError as error:
        raise _translated(error, method) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, SlackRequestError) as error:
        raise Unreachable("slack", method, code="NoConnection", message=scrub(str(error))) from error


def _translated(error: SlackApiError, method: str) -> Foreign:
    answer: Any = error.response
    data = answer.data if isinstance(getattr(answer, "data", None), dict) else {}
    code = str(data.get("error", ""))
    status = getattr(answer, "status_code", 0)
    if code in _LIMITED or status == 429:  # noqa: PLR2004 - Too Many Requests
        header = answer.headers.get("Retry-After", "")
        pause = float(header) if header.isdecimal() else SHORT_PAUSE
        return Throttled("slack", method, code="ratelimited", retry_after=pause)
    if code in _OUTAGE or not code:
        return Unreachable("slack", method, code=code or f"HTTP {status}")
    if code == "missing_scope":
        return NotAllowed("slack", method, code=code, action=str(data.get("needed", "")))
    if code in _IDENTITY:
        return NotAuthenticated("slack", method, code=code)
    if code in _LOST:
        return Absent("slack", method, code=code)
    details = data.get("response_metadata", {}).get("messages", [])
    return Refused("slack", method, code=code, message="; ".join(map(str, details)))


# --- the installation -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Installation:
    """The workspace that the bot's token belongs to. `app_id` is empty when Slack does not disclose it."""

    team: str
    team_name: str
    enterprise: str
    bot_id: str
    bot_user: str
    app_id: str
    url: str
    scopes: frozenset[str]
    """The token's scopes; empty when Slack does not disclose them."""


async def identify(client: AsyncWebClient) -> Installation:
    """Ask Slack who the bot is."""
    with translated("auth.test"):
        answer = await client.auth_test()
    me = answer.data
    assert isinstance(me, dict)  # noqa: S101 - slack-sdk types the data of all calls alike
    scopes = {name.lower(): value for name, value in answer.headers.items()}.get("x-oauth-scopes", "")
    app_id = ""
    with suppress(NotAllowed, Absent, Refused), translated("bots.info"):
        bot: dict[str, Any] = (await client.bots_info(bot=me.get("bot_id", "")))["bot"]
        app_id = str(bot.get("app_id", ""))
    return Installation(
        team=me["team_id"],
        team_name=me.get("team", ""),
        enterprise=me.get("enterprise_id") or "",
        bot_id=me.get("bot_id", ""),
        bot_user=me["user_id"],
        app_id=app_id,
        url=me.get("url", ""),
        scopes=frozenset(filter(None, scopes.split(","))),
    )


async def open_socket(client: AsyncWebClient, app_token: Secret) -> str:
    """The address of a new socket for Socket Mode. It can be opened once, within half a minute."""
    with translated("apps.connections.open"):
        answer = await client.apps_connections_open(app_token=app_token.reveal())
    return str(answer["url"])
