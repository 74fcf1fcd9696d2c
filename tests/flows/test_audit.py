"""Reading the audit: who did what, from which plan, approved by whom."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import POLICY, Conversation, conversation


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    """Bob may read the audit of every site, carol that of berlin."""
    grants = [
        *POLICY["grants"],
        {"name": "bob reads all", "roles": ["auditor"], "to": ["bob"]},
        {"name": "carol reads berlin", "roles": ["auditor"], "to": ["carol"], "sites": ["berlin"]},
    ]
    async with conversation(tmp_path, policy=POLICY | {"grants": grants}) as talk:
        yield talk


async def test_an_operation_s_rows_say_who_asked_who_approved_which_plan_and_what_was_written(
    registry: Conversation,
) -> None:
    await registry.say("deactivate edge01 --site hamburg")
    await registry.say("deploy edge02 --site hamburg")
    await registry.click("Approve", as_="alice")
    await registry.click("Approve", as_="bob")
    await registry.say(f"audit --operation {(await registry.operation('edge02')).id}", as_="bob")

    assert await registry.answer("bob") == snapshot("""\
Registry (only you): *Audit* about `op-1`, newest first
  •  TIME  *Create: Extension edge02* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #15
  •  TIME  *Create: Connected registry edge02* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #14
  •  TIME  *Create: Sync token edge02* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #13
  •  TIME  *Create: Scope map edge02* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #12
  •  TIME  *Create: Image hello-world:latest* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #11
  •  TIME  *Change: Data endpoint of contosoacr* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #10
  •  TIME  *Change: Registration of resource providers* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #9
  •  TIME  *Hold: Service IP 10.112.0.2* for *alice*: Deploy edge02 to hamburg `op-1` (plan `DIGEST`, approved by bob)  ·  #8
  •  TIME  *bob* ran `operation approve op-1 --digest DIGEST`  ·  #7
  •  TIME  *bob* approved Deploy edge02 to hamburg `op-1` (plan `DIGEST`, rule *production needs a second person*)  ·  #6
  :no_entry_sign:  TIME  *alice* was not allowed to run `operation approve op-1 --digest DIGEST` (rule `approval.self`)  ·  #5
  •  TIME  *alice* asked for Deploy edge02 to hamburg `op-1`  ·  #3
  [Export]\
""")


async def test_a_person_s_rows_alone(registry: Conversation) -> None:
    await registry.say("list")
    await registry.say("list --site nowhere", as_="carol")
    await registry.say("ping", as_="dave")
    await registry.say("audit --by @Carol --since 1h", as_="bob")

    assert await registry.answer("bob") == snapshot("""\
Registry (only you): *Audit* by `Carol` since TIME, newest first
  :x:  TIME  *carol* ran `list --site nowhere`, which failed: it named what does not exist  ·  #2
  [Export]\
""")


async def test_only_rows_of_sites_that_a_person_may_read(registry: Conversation) -> None:
    await registry.say("check hamburg")
    await registry.say("check berlin")
    await registry.say("ping")
    await registry.say("audit", as_="carol")
    mine = await registry.answer("carol")
    await registry.say("audit --site hamburg", as_="carol")

    assert mine == snapshot("""\
Registry (only you): *Audit* at `berlin`, newest first
  •  TIME  *alice* ran `check berlin`  ·  #2
  [Export]\
""")
    assert "you need `audit:read` there" in await registry.answer("carol")


async def test_who_may_not_read_it_is_told_which_role_may(registry: Conversation) -> None:
    await registry.say("audit")

    assert await registry.answer() == snapshot(
        "Registry (only you): This needs `audit:read`, which you don't have. The role *auditor* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have."
    )


async def test_nothing_that_matches_is_said_with_what_was_asked_for(registry: Conversation) -> None:
    await registry.say("audit --by nobody --site berlin", as_="bob")

    assert await registry.answer("bob") == snapshot(
        "Registry (only you): The audit has no rows by `nobody` at `berlin`."
    )


async def test_older_rows_are_on_the_next_page(registry: Conversation) -> None:
    for number in range(20):
        await registry.say(f"help topic{number:02}")
    await registry.say("audit --by alice", as_="bob")
    first = await registry.answer("bob")
    await registry.click("Older", as_="bob")
    second = await registry.answer("bob")

    assert ("topic05" in first, "topic04" in first) == (True, False)
    assert ("topic05" in second, "topic04" in second, "topic00" in second) == (False, True, True)


async def test_an_export_has_every_row_with_its_hash_in_a_file_for_the_person_alone(registry: Conversation) -> None:
    for number in range(20):
        await registry.say(f"help topic{number:02}")
    await registry.say("audit --by alice --export", as_="bob")

    assert await registry.answer("bob") == snapshot(
        "Registry (only you): The answer is in your direct messages from this app."
    )
    [file] = await registry.sent_files("bob")
    rows = [json.loads(line) for line in file["content"].splitlines()]
    assert [row["text"] for row in rows] == [f"help topic{number:02}" for number in range(20)]
    assert [row["previous"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert len(await registry.cards("alice")) == 20


async def test_a_time_that_can_not_be_read_gets_a_sentence(registry: Conversation) -> None:
    await registry.say("audit --since yesterday", as_="bob")

    assert await registry.answer("bob") == snapshot(
        "Registry (only you): `yesterday` does not fit `--since`, which takes how long ago, such as `7d` or `12h`, a day such as `2026-11-30`, or a time such as `TIME`."
    )
