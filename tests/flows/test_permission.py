"""Who may do what, and what the bot says to words that it does not know."""

from pathlib import Path

from inline_snapshot import snapshot

from sandbox.azure.cloud import ConnectedRegistry, Origin, ScopeMap, Token
from tests.flows.conversation import POLICY, Conversation, conversation


async def test_a_viewer_learns_privately_which_role_would_let_them(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin", as_="dave")

    assert await registry.transcript() == snapshot("""\
dave   /registry deploy edge01 --site berlin
bot    (only dave) This needs `registry:write`, which you don't have. The role *operator* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")


async def test_a_guest_is_refused(registry: Conversation) -> None:
    registry.channel, registry.people = "general", ("greta",)
    await registry.say("list", as_="greta")

    assert await registry.transcript() == snapshot("""\
greta  /registry list
bot    (only greta) Guests can't do this unless the access file names them.\
""")


async def test_in_a_channel_that_others_read_nothing_is_said(registry: Conversation) -> None:
    registry.channel, registry.people = "shared-fabrikam", ("alice", "eve")
    await registry.say("list")
    await registry.say("operation list", as_="eve")

    assert await registry.transcript() == snapshot("""\
alice  /registry list
bot    (only alice) People from other organisations can read this channel, so the bot does not answer here. Use another one.
eve    /registry operation list\
""")


async def test_somebody_of_another_workspace_cannot_approve(shared: Conversation) -> None:
    await shared.say("deploy edge01 --site hamburg")
    await shared.click("Approve", as_="eve")

    assert await shared.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
eve    [Approve]
bot    (only eve) This bot works only for members of its own workspace.\
""")
    assert (await shared.operation()).state == "waiting"


async def test_a_card_stands_still_while_people_of_other_organisations_read_along(registry: Conversation) -> None:
    async def texts() -> list[str]:
        return [card["text"] for card in await registry.cards()]

    async def is_rejected() -> bool:
        return (await registry.operation()).state == "rejected" and not registry.bot.board.waiting

    await registry.say("deploy edge01 --site hamburg")
    await registry.post("channel", channel="edge-ops", shared=True)
    await registry.restart()
    registry.channel = "general"
    rejection = f'operation reject {(await registry.operation()).id} --reason "not now"'
    await registry.say(rejection, as_="bob", quiet=False)
    await registry.until(is_rejected)
    registry.channel = "edge-ops"
    meanwhile = await texts()
    await registry.post("channel", channel="edge-ops", shared=False)
    await registry.restart()
    await registry.quiet()

    assert meanwhile == ["Deploy edge01 to hamburg: waiting for approval"]
    assert await texts() == ["Deploy edge01 to hamburg: rejected by bob"]


async def test_a_change_is_not_begun_where_the_bot_could_not_tell_of_it(registry: Conversation) -> None:
    registry.channel, registry.people = "not-invited", ("alice",)
    await registry.say("deploy edge01 --site berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    (only alice) The bot is not in this channel, so it could not report the progress here. Invite it (type `/invite` and choose the app), then run the command again.\
""")


async def test_a_viewer_may_not_stop_what_others_asked_for(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Cancel", as_="dave")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
dave   [Cancel]
bot    (only dave) This needs `operation:cancel`, which you don't have. The role *operator* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")


async def test_an_unknown_command_gets_the_nearest_one_ready_to_copy(registry: Conversation) -> None:
    await registry.say("deplyo edge01 --site berlin")
    await registry.say("operation aprove op-2345678", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deplyo edge01 --site berlin
bot    (only alice) There is no command `deplyo`. Did you mean `/registry deploy`?
       /registry deploy edge01 --site berlin   [Run this]
bob    /registry operation aprove op-1
bot    (only bob) There is no command `operation aprove`. Did you mean `/registry operation approve`, `/registry operation retry` or `/registry operation cancel`?
       /registry operation approve op-1   [Run this]\
""")


async def test_an_unknown_option_gets_the_nearest_one(registry: Conversation) -> None:
    await registry.say("deploy edge01 --sight berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --sight berlin
bot    (only alice) There is no option `--sight`. Did you mean `--site`?
       /registry deploy edge01 --site berlin   [Run this]\
""")


async def test_an_unknown_site_gets_the_nearest_one(registry: Conversation) -> None:
    await registry.say("check berln")

    assert await registry.transcript() == snapshot("""\
alice  /registry check berln
bot    (only alice) There is no site `berln`. Did you mean `berlin`?
       /registry check berlin   [Run this]\
""")


async def test_an_unknown_registry_gets_the_nearest_one_that_azure_has(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("show egde01 --site berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online
alice  /registry show egde01 --site berlin
bot    (only alice) There is no connected registry `egde01`. Did you mean `edge01`?
       /registry show edge01 --site berlin   [Run this]\
""")


async def test_a_slip_in_an_operation_s_id_gets_the_right_one(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    operation = await registry.operation()
    await registry.say(f"operation show {operation.id[:-1]}")

    assert "Did you mean `op-" in await registry.answer()


async def test_an_id_like_no_operation_s_is_not_mended_to_another_one_s(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.say("operation cancel op-0000000")

    assert (await registry.answer()).endswith("`/registry operation list` shows the newest operations.")


async def test_what_a_phone_makes_of_dashes_and_quotes_is_understood(registry: Conversation) -> None:
    await registry.say("deploy edge01 —site “berlin” –dry-run")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 —site “berlin” –dry-run
bot    (only alice) Deploy edge01 to berlin: dry run\
""")


async def test_a_value_that_breaks_a_rule_is_told_before_anything_begins(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --service-ip 10.96.0.300")
    await registry.say("deploy edge01 --site berlin --schedule '0 3 * * *'")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin --service-ip 10.96.0.300
bot    (only alice) `10.96.0.300` is not an IP address, which `--service-ip` takes.
alice  /registry deploy edge01 --site berlin --schedule '0 3 * * *'
bot    (only alice) The schedule `0 3 * * *` needs `--window`, the time a sync may take, such as `3h`.\
""")


async def test_whoami_tells_what_a_denial_takes_away(tmp_path: Path) -> None:
    denial = {"name": "carol only looks on", "permissions": ["registry:write"], "to": ["carol"]}
    async with conversation(tmp_path, policy=POLICY | {"denials": [denial]}) as talk:
        await talk.say("whoami", as_="carol")
        answer = await talk.answer("carol")

    assert (
        "Regardless of your roles, you may not use:\n  • `registry:write` at every site (rule _carol only looks on_)"
        in answer
    )


async def test_what_is_at_a_site_without_rights_is_neither_shown_nor_named(tmp_path: Path) -> None:
    readers = {"name": "readers of berlin", "roles": ["operator"], "to": ["everyone"], "sites": ["berlin"]}
    policy = POLICY | {"grants": [*POLICY["grants"][:2], readers]}
    async with conversation(tmp_path, policy=policy) as talk:
        await talk.say("deploy edge02 --site hamburg")
        await talk.click("Approve", as_="bob")
        operation = (await talk.operation("edge02")).id
        talk.said.clear()
        await talk.say("operation list", as_="dave")
        await talk.say(f"operation show {operation}", as_="dave")
        await talk.say(f"operation show {operation[:-1]}", as_="dave")
        await talk.say("list --site hambrug", as_="dave")
        await talk.say("list", as_="dave")
        hidden = await talk.answer("dave")
        await talk.say("show edge02", as_="dave")
        await talk.say("token list edge02", as_="dave")
        await talk.say("site list", as_="dave")
        await talk.say("alert show al-2345678", as_="dave")

        assert talk.box.azure
        [acr] = [one for one in talk.box.azure.cloud.registries.values() if one.name == "contosoacr"]
        origin, now = Origin.now("somebody", talk.box.clock.now()), talk.box.clock.now()
        for name, parent in (("plant", None), ("edge02", "plant")):
            acr.connected.setdefault(name, ConnectedRegistry(name, "ReadWrite", name, origin)).parent = parent
        gateways = [f"gateway/{name}/config/read" for name in ("plant", "edge02")]
        acr.scope_maps["plant"] = ScopeMap("plant", gateways, now, origin)
        acr.tokens["plant"] = Token("plant", "plant", now, origin)
        acr.connected["plant"].client_tokens = acr.connected["edge02"].client_tokens = ["/tokens/plant"]
        transcript = await talk.transcript()
        relatives = []
        for line in ("permissions show plant", "token list plant"):
            await talk.say(line, as_="dave")
            relatives.append(await talk.answer("dave"))

        assert "edge02" not in str(relatives)
        assert "1 connected registry above or below it at sites that you may not read" in relatives[0]
        assert "1 connected registry at sites that you may not read." in hidden
        assert transcript.replace(operation[:-1], "OPERATION") == snapshot("""\
dave   /registry operation list
bot    (only dave) There are no operations yet.
dave   /registry operation show op-1
bot    (only dave) You may do this elsewhere, but not at `hamburg` (production): you need `operation:read` there. The role *viewer*, *operator*, *approver* or *admin* includes it; the access file grants roles.
dave   /registry operation show OPERATION
bot    (only dave) There is no operation `OPERATION`. `/registry operation list` shows the newest operations.
dave   /registry list --site hambrug
bot    (only dave) There is no site `hambrug`. There is only `berlin`.
dave   /registry list
bot    (only dave) There is no connected registry that you may read.
dave   /registry show edge02
bot    (only dave) You may do this elsewhere, but not at `hamburg` (production): you need `registry:read` there. The role *viewer*, *operator*, *approver* or *admin* includes it; the access file grants roles.
dave   /registry token list edge02
bot    (only dave) You may do this elsewhere, but not at `hamburg` (production): you need `registry:read` there. The role *viewer*, *operator*, *approver* or *admin* includes it; the access file grants roles.
dave   /registry site list
bot    (only dave) 1 site
dave   /registry alert show al-2345678
bot    (only dave) There is no alert `al-2345678`. `/registry alert list` shows the open alerts.\
""")


async def test_the_line_that_was_meant_is_run_by_its_button(registry: Conversation) -> None:
    await registry.say("`chekc Berlin`")
    await registry.click("Run this", as_="alice")

    assert (await registry.answer()).startswith("Registry (only you)")
    assert "berlin" in await registry.answer()


async def test_a_line_is_read_as_it_was_meant(registry: Conversation) -> None:
    lines = (
        "帮助",
        "list \uff0d\uff0dsite\uff1dberlin",
        "• List --SITE Berlin",
        "/registry /registry list",
        "列表",
        "@registry list",
    )
    for line in lines:
        await registry.say(line)

    entries = await registry.bot.store.audit.newest()
    assert [entry.row.outcome for entry in entries] == ["done"] * len(lines)


async def test_a_secret_that_was_typed_by_mistake_is_not_kept(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --password hunter2")

    entries = await registry.bot.store.audit.newest()
    assert [entry.row.text for entry in entries] == ["deploy edge01 --site berlin --password [removed]"]


async def test_a_command_of_endless_length_is_refused_at_once(registry: Conversation) -> None:
    await registry.say("a-" * 3000)

    assert "too long" in await registry.answer()
