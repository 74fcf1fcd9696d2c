"""Unsolicited posts and edits within Slack's limits: one budget for everything that the bot shows in a workspace.

Slack has no idempotency key for posts, so each post carries a mark in its metadata, by which it can be found when its
reply was lost.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.messages.budget import Budget
from bot.slack.client import share, translated
from handlers.kit.blocks import MESSAGE_TEXT
from handlers.kit.message import File, Message
from handlers.kit.text import cut
from services.model.errors import Absent, NotAllowed, Refused, Throttled, Unreachable
from services.model.fence import UNFENCED, Fence
from services.model.message import Channel

UPDATES_PER_MINUTE, UPDATES_AT_ONCE = 40, 12
"""Slack allows at least 50 edits a minute in a workspace (tier 3); the two figures add up to about that."""
POSTS_PER_MINUTE, POSTS_AT_ONCE = 60, 10
"""About one a second in each channel, with some room for bursts (docs.slack.dev, rate limits)."""
OVERHEARD = "overheard"
"""Code of the bot's own refusal to post where people of other organisations read along and the policy forbids it."""
LONGEST_PAUSE = 60.0
"""Longest wait after a 429 in seconds, even if Retry-After asks for more: it may be a proxy's, or a mistake."""
log = structlog.get_logger("messages")


class Posting:
    """Slack as the board uses it. Raises `services.model.errors`; a 429 closes the budget of the refused call.

    Before every call that writes, `fence` is checked, and whether a channel (by id) `is_overheard`: people of other
    organisations read it although the policy forbids the bot to speak there. Then `Refused` is raised with the code
    `OVERHEARD`. `replicas` is how many processes share Slack's limits now.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        fence: Fence = UNFENCED,
        replicas: Callable[[], int] = lambda: 1,
        is_overheard: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._client = client
        self._fence = fence
        self._replicas = replicas
        self._is_overheard = is_overheard
        self.updates = Budget(per_minute=UPDATES_PER_MINUTE, burst=UPDATES_AT_ONCE, replicas=replicas)
        """`update` does not take from it; its caller does before, because it knows what is urgent."""
        self._posts: dict[str, Budget] = {}

    def posts(self, channel: Channel) -> Budget:
        """The budget of a channel. `post` waits for it; callers may wait earlier, before they take a lease."""
        fresh = Budget(per_minute=POSTS_PER_MINUTE, burst=POSTS_AT_ONCE, replicas=self._replicas)
        return self._posts.setdefault(channel.id, fresh)

    async def post(
        self, channel: Channel, message: Message, *, kind: str, mark: str, thread: str = "", loud: bool = False
    ) -> str:
        """Post when the channel's budget allows it; returns the message's ts. `find` searches by `kind` and `mark`.

        Raises `Unreachable` when Slack's answer does not name the message: it may exist, as after a lost reply.
        """
        budget = self.posts(channel)
        await budget.taken()
        await self._check(channel)
        try:
            with translated("chat.postMessage"):
                answer = await self._client.chat_postMessage(
                    channel=channel.id,
                    text=cut(message.text, MESSAGE_TEXT),
                    blocks=[dict(block) for block in message.blocks] or None,
                    attachments=[dict(attachment) for attachment in message.attachments] or None,
                    metadata={"event_type": kind, "event_payload": {"mark": mark}},
                    thread_ts=thread or None,
                    reply_broadcast=loud or None,
                    unfurl_links=False,
                )
        except Throttled as error:
            _close(budget, error)
            raise
        if not answer.get("ts"):
            raise Unreachable("slack", "chat.postMessage", code="no_ts")
        return str(answer["ts"])

    async def update(self, channel: Channel, ts: str, message: Message) -> str:
        """Edit a message, whose metadata stays; returns its ts. The caller has taken it from the budget."""
        await self._check(channel)
        try:
            with translated("chat.update"):
                await self._client.chat_update(
                    channel=channel.id,
                    ts=ts,
                    text=cut(message.text, MESSAGE_TEXT),
                    blocks=[dict(block) for block in message.blocks],
                    attachments=[dict(each) for each in message.attachments] or None,
                )
        except Throttled as error:
            _close(self.updates, error)
            raise
        return ts

    async def upload(self, channel: Channel, file: File, *, thread: str) -> None:
        """Share a text file in a thread."""
        await self._check(channel)
        await share(self._client, file, channel=channel.id, thread=thread)

    async def _check(self, channel: Channel) -> None:
        if self._is_overheard is not None and await self._is_overheard(channel.id):
            raise Refused("slack", "conversations.info", code=OVERHEARD)
        await self._fence.check()

    async def find(self, channel: Channel, mark: str, *, kind: str, thread: str = "") -> str:
        """The ts of the message with this mark; empty when there is none, or the bot may not read the channel."""
        where: dict[str, Any] = {"channel": channel.id, "limit": 100, "include_all_metadata": True}
        try:
            with translated("conversations.history"):
                if thread:
                    answer = await self._client.conversations_replies(ts=thread, **where)
                else:
                    answer = await self._client.conversations_history(**where)
        except (NotAllowed, Absent, Refused) as error:
            log.warning("lost_post_not_looked_for", mark=mark, error=error.code)
            return ""
        for message in answer["messages"]:
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == kind and metadata.get("event_payload", {}).get("mark") == mark:
                return str(message["ts"])
        return ""


def _close(budget: Budget, error: Throttled) -> None:
    pause = min(error.retry_after, LONGEST_PAUSE)
    if budget.close(pause):
        log.warning("messages_throttled", method=error.target, seconds=pause)
