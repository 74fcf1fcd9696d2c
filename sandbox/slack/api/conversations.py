"""conversations.* and users.conversations."""

import math
import re
from collections.abc import Iterable

from sandbox.slack.api.access import joined, known_channel, somebody, stored_message
from sandbox.slack.api.call import Call, Method, Tier, page
from sandbox.slack.values import Channel, Json, Message, SlackError
from sandbox.slack.workspace import Workspace

_NAME = re.compile(r"[a-z0-9_\-]{1,80}")
HISTORY, REPLIES = 100, 1000


def _channel(slack: Workspace, channel: Channel, *, members: bool = False) -> Json:
    body: Json = {"id": channel.id, "created": 0, "is_im": channel.is_im, "is_org_shared": False}
    body |= {
        "is_archived": channel.is_archived,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
    }
    body |= {"context_team_id": slack.id, "is_mpim": False, "is_private": channel.is_private}
    if channel.im_with:
        return {**body, "user": channel.im_with, "is_user_deleted": False, "priority": 0}
    body |= {"name": channel.name, "name_normalized": channel.name, "is_channel": not channel.is_private}
    body |= {"is_group": channel.is_private, "is_general": channel.name == "general", "is_pending_ext_shared": False}
    body |= {
        "is_member": slack.app.bot_user in channel.members,
        "shared_team_ids": sorted({slack.people[user].team_id for user in channel.members} | {slack.id}),
    }
    body |= {
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }
    return {**body, "num_members": len(channel.members)} if members else body


def info(slack: Workspace, call: Call) -> Json:
    """conversations.info."""
    channel = known_channel(slack, call.text("channel"))
    needed = {"channel": "channels:read", "group": "groups:read", "im": "im:read"}[channel.channel_type]
    if not slack.app.has_scope(needed):
        provided = ",".join(sorted(slack.app.scopes or ()))
        raise SlackError("missing_scope", extra={"needed": needed, "provided": provided})
    return {"channel": _channel(slack, channel, members=call.flag("include_num_members"))}


def every(slack: Workspace, call: Call) -> Json:
    """conversations.list: the conversations that are visible to the app, by `types`."""
    me = slack.app.bot_user
    visible = [each for each in slack.channels.values() if not each.is_private or me in each.members]
    if call.flag("exclude_archived"):
        visible = [each for each in visible if not each.is_archived]
    channels, following = page([_channel(slack, each, members=True) for each in _of_types(visible, call)], call, 100)
    return {"channels": channels, **following}


def of_user(slack: Workspace, call: Call) -> Json:
    """users.conversations: those of which a person, by default the app, is a member."""
    user = somebody(slack, call.text("user", slack.app.bot_user)).id
    theirs = [each for each in slack.channels.values() if user in each.members]
    me = slack.app.bot_user
    shared = [each for each in theirs if not each.is_private or me in each.members]
    channels, following = page([_channel(slack, each) for each in _of_types(shared, call)], call, 100)
    return {"channels": channels, **following}


def _of_types(channels: Iterable[Channel], call: Call) -> list[Channel]:
    types = call.text("types", "public_channel").split(",")
    names = {"channel": "public_channel", "group": "private_channel", "im": "im"}
    return [channel for channel in channels if names[channel.channel_type] in types]


def members(slack: Workspace, call: Call) -> Json:
    """conversations.members."""
    users, following = page(known_channel(slack, call.text("channel")).members, call, 100)
    return {"members": users, **following}


def history(slack: Workspace, call: Call) -> Json:
    """conversations.history: newest first."""
    channel = joined(slack, call)
    top = [each for each in channel.messages.values() if each.at_top and _readable(each)]
    matching = [message for message in reversed(top) if _between(message, call)]
    messages, following = page(matching, call, HISTORY)
    has_more = bool(following["response_metadata"]["next_cursor"])
    return {
        "messages": _rendered(slack, messages, call),
        "has_more": has_more,
        "pin_count": 0,
        **(following if has_more else {}),
    }


def replies(slack: Workspace, call: Call) -> Json:
    """conversations.replies: the root, then its replies, oldest first."""
    channel = joined(slack, call)
    message = channel.messages.get(call.need("ts"))
    if message is None or not _readable(message):
        raise SlackError("thread_not_found")
    root = stored_message(channel, message.thread_ts or message.ts)
    thread = [each for each in channel.replies.get(root.ts, []) if _readable(each) and _between(each, call)]
    messages, following = page([root, *thread], call, REPLIES)
    has_more = bool(following["response_metadata"]["next_cursor"])
    return {"messages": _rendered(slack, messages, call), "has_more": has_more, **(following if has_more else {})}


def _readable(message: Message) -> bool:
    return message.ephemeral_to is None and message.slash is None


def _between(message: Message, call: Call) -> bool:
    oldest, latest = _moment(call, "oldest", 0), _moment(call, "latest", math.inf)
    at = float(message.ts)
    return oldest <= at <= latest if call.flag("inclusive") else oldest < at < latest


def _moment(call: Call, name: str, default: float) -> float:
    try:
        return float(call.text(name) or default)
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _rendered(slack: Workspace, messages: list[Message], call: Call) -> list[Json]:
    metadata = call.flag("include_all_metadata")
    return [slack.for_app(message, metadata=metadata) for message in messages]


def open_direct(slack: Workspace, call: Call) -> Json:
    """conversations.open: with one person, or an open one by id."""
    if name := call.text("channel"):
        channel = known_channel(slack, name)
    else:
        users = [user for user in call.need("users").split(",") if user]
        if len(users) > 1:
            raise SlackError("method_not_supported_for_channel_type")
        channel = slack.direct(somebody(slack, users[0]).id)
    body = _channel(slack, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": body, "no_op": False, "already_open": False}


def join(slack: Workspace, call: Call) -> Json:
    """conversations.join."""
    channel = known_channel(slack, call.text("channel"))
    if channel.is_im or channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    answer: Json = {"channel": _channel(slack, channel)}
    if slack.app.bot_user in channel.members:
        return {**answer, "warning": "already_in_channel"}
    slack.enter(channel, slack.app.bot_user)
    return {"channel": _channel(slack, channel)}


def create(slack: Workspace, call: Call) -> Json:
    """conversations.create: the app is its first member."""
    name = call.need("name")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name_specials")
    if slack.find_channel(name) is not None:
        raise SlackError("name_taken")
    private = call.flag("is_private")
    channel = Channel(slack.new_id("C"), name, [slack.app.bot_user], is_private=private)
    slack.channels[channel.id] = channel
    slack.feed.publish({"type": "state"})
    return {"channel": _channel(slack, channel)}


def invite(slack: Workspace, call: Call) -> Json:
    """conversations.invite."""
    channel = joined(slack, call)
    if channel.is_archived:
        raise SlackError("is_archived")
    users = [somebody(slack, user).id for user in call.need("users").split(",")]
    if all(user in channel.members for user in users):
        raise SlackError("already_in_channel")
    for user in users:
        slack.enter(channel, user)
    return {"channel": _channel(slack, channel)}


def kick(slack: Workspace, call: Call) -> Json:
    """conversations.kick."""
    channel, user = joined(slack, call), somebody(slack, call.need("user")).id
    if user == slack.app.bot_user:
        raise SlackError("cant_kick_self")
    if user not in channel.members:
        raise SlackError("not_in_channel")
    slack.leave(channel, user)
    return {}


def leave(slack: Workspace, call: Call) -> Json:
    """conversations.leave."""
    channel = known_channel(slack, call.text("channel"))
    if slack.app.bot_user not in channel.members:
        return {"not_in_channel": True}
    slack.leave(channel, slack.app.bot_user)
    return {}


_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_MANAGE = ("channels:manage", "groups:write")
METHODS = {
    "conversations.info": Method(info, Tier.THREE, _READ),
    "conversations.list": Method(every, Tier.TWO, _READ),
    "conversations.members": Method(members, Tier.FOUR, _READ),
    "conversations.history": Method(history, Tier.THREE, _HISTORY),
    "conversations.replies": Method(replies, Tier.THREE, _HISTORY),
    "conversations.open": Method(open_direct, Tier.THREE, ("im:write", "mpim:write")),
    "conversations.join": Method(join, Tier.THREE, ("channels:join",)),
    "conversations.create": Method(create, Tier.TWO, _MANAGE),
    "conversations.invite": Method(invite, Tier.THREE, (*_MANAGE, "channels:write.invites")),
    "conversations.kick": Method(kick, Tier.THREE, _MANAGE),
    "conversations.leave": Method(leave, Tier.THREE, (*_MANAGE, "channels:join")),
    "users.conversations": Method(of_user, Tier.THREE, _READ),
}
