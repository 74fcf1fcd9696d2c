"""The entrance in HTTP mode: requests that Slack signed go on to Bolt, all others are refused here, unread.

Bolt itself parses a body before it checks who sent it, logs it with its signature, and answers 500 if it can't read it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from services.model.secret import Secret

BODY_DEADLINE = 5.0
"""Seconds for the body after the headers; Slack itself waits three seconds for the answer."""
TYPES = frozenset({"application/x-www-form-urlencoded", "application/json"})
LOG_INTERVAL = 60.0
"""Seconds between two log lines about refusals for the same reason; each line counts them."""
_log = structlog.get_logger("slack")


class SignedDoor:
    """Calls `dispatch` with requests that were signed with the secret."""

    def __init__(self, secret: Secret, dispatch: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> None:
        self._verifier = SignatureVerifier(secret.reveal())
        self._dispatch = dispatch
        self._refused: Counter[str] = Counter()
        self._logged: dict[str, float] = {}

    async def deliver(self, request: web.Request) -> web.Response:
        """Answer one request."""
        try:
            async with asyncio.timeout(BODY_DEADLINE):
                content = await request.read()
        except TimeoutError:
            return self._refuse("slow body", 408)
        if not self._is_signed(request, content):
            return self._refuse("signature", 401)
        if request.content_type not in TYPES:
            return self._refuse("content type", 400)
        headers: dict[str, str | Sequence[str]] = {**request.headers, "Content-Type": request.content_type}
        try:
            delivered = AsyncBoltRequest(body=content.decode(), query=request.query_string, headers=headers)
        except Exception:  # noqa: BLE001 - Bolt's parsing raises anything; the error's text would quote the payload
            return self._refuse("unreadable body", 400)
        payload: Any = delivered.body
        if not isinstance(payload, dict):
            return self._refuse("unreadable body", 400)
        return await to_aiohttp_response(await self._dispatch(delivered))

    def _is_signed(self, request: web.Request, content: bytes) -> bool:
        moment = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        # The verifier raises for other characters, and for too many digits.
        if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12 and signature.isascii()):  # noqa: PLR2004 - until the year 33658
            return False
        try:
            return self._verifier.is_valid(content.decode(), moment, signature)
        except UnicodeDecodeError:
            return False

    def _refuse(self, reason: str, status: int) -> web.Response:
        self._refused[reason] += 1
        now = time.monotonic()
        if now - self._logged.get(reason, -LOG_INTERVAL) >= LOG_INTERVAL:
            self._logged[reason] = now
            _log.warning("delivery_refused", reason=reason, times=self._refused.pop(reason))
        return web.Response(status=status)
