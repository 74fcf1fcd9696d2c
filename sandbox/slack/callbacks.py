"""HTTP delivery: signed requests to the app's addresses."""

import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.undelivered import Retry, Undelivered
from sandbox.slack.values import Json
from sandbox.slack.workspace import Workspace

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
OK = range(200, 300)


class Callbacks:
    """Posts to the app and reads its answers."""

    def __init__(self, slack: Workspace) -> None:
        self._slack = slack
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: str, url: str, payload: Json, retry: Retry | None = None) -> Any:
        """The app's answer: JSON, {"text": ..} for plain text, None if empty; raises Undelivered."""
        body, content_type = _encoded(kind, payload)
        return await self._post(url, body, content_type, retry)

    async def verify(self, url: str) -> bool:
        """Whether the address answers Slack's challenge, which it must before events are sent there."""
        challenge = secrets.token_urlsafe(32)
        body: Json = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        try:
            answer = await self._post(url, json.dumps(body), JSON, None)
        except Undelivered:
            return False
        return isinstance(answer, dict) and challenge in (answer.get("challenge"), answer.get("text"))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, url: str, body: str, content_type: str, retry: Retry | None) -> Any:
        headers = {**self._signed(body), "Content-Type": content_type, "User-Agent": AGENT}
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry.attempt), "X-Slack-Retry-Reason": retry.reason}
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        deadline = aiohttp.ClientTimeout(total=self._slack.timing.ack)
        try:
            async with self._session.post(url, data=body.encode(), headers=headers, timeout=deadline) as answer:
                text = await answer.text(errors="replace")
                status, final = answer.status, answer.headers.get("X-Slack-No-Retry") == "1"
        except TimeoutError:
            raise Undelivered("operation_timeout", "http_timeout") from None
        except aiohttp.ClientError:
            raise Undelivered("dispatch_failed", "connection_failed") from None
        if status not in OK:
            raise Undelivered("dispatch_failed", "http_error", final)
        return _decoded(text)

    def _signed(self, body: str) -> dict[str, str]:
        # The app compares with its own clock, so this is real time and not the sandbox's.
        stamp = str(int(time.time()))
        base = f"v0:{stamp}:{body}".encode()
        digest = hmac.new(self._slack.app.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _encoded(kind: str, payload: Json) -> tuple[str, str]:
    if kind == "events_api":
        return json.dumps(payload), JSON
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}), FORM
    return urlencode({name: value for name, value in payload.items() if value is not None}), FORM


def _decoded(text: str) -> Any:
    if not text.strip():
        return None
    try:
        document = json.loads(text)
    except ValueError:
        return {"text": text}
    return document if isinstance(document, dict) else {"text": text}
