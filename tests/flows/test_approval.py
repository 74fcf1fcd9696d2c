"""Who approves, what an approval is good for, and what becomes of requests that nobody decides about."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import POLICY, Conversation, conversation


async def test_an_operator_may_not_approve(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="carol")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
carol  [Approve]
bot    (only carol) This needs `operation:approve`, which you don't have. The role *approver* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")


async def test_two_different_people_have_to_approve(careful: Conversation) -> None:
    await careful.say("deploy edge01 --site hamburg")
    await careful.click("Approve", as_="bob")
    await careful.click("Approve", as_="bob")
    assert "Needs one approval from edge-approvers or dave. bob approved." in await careful.card()
    await careful.click("Approve", as_="dave")

    assert await careful.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bob    [Approve]
bot    (only bob) You have already decided about this request. It is waiting for somebody else.
dave   [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob and dave\
""")


async def test_the_approval_of_somebody_who_has_left_since_does_not_count(careful: Conversation) -> None:
    await careful.say("deploy edge01 --site hamburg")
    await careful.click("Approve", as_="bob")
    assert careful.box.slack
    people = careful.box.slack.workspace.people
    people["U0BOB"] = replace(people["U0BOB"], deleted=True)
    await careful.click("Approve", as_="dave")

    assert (await careful.operation()).state == "waiting"
    assert (await careful.thread())[2:] == [
        ":no_entry_sign:  The approval of bob no longer counts, since they may not decide about this any more.",
        ":thumbsup:  Approved by dave. 1 more approval needed",
    ]
    assert "Needs one approval from edge-approvers or dave. dave approved." in await careful.card()


@pytest.mark.everywhere
async def test_two_who_approve_at_the_same_moment_start_one_run(careful: Conversation) -> None:
    await careful.say("deploy edge01 --site hamburg")
    await asyncio.gather(
        careful.click("Approve", as_="bob", quiet=False), careful.click("Approve", as_="dave", quiet=False)
    )
    await careful.quiet()

    operation = await careful.operation()
    assert (operation.state, operation.attempt) == ("succeeded", 1)
    assert len(await careful.requests("POST .*generateCredentials")) == 1


async def test_a_request_that_too_few_could_approve_is_refused_at_once(tmp_path: Path) -> None:
    rule = POLICY["approvals"][0] | {"count": 2}
    async with conversation(tmp_path, policy=POLICY | {"approvals": [rule]}) as talk:
        await talk.say("deploy edge01 --site hamburg")

        assert await talk.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    (only alice) Too few people could approve this: the rule *production needs a second person* needs 2 approvers, but only 1 could approve. More approvers have to be added to the access file, or to its user groups in Slack.\
""")


async def test_a_request_to_a_user_group_that_slack_does_not_have_is_refused_at_once(tmp_path: Path) -> None:
    groups = {"edge-approvers": "S0DISBANDED"}
    async with conversation(tmp_path, policy=POLICY | {"groups": groups}) as talk:
        await talk.say("deploy edge01 --site hamburg")

        assert "needs 1 approver, but only 0 could approve" in await talk.transcript()
        assert await talk.bot.store.operations.find() == ()


async def test_an_approval_of_a_plan_that_is_no_longer_asked_for_does_not_count(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.say(f"operation approve {(await registry.operation()).id} --digest 0123456789abcdef", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    /registry operation approve op-1 --digest DIGEST
bot    (only bob) The plan of `op-1` has changed. Read its card again before you decide.\
""")


async def test_a_decision_about_one_that_has_ended_is_refused(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say(f"operation approve {(await registry.operation()).id}", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online
bob    /registry operation approve op-1
bot    (only bob) `op-1` has succeeded. This is only possible for an operation that is waiting for approval.\
""")


@pytest.mark.everywhere
async def test_an_approver_rejects_with_a_reason_that_everybody_reads(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Reject…", as_="bob")
    await registry.fill(as_="bob", reason="Not before Monday")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Reject…]
bob    (form) reason=Not before Monday
bot    Deploy edge01 to hamburg: rejected by bob\
""")
    assert "> Not before Monday" in await registry.card()
    assert await registry.leases() == frozenset()


async def test_a_viewer_may_not_reject(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Reject…", as_="dave")
    refused = await registry.fill(as_="dave", reason="I do not like it")

    assert refused["errors"]["reason"] == snapshot(
        "The rule production needs a second person leaves this decision to edge-approvers."
    )
    assert (await registry.operation()).state == "waiting"


async def test_the_requester_takes_it_back(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Reject…", as_="alice")
    await registry.fill(as_="alice", reason="Wrong site")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
alice  [Reject…]
alice  (form) reason=Wrong site
bot    Deploy edge01 to hamburg: rejected by alice\
""")


async def test_a_request_is_reminded_of_once_and_then_expires(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.wait_until(timedelta(hours=22, minutes=1))
    await registry.wait_until(timedelta(minutes=1))
    reminded = [line for line in await registry.thread() if "expires" in line]
    await registry.wait_until(timedelta(hours=2))

    assert reminded == snapshot([":alarm_clock:  @edge-approvers this request expires TIME."])
    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
       (22:01:00 later)
       (0:01:00 later)
       (2:00:00 later)
bot    Deploy edge01 to hamburg: expired\
""")
    assert await registry.leases() == frozenset()


async def test_an_approval_that_comes_too_late_does_not_count(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    registry.time.ahead = timedelta(days=2)
    await registry.click("Approve", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    (only bob) This request has expired. Run the command again for a new one.\
""")


async def test_the_thread_calls_for_a_decision_and_tells_of_it(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")

    assert await registry.thread() == snapshot(
        [
            ":raised_hand:  @edge-approvers please look at the plan above and decide.",
            ":thumbsup:  Approved by bob",
            ":white_check_mark:  Hold: Service IP 10.112.0.2  ·  N s  ·  10.112.0.2",
            ":white_check_mark:  Change: Registration of resource providers  ·  N s",
            ":white_check_mark:  Change: Data endpoint of contosoacr  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Image hello-world:latest  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Scope map edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Sync token edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Connected registry edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Extension edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: Deployment, Service and volume in the cluster  ·  N s",
            ":white_check_mark:  Verify: edge01 comes online  ·  N s",
            ":white_check_mark:  Verify: First sync of edge01  ·  N s",
            ":white_check_mark:  Deploy edge01 to hamburg: online in N s, approved by bob. @alice",
        ]
    )
