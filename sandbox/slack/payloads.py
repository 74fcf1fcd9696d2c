"""The payloads of interactions; field names as in docs.slack.dev and Bolt's fixtures."""

from typing import Any

from sandbox.slack.elements import initial_state
from sandbox.slack.values import Channel, Command, Json, Message, Person, View
from sandbox.slack.workspace import Workspace

TOKEN = "verification-token"  # noqa: S105 - deprecated by Slack, still sent, proves nothing


def slash_command(
    slack: Workspace, person: Person, channel: Channel, *, command: Command, text: str, response_url: str
) -> Json:
    """A slash command; there is no thread in it, because commands don't run in threads."""
    name = "directmessage" if channel.is_im else "privategroup" if channel.is_private else channel.name
    where: Json = {"team_id": slack.id, "team_domain": slack.domain, "channel_id": channel.id, "channel_name": name}
    who: Json = {"user_id": person.id, "user_name": person.name, "command": command.command, "text": text}
    body: Json = {"token": TOKEN, **where, **who, "api_app_id": slack.app.id, "is_enterprise_install": "false"}
    return {**body, "response_url": response_url, "trigger_id": slack.new_trigger(person.id, channel=channel.id)}


def _interaction(slack: Workspace, kind: str, person: Person) -> Json:
    user = {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id}
    body: Json = {"type": kind, "user": user, "api_app_id": slack.app.id, "token": TOKEN, "enterprise": None}
    return {**body, "team": {"id": slack.id, "domain": slack.domain}, "is_enterprise_install": False}


def _place(slack: Workspace, place: Message | View, attachment: int | None) -> Json:
    if isinstance(place, View):
        return {"container": {"type": "view", "view_id": place.id}, "view": slack.view_json(place)}
    channel = slack.channels[place.channel]
    container: Json = {"type": "message", "message_ts": place.ts, "channel_id": place.channel}
    container["is_ephemeral"] = place.ephemeral_to is not None
    if place.thread_ts is not None:
        container["thread_ts"] = place.thread_ts
    if attachment is not None:
        container |= {"type": "message_attachment", "attachment_id": attachment, "is_app_unfurl": False}
    name = "directmessage" if channel.is_im else channel.name
    payload = {"container": container, "channel": {"id": channel.id, "name": name}}
    # Slack doesn't store ephemeral messages: payloads name them without their content.
    return payload if place.ephemeral_to else {**payload, "message": slack.for_app(place, metadata=True)}


def block_actions(
    slack: Workspace, person: Person, place: Message | View, action: Json, attachment: int | None = None
) -> Json:
    """A click or a choice."""
    body = _interaction(slack, "block_actions", person) | _place(slack, place, attachment)
    if isinstance(place, Message):
        trigger = slack.new_trigger(person.id, channel=place.channel)
    else:
        trigger = slack.new_trigger(person.id, view_id=place.id if place.type == "modal" else None)
    body |= {"trigger_id": trigger, "actions": [{**action, "action_ts": slack.new_ts()}]}
    if isinstance(place, Message):
        body["response_url"] = slack.new_response_url(person.id, place.channel, place)
        body["state"] = {"values": message_state(place, person.id)}
    return body


def message_state(message: Message, user: str) -> Json:
    """This person's choices in a message's menus."""
    values = initial_state(message_blocks(message))
    for block_id, actions in message.state.get(user, {}).items():
        for action_id, value in actions.items():
            if action_id in values.get(block_id, {}):
                values[block_id][action_id] = value
    return values


def message_blocks(message: Message) -> list[Json]:
    """All blocks of a message, including those in attachments."""
    return [*message.blocks, *(block for each in message.attachments for block in each.get("blocks") or [])]


def block_suggestion(slack: Workspace, person: Person, place: Message | View, ids: tuple[str, str], value: str) -> Json:
    """A person's text in an external select; `ids` are action_id and block_id."""
    body = _interaction(slack, "block_suggestion", person) | _place(slack, place, None)
    return {**body, "action_id": ids[0], "block_id": ids[1], "value": value}


def view_submission(slack: Workspace, person: Person, view: View) -> Json:
    """A modal that a person submits."""
    body = _interaction(slack, "view_submission", person)
    urls = [url for block in view.blocks for url in _response_url(slack, person, view, block)]
    trigger = slack.new_trigger(person.id, view_id=view.id)
    return {**body, "trigger_id": trigger, "view": slack.view_json(view), "response_urls": urls}


def _response_url(slack: Workspace, person: Person, view: View, block: Json) -> list[Json]:
    element: dict[str, Any] = block.get("element") or {}
    if not element.get("response_url_enabled"):
        return []
    chosen = view.state[block["block_id"]][element["action_id"]]
    channel = chosen.get("selected_conversation") or chosen.get("selected_channel")
    if not channel:
        return []
    ids = {"block_id": block["block_id"], "action_id": element["action_id"], "channel_id": channel}
    return [{**ids, "response_url": slack.new_response_url(person.id, channel)}]


def view_closed(slack: Workspace, person: Person, view: View, *, cleared: bool) -> Json:
    """A modal that a person closes."""
    body = _interaction(slack, "view_closed", person)
    return {**body, "view": slack.view_json(view), "is_cleared": cleared}
