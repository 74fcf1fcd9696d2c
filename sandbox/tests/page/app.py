"""A small app as anybody would write it with Bolt, and the blocks that it posts."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

Json = dict[str, Any]


@dataclass
class Heard:
    """What reached the app."""

    actions: list[Json] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    submitted: list[Json] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to let the app acknowledge the button `wait`."""


def plain(words: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": words}


def marked(words: str) -> Json:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": words}


def rich(words: str) -> Json:
    """A rich_text block of one section."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}],
    }


def button(label: str, action_id: str, **more: Any) -> Json:
    """A button."""
    return {"type": "button", "text": plain(label), "action_id": action_id, **more}


def actions(*elements: Json) -> Json:
    """An actions block."""
    return {"type": "actions", "elements": list(elements)}


def section(words: str, **more: Any) -> Json:
    """A section of mrkdwn."""
    return {"type": "section", "text": marked(words), **more}


def plan(*states: str) -> Json:
    """A plan with a task in each of these states."""
    tasks = [
        {
            "type": "task_card",
            "task_id": f"t{number}",
            "title": f"Step {number}",
            "status": state,
            "details": rich("detail"),
        }
        for number, state in enumerate(states, 1)
    ]
    return {"type": "plan", "title": "Deploy edge01 to berlin", "tasks": tasks}


def table(*rows: tuple[str, ...]) -> Json:
    """A table of raw text."""
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text} for text in row] for row in rows]}


def entry(block_id: str, label: str, element: Json, **more: Any) -> Json:
    """An input block whose element is called `value`."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": "value", **element},
        **more,
    }


SITES = [{"text": plain(name), "value": name} for name in ("berlin", "hamburg", "lyon")]
DEPLOY: Json = {
    "type": "modal",
    "callback_id": "deploy",
    "title": plain("Deploy"),
    "submit": plain("Deploy"),
    "blocks": [
        entry("name", "Name", {"type": "plain_text_input"}),
        entry("site", "Site", {"type": "static_select", "options": SITES}),
        entry("images", "Images", {"type": "multi_external_select", "min_query_length": 2}, optional=True),
        entry("file", "File", {"type": "file_input", "filetypes": ["yaml"], "max_files": 1}, optional=True),
    ],
}
REPOSITORIES = ("hello-world", "nginx", "pause")

MANIFEST: Json = {
    "display_information": {"name": "Registry"},
    "features": {
        "bot_user": {"display_name": "Registry"},
        "app_home": {"home_tab_enabled": True},
        "slash_commands": [
            {"command": "/registry", "description": "Run connected registries", "usage_hint": "deploy | show NAME"}
        ],
    },
    "oauth_config": {"scopes": {"bot": ["commands", "chat:write", "files:read"]}},
    "settings": {
        "event_subscriptions": {"bot_events": ["app_home_opened"]},
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


def register(app: AsyncApp, heard: Heard) -> None:
    """All listeners of the app."""

    async def command(ack: AsyncAck, respond: AsyncRespond, client: AsyncWebClient, command: Json) -> None:
        await ack()
        heard.typed.append(command["text"])
        if command["text"] == "deploy":
            await client.views_open(trigger_id=command["trigger_id"], view=DEPLOY)
        else:
            await respond(f"You said *{command['text']}*")

    async def action(ack: AsyncAck, payload: Json) -> None:
        heard.actions.append(payload)
        if payload["action_id"] == "wait":
            await heard.release.wait()
        await ack()

    async def options(ack: AsyncAck, payload: Json) -> None:
        matching = [name for name in REPOSITORIES if payload["value"] in name]
        await ack(options=[{"text": plain(name), "value": name} for name in matching])

    async def submitted(ack: AsyncAck, view: Json) -> None:
        values = view["state"]["values"]
        if values["name"]["value"]["value"] == "taken":
            await ack(response_action="errors", errors={"name": "This name is taken."})
            return
        heard.submitted.append(values)
        await ack()

    async def home(event: Json, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("*3* registries")]})

    app.command("/registry")(command)
    app.action({"action_id": "approve"})(action)
    app.action({"action_id": "wait"})(action)
    app.action({"action_id": "site"})(action)
    app.options("value")(options)
    app.view("deploy")(submitted)
    app.event("app_home_opened")(home)
