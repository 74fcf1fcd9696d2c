"""Resolves arguments to conversations, messages and persons, and checks the app's access."""

from sandbox.slack.api.call import Call
from sandbox.slack.values import Channel, Message, Person, SlackError
from sandbox.slack.workspace import Workspace


def known_channel(slack: Workspace, name: str) -> Channel:
    """A conversation that is visible to the app; raises SlackError `channel_not_found`."""
    channel = slack.find_channel(name)
    hidden = channel is not None and channel.is_private and slack.app.bot_user not in channel.members
    if channel is None or hidden:
        raise SlackError("channel_not_found")
    return channel


def target(slack: Workspace, name: str) -> Channel:
    """The target of a message: a conversation that the app is in, or a person; raises SlackError."""
    if name in slack.people:
        if slack.people[name].team_id != slack.id or name == slack.app.bot_user:
            raise SlackError("channel_not_found")
        return slack.direct(name)
    channel = known_channel(slack, name)
    if slack.app.bot_user not in channel.members and not slack.app.has_scope("chat:write.public"):
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def joined(slack: Workspace, call: Call) -> Channel:
    """The conversation of the call, which the app has to be in."""
    channel = known_channel(slack, call.text("channel"))
    if slack.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def stored_message(channel: Channel, ts: str) -> Message:
    """A message of the Web API, which has neither ephemeral messages nor typed commands."""
    message = channel.messages.get(ts)
    if message is None or message.ephemeral_to is not None or message.slash is not None:
        raise SlackError("message_not_found")
    return message


def somebody(slack: Workspace, user: str) -> Person:
    """A person by id; raises SlackError `user_not_found`."""
    person = slack.people.get(user)
    if person is None:
        raise SlackError("user_not_found")
    return person


def root_of(channel: Channel, thread_ts: str) -> str | None:
    """The `ts` of the thread that a reply belongs to; None for a message outside of threads."""
    if not thread_ts:
        return None
    message = channel.messages.get(thread_ts)
    if message is None:
        raise SlackError("thread_not_found")
    if message.ephemeral_to is not None:
        raise SlackError("cannot_reply_to_message")
    return message.thread_ts or message.ts
