"""Messages and slash commands of people."""

import re

from sandbox.slack.answers import take_answer
from sandbox.slack.delivery import Delivery
from sandbox.slack.payloads import slash_command
from sandbox.slack.undelivered import Undelivered
from sandbox.slack.values import Channel, Command, Json, Message, NotPossible, Person, SlackError

_AT = re.compile(r"(?<![\w<])@([\w.\-]+)")
_CHANNEL = re.compile(r"(?<![\w<])#([\w\-]+)")


async def say(delivery: Delivery, person: Person, channel: Channel, text: str, thread_ts: str | None = None) -> Json:
    """Send a text to a conversation; for a command, this returns when the app has acknowledged it."""
    slack = delivery.slack
    if person.id not in channel.members:
        raise NotPossible("not_in_channel", f"You are not in #{channel.name}.")
    if channel.is_archived:
        raise NotPossible("is_archived", f"#{channel.name} is archived.")
    if not text.strip():
        raise NotPossible("no_text", "There is nothing to send.", status=400)
    if text.startswith("/"):
        return await _command(delivery, person, channel, text, thread_ts)
    root = channel.messages.get(thread_ts or "")
    if thread_ts and root is None:
        raise NotPossible("thread_not_found", f"There is no message {thread_ts} in #{channel.name}.", status=404)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    thread = (root.thread_ts or root.ts) if root else None
    message = Message(channel.id, slack.new_ts(), _linked(delivery, escaped), user=person.id, thread_ts=thread)
    slack.post(message)
    return {"ok": True, "ts": message.ts}


def _linked(delivery: Delivery, text: str) -> str:
    """The text with @names and #channels as Slack sends them to apps."""
    slack = delivery.slack
    people = {person.name: person.id for person in slack.people.values()}
    channels = {channel.name: channel for channel in slack.channels.values() if not channel.is_im}

    def at(match: re.Match[str]) -> str:
        return f"<@{people[match[1].lower()]}>" if match[1].lower() in people else match[0]

    def hash_(match: re.Match[str]) -> str:
        return f"<#{channels[match[1]].id}|{match[1]}>" if match[1] in channels else match[0]

    return _CHANNEL.sub(hash_, _AT.sub(at, text))


async def _command(delivery: Delivery, person: Person, channel: Channel, text: str, thread_ts: str | None) -> Json:
    slack = delivery.slack
    name, _, arguments = text.strip().partition(" ")
    command = slack.app.command(name) if person.team_id == slack.id else None
    if command is None:
        raise NotPossible("invalid_command", f"{name} is not a valid command.")
    if thread_ts:
        raise NotPossible("invalid_command", f"{name} is not supported in threads. Sorry!")
    typed = Message(channel.id, slack.new_ts(), text, user=person.id, slash=text, ephemeral_to=person.id)
    slack.post(typed)
    words = _linked(delivery, arguments.strip()) if command.should_escape else arguments.strip()
    try:
        await _run(delivery, person, channel, command=command, text=words, typed=typed)
    except Undelivered as failure:
        message = f'{name} failed with the error "{failure.error}"'
        slack.notice(person.id, message)
        raise NotPossible(failure.error, message, extra={"ts": typed.ts}) from None
    return {"ok": True, "ts": typed.ts}


async def _run(
    delivery: Delivery, person: Person, channel: Channel, *, command: Command, text: str, typed: Message
) -> None:
    slack = delivery.slack
    address = slack.new_response_url(person.id, channel.id)
    payload = slash_command(slack, person, channel, command=command, text=text, response_url=address)
    answer = await delivery.send("slash_commands", payload)
    if not isinstance(answer, dict) or not answer:
        return
    if answer.get("response_type") == "in_channel":
        slack.reveal(typed)
    try:
        take_answer(slack, slack.response_urls[address.removeprefix(f"{slack.base_url}/actions/")], answer)
    except SlackError as error:
        slack.notice(
            person.id, f"{command.command}: the app's answer was refused: {'; '.join(error.messages) or error}"
        )
