"""An extension that bears another name than its connected registry."""

from tests.flows.conversation import Conversation


async def test_an_extension_may_have_a_name_of_its_own(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --extension-name edge-of-berlin")
    berlin = next(one for one in (await registry.azure())["clusters"] if one["name"] == "berlin-arc")

    assert (await registry.operation()).state == "succeeded"
    assert [one["name"] for one in berlin["extensions"]] == ["edge-of-berlin"]


async def test_a_registry_is_shown_with_the_extension_that_serves_it_whatever_its_name(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --extension-name edge-of-berlin")
    await registry.say("show edge01", as_="dave")

    answer = await registry.answer("dave")
    assert "*edge01* at *berlin* is Online" in answer
    assert "*Extension* Succeeded" in answer
