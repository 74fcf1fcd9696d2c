"""chat.*: posting, editing, deleting, scheduling."""

from sandbox.slack.api.access import known_channel, root_of, somebody, stored_message, target
from sandbox.slack.api.call import Call, Method, Tier, page
from sandbox.slack.api.content import content_of, metadata_of
from sandbox.slack.values import Channel, Json, Message, SlackError
from sandbox.slack.workspace import Workspace

MOST_TEXT, CUT_TEXT = 4_000, 40_000
FARTHEST = 120 * 24 * 3600
"""The furthest that a message may be scheduled ahead, in seconds."""


def post_message(slack: Workspace, call: Call) -> Json:
    """chat.postMessage."""
    channel = target(slack, call.text("channel"))
    message = _new(slack, call, channel)
    slack.post(message)
    return {"channel": message.channel, "ts": message.ts, "message": slack.for_app(message, metadata=True)}


def _new(slack: Workspace, call: Call, channel: Channel) -> Message:
    content = content_of(slack, call)
    content["text"] = content["text"][:CUT_TEXT]
    thread_ts = root_of(channel, call.text("thread_ts"))
    broadcast = thread_ts is not None and call.flag("reply_broadcast")
    return slack.from_app(
        channel,
        **content,
        metadata=metadata_of(call),
        thread_ts=thread_ts,
        subtype="thread_broadcast" if broadcast else None,
        username=call.text("username") if slack.app.has_scope("chat:write.customize") else "",
    )


def post_ephemeral(slack: Workspace, call: Call) -> Json:
    """chat.postEphemeral."""
    channel = target(slack, call.text("channel"))
    person = somebody(slack, call.need("user"))
    if person.id not in channel.members:
        raise SlackError("user_not_in_channel")
    thread_ts = root_of(channel, call.text("thread_ts"))
    content = content_of(slack, call)
    message = slack.from_app(channel, **content, thread_ts=thread_ts, ephemeral_to=person.id)
    slack.post(message)
    return {"message_ts": message.ts}


def update(slack: Workspace, call: Call) -> Json:
    """chat.update: omitted parts stay, except that text without blocks removes the old blocks."""
    message = _own(slack, call, "cant_update_message")
    if slack.channels[message.channel].is_archived:
        raise SlackError("is_inactive")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    if len(call.text("text")) > MOST_TEXT:
        raise SlackError("msg_too_long")
    changes = {name: call.args.get(name) for name in ("text", "blocks", "attachments", "markdown_text")}
    if all(value is None for value in changes.values()):
        raise SlackError("no_text")
    if not any(changes.values()) and not message.files:
        raise SlackError("no_text")
    content = content_of(slack, call, files=bool(message.files))
    metadata = metadata_of(call)
    if changes["text"] is not None or changes["markdown_text"] is not None:
        message.text, message.blocks = content["text"], content["blocks"]
    elif changes["blocks"] is not None:
        message.blocks = content["blocks"]
    if changes["attachments"] is not None:
        message.attachments = content["attachments"]
    message.metadata = message.metadata if metadata is None else metadata
    # Slack leaves the "edited" mark out where blocks are shown.
    message.edited = None if message.blocks else {"user": slack.app.bot_user, "ts": slack.new_ts()}
    slack.changed(message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": slack.for_app(message)}


def delete(slack: Workspace, call: Call) -> Json:
    """chat.delete."""
    message = _own(slack, call, "cant_delete_message")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    slack.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def _own(slack: Workspace, call: Call, error: str) -> Message:
    channel = known_channel(slack, call.text("channel"))
    message = stored_message(channel, call.text("ts"))
    if message.bot_id != slack.app.bot_id:
        raise SlackError(error)
    return message


def permalink(slack: Workspace, call: Call) -> Json:
    """chat.getPermalink."""
    channel = known_channel(slack, call.text("channel"))
    message = stored_message(channel, call.text("message_ts"))
    link = f"https://{slack.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def schedule(slack: Workspace, call: Call) -> Json:
    """chat.scheduleMessage."""
    channel = target(slack, call.text("channel"))
    due, now = call.number("post_at", 0), slack.clock.now().timestamp()
    if due <= now:
        raise SlackError("time_in_past")
    if due - now > FARTHEST:
        raise SlackError("time_too_far")
    scheduled_id = slack.new_id("Q")
    message = _new(slack, call, channel)
    entry: Json = {"id": scheduled_id, "channel_id": channel.id, "post_at": due}
    slack.scheduled[scheduled_id] = {**entry, "date_created": int(now), "text": message.text}
    slack.keep(_post_later(slack, scheduled_id, message, due - now))
    answer: Json = {"channel": channel.id, "scheduled_message_id": scheduled_id, "post_at": entry["post_at"]}
    return {**answer, "message": slack.for_app(message)}


async def _post_later(slack: Workspace, scheduled_id: str, message: Message, seconds: float) -> None:
    await slack.clock.sleep(seconds)
    if slack.scheduled.pop(scheduled_id, None) is not None:
        message.ts = slack.new_ts()
        slack.post(message)


def scheduled_list(slack: Workspace, call: Call) -> Json:
    """chat.scheduledMessages.list."""
    channel = call.text("channel")
    entries = [each for each in slack.scheduled.values() if channel in ("", each["channel_id"])]
    entries_on_page, following = page(entries, call, 100)
    return {"scheduled_messages": entries_on_page, **following}


def delete_scheduled(slack: Workspace, call: Call) -> Json:
    """chat.deleteScheduledMessage."""
    if slack.scheduled.pop(call.text("scheduled_message_id"), None) is None:
        raise SlackError("invalid_scheduled_message_id")
    return {}


def react(slack: Workspace, call: Call) -> Json:
    """reactions.add."""
    message = stored_message(known_channel(slack, call.text("channel")), call.text("timestamp"))
    who = message.reactions.setdefault(call.need("name").strip(":"), [])
    if slack.app.bot_user in who:
        raise SlackError("already_reacted")
    who.append(slack.app.bot_user)
    slack.changed(message, quietly=True)
    return {}


def unreact(slack: Workspace, call: Call) -> Json:
    """reactions.remove."""
    message = stored_message(known_channel(slack, call.text("channel")), call.text("timestamp"))
    name = call.need("name").strip(":")
    if slack.app.bot_user not in message.reactions.get(name, []):
        raise SlackError("no_reaction")
    message.reactions[name].remove(slack.app.bot_user)
    slack.changed(message, quietly=True)
    return {}


_WRITE, _REACT = ("chat:write",), ("reactions:write",)
METHODS = {
    "chat.postMessage": Method(post_message, Tier.POSTING, _WRITE),
    "chat.postEphemeral": Method(post_ephemeral, Tier.FOUR, _WRITE),
    "chat.update": Method(update, Tier.THREE, _WRITE),
    "chat.delete": Method(delete, Tier.THREE, _WRITE),
    "chat.getPermalink": Method(permalink, Tier.FREE),
    "chat.scheduleMessage": Method(schedule, Tier.THREE, _WRITE),
    "chat.scheduledMessages.list": Method(scheduled_list, Tier.THREE),
    "chat.deleteScheduledMessage": Method(delete_scheduled, Tier.THREE, _WRITE),
    "reactions.add": Method(react, Tier.THREE, _REACT),
    "reactions.remove": Method(unreact, Tier.TWO, _REACT),
}
