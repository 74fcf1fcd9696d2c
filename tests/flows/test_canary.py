"""The search for secrets at the end of each conversation finds them in every form that texts give them."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.flows import canary
from tests.flows.conversation import Conversation

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": lambda secret: json.dumps({"password": secret}),
    "url": lambda secret: quote(f"password={secret}&", safe=""),
    "hex": lambda secret: secret.encode().hex(),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "a login in base64": lambda secret: base64.b64encode(f"edge01:{secret}".encode()).decode(),
    "a connection string in base64": lambda secret: base64.b64encode(f"SyncTokenPassword={secret};".encode()).decode(),
}


@pytest.mark.only_on("sqlite")
async def test_every_secret_is_found_in_every_form(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")

    secrets = canary.secrets_of(registry.box)
    env = registry.box.environment()
    assert {env["SLACK_BOT_TOKEN"], env["SLACK_APP_TOKEN"], env["AZURE_CLIENT_SECRET"]} < secrets
    assert len(secrets) >= 8
    missed = [
        (name, secret)
        for secret in secrets
        for name, form in FORMS.items()
        if not canary.leaks(registry.box, {"a log": form(f"x{secret}").encode()})
    ]
    assert missed == []

    texts = await registry.traces()
    assert {"calls of Slack", "logs", "bot.db", "bot-engine.db"} <= texts.keys()
    assert b"arm.request" in texts["logs"]
