"""Deploying a connected registry, as a conversation."""

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation


async def test_a_development_site_needs_nobodys_approval(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online\
""")


async def test_production_waits_for_a_second_person(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="alice")
    await registry.click("Approve", as_="bob")

    assert await registry.transcript() == snapshot()
    state = await registry.azure()
    assert state == snapshot()
