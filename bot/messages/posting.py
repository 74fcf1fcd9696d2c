"""Posts and edits of the bot's own accord, within what Slack allows: one budget a workspace for all who show something.

Slack has no key that makes a post happen once, so each carries a mark in its metadata, by which one whose reply was
lost is found again.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.messages.budget import Budget
from bot.slack.client import asked
from handlers.kit.message import Message
from handlers.kit.text import cut
from services.model.errors import Absent, NotAllowed, Refused, Throttled

UPDATES_PER_MINUTE, UPDATES_AT_ONCE = 40, 12
"""Slack allows 50 and more edits a minute for all messages of a workspace together (tier 3); both add up to that."""
GONE = frozenset({"message_not_found", "edit_window_closed", "cant_update_message", "is_inactive"})
"""A message with one of these errors can't be edited any more."""
NOT_THERE = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "no_permission"})
"""The bot can't post in a channel that answers so."""
log = structlog.get_logger("posting")


class Posting:
    """Slack as the notifiers use it. Raises `services.model.errors`; a 429 closes the budget that it is about."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self.updates = Budget(per_minute=UPDATES_PER_MINUTE, burst=UPDATES_AT_ONCE)
        """Waited for before `update`, by whoever calls it: they know what is urgent."""
        self._posts: dict[str, Budget] = {}

    async def post(
        self, channel: str, message: Message, *, kind: str, mark: str, thread: str = "", loud: bool = False
    ) -> str:
        """Post when the channel's budget allows it; the message's ts. `kind` and `mark` are what `find` looks for."""
        # About one a second in each channel, with a little room for bursts (docs.slack.dev, rate limits).
        budget = self._posts.setdefault(channel, Budget(per_minute=60, burst=10))
        await budget.taken()
        try:
            with asked("chat.postMessage"):
                answer = await self._client.chat_postMessage(
                    channel=channel,
                    text=cut(message.text, 4000),
                    blocks=[dict(block) for block in message.blocks] or None,
                    attachments=[dict(each) for each in message.attachments] or None,
                    metadata={"event_type": kind, "event_payload": {"mark": mark}},
                    thread_ts=thread or None,
                    reply_broadcast=loud or None,
                    unfurl_links=False,
                )
        except Throttled as error:
            budget.close(error.retry_after)
            raise
        return str(answer["ts"])

    async def update(self, channel: str, ts: str, message: Message) -> None:
        """Edit a message; its metadata stays."""
        self.updates.take()
        try:
            with asked("chat.update"):
                await self._client.chat_update(
                    channel=channel,
                    ts=ts,
                    text=cut(message.text, 4000),
                    blocks=[dict(block) for block in message.blocks],
                    attachments=[dict(each) for each in message.attachments] or None,
                )
        except Throttled as error:
            self.updates.close(error.retry_after)
            raise

    async def upload(self, channel: str, name: str, content: str, *, title: str, thread: str = "") -> bool:
        """Share a text file; False where the app lacks the scope for it."""
        try:
            with asked("files.upload"):
                await self._client.files_upload_v2(
                    channel=channel, filename=name, content=content, title=title, thread_ts=thread or None
                )
        except NotAllowed as error:
            log.warning("file_not_shared", file=name, error=str(error))
            return False
        return True

    async def find(self, channel: str, mark: str, *, kind: str, thread: str = "") -> str:
        """The ts of the message that carries this mark; empty when there is none, or the bot may not look."""
        try:
            with asked("conversations.history"):
                if thread:
                    answer = await self._client.conversations_replies(
                        channel=channel, ts=thread, limit=100, include_all_metadata=True
                    )
                else:
                    answer = await self._client.conversations_history(
                        channel=channel, limit=100, include_all_metadata=True
                    )
        except (NotAllowed, Absent, Refused) as error:
            log.warning("lost_post_not_looked_for", mark=mark, error=str(error))
            return ""
        return next((str(one["ts"]) for one in answer["messages"] if _mark(one, kind) == mark), "")


def _mark(message: Mapping[str, Any], kind: str) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != kind:
        return ""
    return str(metadata.get("event_payload", {}).get("mark", ""))
