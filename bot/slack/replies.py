"""Delivers a `Message` to people."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import CLOSED, proxy_for, share, translated
from bot.slack.people import People
from handlers.kit.blocks import HOME_BLOCKS, MESSAGE_BLOCKS, MESSAGE_TEXT, context, section
from handlers.kit.language import t
from handlers.kit.message import Message, Modal, view
from handlers.kit.text import cut
from handlers.views.errors import form_too_full, form_too_late
from services.model.errors import Absent, DomainError, Foreign, Refused

_USES = 5
"""How often Slack lets a response_url be used, within 30 minutes."""
_UNREAD = frozenset({"user_not_in_channel", "thread_not_found", "cannot_reply_to_message"})
"""With one of these errors somebody can't be answered in a channel or thread that the bot may post in."""
_FORM_TOO_LATE = frozenset({"trigger_expired", "expired_trigger_id", "trigger_exchanged", "exchanged_trigger_id"})
"""Slack documents the first word of each pair; public reports show the second in its answers."""
_log = structlog.get_logger("replies")


@dataclass
class Where:
    """Where to send an answer. `response_url` is a bearer secret."""

    channel: str
    person: str
    response_url: str = field(default="", repr=False)
    thread_ts: str = ""
    message_ts: str = ""
    uses: int = 0


class Replies:
    """Sends private answers by response_url, and answers for the channel or for one person by chat.postMessage.

    `reachable` is called with the id of a channel in which a post succeeded.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        people: People,
        reachable: Callable[[str], None],
    ) -> None:
        self._client = client
        self._session = session
        self._people = people
        self._reachable = reachable

    async def send(self, message: Message, where: Where) -> None:
        """Send an answer; raises `services.model.errors` when it reached nobody."""
        if message.clears and where.message_ts:
            await self._to_url({"delete_original": True}, where)
        if message.replace and await self._by_url(message, where, replace=True):
            return
        if message.replace and where.message_ts:
            with suppress(DomainError), translated("chat.update"):
                await self._client.chat_update(channel=where.channel, ts=where.message_ts, **_content(message, None))
                return
        match message.visibility:
            case "channel":
                await self._to_channel(message, where)
            case "direct":
                await self._directly(message, where)
            case "private":
                await self._privately(message, where)

    async def open(self, modal: Modal, trigger_id: str, where: Where) -> None:
        """Open a modal, or send why Slack opens none; raises `services.model.errors`."""
        modal_view = view(modal, channel=where.channel, message_ts=where.message_ts, thread_ts=where.thread_ts)
        try:
            with translated("views.open"):
                await self._client.views_open(trigger_id=trigger_id, view=modal_view)
        except Refused as error:
            if error.code == "invalid_arguments":
                _log.warning("form_refused", error=error.message)
                await self.send(form_too_full(), where)
            elif error.code in _FORM_TOO_LATE:
                await self.send(form_too_late(), where)
            else:
                raise

    async def publish(self, message: Message, person: str, channel: str) -> None:
        """Show a message as somebody's Home tab; `channel`, their direct conversation, comes back with its clicks."""
        blocks = message.blocks[:HOME_BLOCKS] or (section(message.text),)
        with translated("views.publish"):
            await self._client.views_publish(
                user_id=person,
                view={"type": "home", "private_metadata": channel, "blocks": [dict(block) for block in blocks]},
            )

    async def _to_channel(self, message: Message, where: Where) -> None:
        try:
            with translated("chat.postMessage"):
                await self._client.chat_postMessage(channel=where.channel, **_content(message, where))
        except (Absent, Refused) as error:
            if error.code not in CLOSED:
                raise
            self._people.channel_changed(where.channel)
            note = t("Only you can see this, because the bot can't post in this channel. `/invite` it to change that.")
            blocks = (*message.blocks[: MESSAGE_BLOCKS - 1], context(note)) if message.blocks else ()
            text = message.text if message.blocks else f"{message.text}\n{note}"
            await self._privately(Message(text, blocks, attachments=message.attachments), where)
        else:
            self._reachable(where.channel)

    async def _directly(self, message: Message, where: Where) -> None:
        try:
            with translated("chat.postMessage"):
                posted = await self._client.chat_postMessage(channel=where.person, **_content(message, None))
        except Refused as error:
            if error.code != "messages_tab_disabled":
                raise
            note = t(
                "The bot can't write to you. Switch the Messages tab on in the app's settings (App Home), as its"
                " manifest has it, then run the command again."
            )
            await self._privately(Message(note), where)
            return
        if message.file is not None:
            await share(self._client, message.file, channel=posted["channel"], thread=posted["ts"])
        if where.channel != posted["channel"]:
            await self._privately(Message(t("The answer is in your direct messages from this app.")), where)

    async def _privately(self, message: Message, where: Where) -> None:
        if await self._by_url(message, where, replace=False):
            return
        if where.channel.startswith("D"):
            # Nobody else reads a direct conversation, and there an answer may stay.
            with translated("chat.postMessage"):
                await self._client.chat_postMessage(channel=where.channel, **_content(message, where))
            return
        try:
            with translated("chat.postEphemeral"):
                await self._client.chat_postEphemeral(
                    channel=where.channel, user=where.person, **_content(message, where)
                )
        except Foreign as error:
            if error.code not in CLOSED | _UNREAD:
                raise
            with translated("chat.postMessage"):
                await self._client.chat_postMessage(channel=where.person, **_content(message, Where("", "")))

    async def _by_url(self, message: Message, where: Where, *, replace: bool) -> bool:
        body = _content(message, where) | {"response_type": "ephemeral", "replace_original": replace}
        return await self._to_url(body, where)

    async def _to_url(self, body: Mapping[str, Any], where: Where) -> bool:
        if not where.response_url or where.uses >= _USES:
            return False
        where.uses += 1
        proxy = proxy_for(where.response_url)
        try:
            async with self._session.post(where.response_url, json=body, proxy=proxy) as answer:
                if answer.ok:
                    return True
                _log.warning("response_refused", status=answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("response_lost", error=type(error).__name__)
        return False


def _content(message: Message, where: Where | None) -> dict[str, Any]:
    content: dict[str, Any] = {"text": cut(message.text, MESSAGE_TEXT)}
    if message.blocks:
        content["blocks"] = [dict(block) for block in message.blocks[:MESSAGE_BLOCKS]]
    if message.attachments:
        content["attachments"] = [dict(attachment) for attachment in message.attachments]
    if thread := message.thread_ts or (where.thread_ts if where else ""):
        content["thread_ts"] = thread
    return content
