"""Mentions, direct messages and the Home tab: the same commands, answers and rights as behind the slash."""

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation, alike


async def write(talk: Conversation, text: str, *, as_: str = "alice") -> None:
    """Write a message that is no slash command."""
    talk.said.append(f"{as_:6} {text}")
    await talk.post("say", **{"as": as_, "channel": talk.channel, "text": text})
    await talk.quiet()


async def into_direct_message(talk: Conversation, person: str) -> None:
    """Go on in somebody's conversation with the app."""
    await talk.post("home", **{"as": person})
    state = await talk.get("state", **{"as": person})
    [talk.channel] = [channel["id"] for channel in state["channels"] if channel["is_im"]]
    talk.people = (person,)


async def home(talk: Conversation, person: str) -> str:
    """The Home tab as lines of text."""
    await talk.post("home", **{"as": person})
    await talk.quiet()
    return alike("\n".join((await talk.get("read", **{"as": person, "home": "1"}))["lines"]))


async def test_a_mention_is_a_command_and_is_answered_to_the_writer_alone(registry: Conversation) -> None:
    await write(registry, "@registry site list", as_="dave")
    await write(registry, "hey everybody")
    await write(registry, "@registry deploy edge01")

    assert await registry.transcript() == snapshot("""\
dave   @registry site list
bot    (only dave) 3 sites
alice  hey everybody
alice  @registry deploy edge01
bot    (only alice) `--site` is missing. Usage: `/registry deploy NAME --site SITE […]`\
""")


async def test_every_direct_message_gets_an_answer(registry: Conversation) -> None:
    await into_direct_message(registry, "dave")
    await write(registry, "hi", as_="dave")
    await write(registry, "registry list", as_="dave")

    assert await registry.transcript() == snapshot("""\
dave   hi
bot    There is no command `hi`. `/registry help` lists what you can run.
       /registry help   [Run this]
dave   registry list
bot    There are no connected registries.\
""")


async def test_a_request_that_no_approver_would_read_is_refused(registry: Conversation) -> None:
    await into_direct_message(registry, "alice")
    await registry.say("deploy edge01 --site hamburg")
    await registry.say("deploy edge01 --site hamburg --dry-run")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    (only alice) This needs an approval from `edge-approvers` (rule *production needs a second person*), and none of them reads this conversation. Run the command in a channel that they read.
alice  /registry deploy edge01 --site hamburg --dry-run
bot    (only alice) Deploy edge01 to hamburg: dry run\
""")


@pytest.mark.everywhere
async def test_home_shows_what_waits_for_whom_and_its_buttons_decide(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    of_approver, of_requester = await home(registry, "bob"), await home(registry, "alice")
    await registry.post("click", **{"as": "bob", "home": True, "text": "Approve", "confirm": True})
    await registry.quiet()

    # Which commands there are grows with the bot.
    assert of_approver.partition("\n# What you may do here")[0] == snapshot("""\
[Refresh] [Help]
# Waiting for your decision
*Deploy edge01 to hamburg*  ·  production
requested by @alice TIME, expires TIME
[Approve] [Reject…] [Show details]
# Open alerts
None of what is watched.
# Fleet
*no connected registries*
[List all] [Sites]
# Your operations
None yet.\
""")
    assert "Nothing." in of_requester
    assert "• Deploy edge01 to hamburg: waiting for approval" in of_requester
    assert "1 connected registry: 1 healthy" in await home(registry, "bob")


async def test_home_tells_a_guest_why_there_is_nothing(registry: Conversation) -> None:
    assert await home(registry, "greta") == snapshot("""\
[Refresh] [Help]
You may not read any site here, so no operations, alerts and states are shown.
[Why?]
# What you may do here
`help`, `home`, `ping` and `whoami`.
In a channel it may be more or less: type `/registry help` there.
As of TIME\
""")
