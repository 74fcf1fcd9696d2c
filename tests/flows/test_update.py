"""Changing the settings of a connected registry, as a conversation."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from sandbox.azure.cloud import Origin, Token
from tests.flows.conversation import Conversation
from tests.flows.worlds import Surroundings

LINE = 'update edge01 --site berlin --schedule "0 3 * * *" --window 3h'


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


def cloud(registry: Surroundings) -> Any:
    """The cloud registry inside the sandbox, for what people do to it without the bot."""
    assert registry.box.azure
    return registry.box.azure.cloud.registries["contosoacr"]


def make_tokens(registry: Surroundings, *names: str) -> None:
    """Tokens that somebody has made there."""
    now = registry.box.clock.now()
    for name in names:
        cloud(registry).tokens[name] = Token(name, "_repositories_pull", now, Origin.now("somebody", now))


async def test_what_is_named_changes_and_the_card_shows_old_and_new(deployed: Conversation) -> None:
    await deployed.say(
        f"{LINE} --message-ttl 5d --log-level Debug --notification hello-world:push --gc off --audit-logs on"
    )

    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Update edge01 at berlin*  ·  updated
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Schedule* 0 3 * * *
  *Sync window* 3 h
  *Message TTL* 5 d
  *Log level* Debug
  *Notifications* hello-world:push
  *Garbage collection* off
  *Audit logs* on
  *Took* N s
  [Show details]\
""")
    changed = cloud(deployed).connected["edge01"]
    assert (changed.schedule, changed.sync_window, changed.message_ttl) == snapshot(("0 3 * * *", "PT03H00M00S", "P5D"))
    assert (changed.log_level, changed.notifications) == snapshot(("Debug", ["hello-world:push"]))
    assert (changed.gc_enabled, changed.gc_schedule, changed.audit_log) == (False, "0 0 * * *", "Enabled")


async def test_production_waits_for_a_second_person_and_client_tokens_of_others_stay(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")
    registry.said.clear()
    make_tokens(registry, "till", "scanner")
    await registry.say("update edge01 --site hamburg --notification hello-world:push --add-client-token till")
    at_acr = registry.bot.services.sites["hamburg"].acr_ref.id
    cloud(registry).connected["edge01"].client_tokens.append(f"{at_acr}/tokens/scanner")
    await registry.click("Approve", as_="bob", card="Update")
    await registry.say("update edge01 --site hamburg --no-notifications --remove-client-token TILL --dry-run")

    assert await registry.transcript() == snapshot("""\
alice  /registry update edge01 --site hamburg --notification hello-world:push --add-client-token till
bot    Update edge01 at hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Update edge01 at hamburg: updated, approved by bob
alice  /registry update edge01 --site hamburg --no-notifications --remove-client-token TILL --dry-run
bot    (only alice) Update edge01 at hamburg: dry run\
""")
    assert await registry.answer() == snapshot("""\
Registry (only you): :mag:  *Update edge01 at hamburg*  ·  dry run
  requested by @alice TIME  ·  production  ·  `op-1`
  *Plan: 3 steps*
  :white_circle:  Change: Settings of edge01  ·  notifications hello-world:push → none
  :white_circle:  Change: Client tokens of edge01  ·  remove TILL: scanner and till → scanner
  :white_circle:  Verify: edge01 shows them
  This was a dry run: nothing was written.
  [Show details]\
""")


async def test_what_is_as_asked_for_is_not_sent_again(deployed: Conversation) -> None:
    make_tokens(deployed, "till")
    await deployed.say(f"{LINE} --gc on")
    await deployed.say(f"{LINE} --gc on --remove-client-token till")

    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Update edge01 at berlin*  ·  nothing to change
  requested by @alice TIME  ·  development  ·  `op-1`
  2 steps, kept as they are
  There was nothing to do: everything is as requested.
  [Show details]\
""")
    assert len(await deployed.requests("PATCH .*/connectedRegistries/edge01")) == 1


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (
            "",
            snapshot(
                "Registry (only you): Nothing is to change. Name at least one setting: `--schedule`, `--window`, `--message-ttl`, `--log-level`, `--notification`, `--no-notifications`, `--gc`, `--gc-schedule`, `--add-client-token` or `--remove-client-token`."
            ),
        ),
        (
            "--schedule daily",
            snapshot(
                """\
Registry (only you): `--schedule` needs five fields (minute, hour, day of the month, month, day of the week); this has 1. Did you mean `0 0 * * *`?
  ```daily
       ^```
  /registry update edge01 --site berlin --schedule "0 0 * * *"
  [Run this]\
"""
            ),
        ),
        (
            "--gc-schedule daily",
            snapshot(
                """\
Registry (only you): `--gc-schedule` needs five fields (minute, hour, day of the month, month, day of the week); this has 1. Did you mean `0 0 * * *`?
  ```daily
       ^```
  /registry update edge01 --site berlin --gc-schedule "0 0 * * *"
  [Run this]\
"""
            ),
        ),
        (
            "--add-client-token till --remove-client-token TILL",
            snapshot(
                "Registry (only you): `till` stands in `--add-client-token` and in `--remove-client-token`: leave it out of one of them."
            ),
        ),
        ("--window 10m", snapshot("Registry (only you): 10 min is out of range: `--window` takes 1 h to 7 d.")),
        (
            "--notification hello-world",
            snapshot(
                "Registry (only you): `hello-world` is not a notification. Use `NAME:ACTION` or `NAME:TAG:ACTION` with the action `push`, `delete` or `*`, such as `hello-world:push`."
            ),
        ),
        (
            "--notification hello-world:push --no-notifications",
            snapshot(
                "Registry (only you): `--no-notifications` and `--notification` contradict each other: leave one out."
            ),
        ),
    ],
)
async def test_a_slip_is_answered_at_once_and_privately(registry: Conversation, options: str, answer: str) -> None:
    await registry.say(f"update edge01 --site berlin {options}")

    assert await registry.answer() == answer


async def test_a_schedule_without_a_window_and_wrong_names_block(deployed: Conversation) -> None:
    await deployed.say('update edge01 --site berlin --schedule "0 3 * * *"')
    window = await deployed.blockers()
    await deployed.say("update edge01 --site berlin --add-client-token edge02 --remove-client-token till")
    token = await deployed.blockers()
    await deployed.say("update edge10 --site berlin --log-level Debug")

    assert window == snapshot("""\
  :no_entry:  The schedule `0 3 * * *` needs a sync window, and `edge01` has none.
  Add `--window`, such as `--window 3h`.\
""")
    assert token == snapshot("""\
  :no_entry:  The cloud registry `contosoacr` has no such tokens: `edge02` and `till`.
  Check the names; similar ones: `edge01`. Create those that are missing with `az acr token create`.
  `az acr token list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""")
    assert await deployed.blockers() == snapshot("""\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""")


async def test_a_reply_that_was_lost_is_no_reason_to_fail(deployed: Conversation) -> None:
    await deployed.fault("azure", "PATCH .*/connectedRegistries/edge01", "lose_reply")
    await deployed.say(LINE)

    assert (await deployed.operation()).state == "succeeded"


async def test_what_azure_refuses_fails_and_a_retry_goes_on(deployed: Conversation) -> None:
    line = "PATCH .*/connectedRegistries/edge01"
    await deployed.fault("azure", line, status=403, code="AuthorizationFailed", message="No.")
    await deployed.say(LINE)
    failed = await deployed.card_of("berlin")
    await deployed.click("Retry", as_="carol")

    assert failed == snapshot("""\
Registry: :x:  *Update edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 2 steps done, stopped at *Change: Settings of edge01*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Left behind: perhaps Settings of edge01.
  [Retry] [Show details]\
""")
    assert (await deployed.operation()).state == "succeeded"
