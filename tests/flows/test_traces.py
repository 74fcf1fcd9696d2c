"""What an operation leaves in databases, logs, messages and the audit: everything but a secret."""

import base64
import json
import logging
import re
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import chain

import pytest
import structlog
from inline_snapshot import snapshot
from yarl import URL

from services.model.audit import AuditRow
from tests.flows.conversation import Conversation


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that anybody logs, structlog's lines too."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    caplog.set_level(logging.DEBUG)
    yield caplog
    structlog.configure(**before)


@pytest.fixture
async def deployed(logged: pytest.LogCaptureFixture, registry: Conversation) -> Conversation:
    """A deployment that fails once on its way, and a workload."""
    await registry.edge("hamburg", scenario="silent-failure")
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")
    await registry.mended()
    await registry.click("Retry", as_="alice")
    await registry.click("Show details", as_="bob")
    await registry.say("workload deploy edge01 --site hamburg --image hello-world")
    await registry.click("Approve", as_="bob", quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=60)
    await registry.quiet()
    await registry.say("whoami")
    return registry


async def test_no_secret_is_in_any_database(deployed: Conversation) -> None:
    secrets = await _secrets(deployed)
    stored = {
        place: text for place, text in (await deployed.traces()).items() if place not in {"calls of Slack", "logs"}
    }

    assert stored
    assert [secret for secret in secrets if secret.encode() in b"".join(stored.values())] == []


@pytest.mark.only_on("sqlite")
async def test_the_engine_keeps_ids_states_and_addresses_that_open_nothing(deployed: Conversation) -> None:
    with closing(sqlite3.connect(deployed.database.with_name("bot-engine.db"))) as engine:
        inputs = [json.loads(row) for (row,) in engine.execute("SELECT inputs FROM workflow_input")]
        outputs = [json.loads(row) or {} for (row,) in engine.execute("SELECT output FROM operation_outputs")]
    tokens = [output["token"] for output in outputs if output.get("token")]
    addresses = {token["url"] for token in tokens}

    assert all(re.fullmatch(r"op-\w{7}", entry["positionalArgs"][0]) for entry in inputs)
    assert {*chain(*outputs)} == {"correlation_id", "error", "state", "step", "steps", "token", "why"}
    assert {*chain(*tokens)} == {"$", "correlation_id", "facts", "kind", "retry_after", "target", "url"}
    assert any("&s=" in address for address in addresses)
    trusting = ssl.create_default_context(cafile=deployed.box.environment()["SSL_CERT_FILE"])
    answers = [await deployed.http.get(URL(address, encoded=True), ssl=trusting) for address in addresses]
    assert {answer.status for answer in answers} == {401}
    own = {"Authorization": f"Bearer {await _own_token(deployed, trusting)}"}
    answers = [await deployed.http.get(URL(address, encoded=True), ssl=trusting, headers=own) for address in addresses]
    texts = [await answer.text() for answer in answers]
    assert {answer.status for answer in answers} >= {200}
    assert [secret for secret in await _secrets(deployed) if secret in str(texts)] == []


async def test_no_secret_is_in_any_log(deployed: Conversation, logged: pytest.LogCaptureFixture) -> None:
    records = [*logged.get_records("setup"), *logged.records]
    lines = "\n".join(f"{one.getMessage()} {one.__dict__}" for one in records if not one.name.startswith("sandbox"))

    assert "arm.request" in lines
    assert [secret for secret in await _secrets(deployed) if secret in lines] == []


async def test_no_secret_is_in_any_message(deployed: Conversation) -> None:
    calls = str(await deployed.calls(""))

    assert [secret for secret in await _secrets(deployed) if secret in calls] == []


async def test_no_secret_is_in_the_audit(deployed: Conversation) -> None:
    lines = "".join([line async for line in deployed.bot.store.audit.lines()])

    assert [secret for secret in await _secrets(deployed) if secret in lines] == []


async def test_every_command_decision_and_write_has_its_row(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="alice")
    await registry.click("Approve", as_="bob")

    entries = await registry.bot.store.audit.newest()
    assert sorted(_told(entry.row) for entry in entries) == snapshot(
        [
            "command U0ALICE denied: operation approve … --digest … (approval.self)",
            "command U0ALICE done: deploy edge01 --site hamburg (edge operators)",
            "command U0BOB done: operation approve … --digest … (approvers)",
            "decision U0ALICE done: operation start … ()",
            "decision U0BOB done: operation approve … (production needs a second person)",
            "write U0ALICE done: deploy edge01 hamburg: acr.data_endpoint ()",
            "write U0ALICE done: deploy edge01 hamburg: acr.import ()",
            "write U0ALICE done: deploy edge01 hamburg: connected.create ()",
            "write U0ALICE done: deploy edge01 hamburg: extension.install ()",
            "write U0ALICE done: deploy edge01 hamburg: provider.register ()",
            "write U0ALICE done: deploy edge01 hamburg: scope_map.put ()",
            "write U0ALICE done: deploy edge01 hamburg: service_ip.hold ()",
            "write U0ALICE done: deploy edge01 hamburg: sync_token.put ()",
        ]
    )


async def test_a_write_that_failed_has_its_row(registry: Conversation) -> None:
    await registry.fault("azure", "PUT .*/scopeMaps/", status=400, code="BadRequest", message="No.")
    await registry.say("deploy edge01 --site berlin")

    [newest] = await registry.bot.store.audit.newest(limit=1)
    assert _told(newest.row) == snapshot("write U0ALICE failed: deploy edge01 berlin: scope_map.put ()")


async def test_the_end_of_a_request_that_nobody_decided_about_is_in_the_audit(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    registry.time.ahead = timedelta(days=2)
    await registry.bot.services.operations.sweep()

    [newest] = await registry.bot.store.audit.newest(limit=1)
    assert (newest.row.kind, newest.row.person) == ("decision", "bot")
    assert newest.row.text.startswith("operation expire op-")


def _told(row: AuditRow) -> str:
    text = re.sub(r"op-\w{7}|[0-9a-f]{16}", "…", row.text)
    return f"{row.kind} {row.person} {row.outcome}: {text} ({row.rule})"


async def _own_token(talk: Conversation, trusting: ssl.SSLContext) -> str:
    """For Resource Manager, of the bot's own identity."""
    env = talk.box.environment()
    url = f"{env['AZURE_AUTHORITY_HOST']}/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": env["AZURE_CLIENT_ID"]}
    form |= {"client_secret": env["AZURE_CLIENT_SECRET"], "scope": f"{env['AZURE_RESOURCE_MANAGER_URL']}/.default"}
    async with talk.http.post(url, data=form, ssl=trusting) as answer:
        return str((await answer.json())["access_token"])


async def _secrets(talk: Conversation) -> list[str]:
    """What opens something: passwords that reached the cluster, bare and in what they were put into, and the bot's."""
    async with talk.kubectl("hamburg-admin") as core:
        found = await core.list_namespaced_secret("connected-registry")
        pulling = await core.read_namespaced_secret("regcred-hello-world-1", "default")
    held = [base64.b64decode(value).decode() for one in found.items for value in (one.data or {}).values()]
    passwords = re.findall(r"SyncTokenPassword=([^;\s\"]+)", "\n".join(held))
    assert passwords
    encoded = pulling.data[".dockerconfigjson"]
    (login,) = json.loads(base64.b64decode(encoded))["auths"].values()
    passwords += [encoded, login["password"], login["auth"]]
    env = talk.box.environment()
    own = [env[name] for name in ("AZURE_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")]
    return [*passwords, *own, "SyncTokenPassword="]
