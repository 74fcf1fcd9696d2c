"""A plan as a Bicep file, as a conversation."""

from tests.flows.conversation import Conversation


async def test_the_plan_of_a_deployment_is_sent_as_a_bicep_file_and_one_that_creates_nothing_is_not(
    registry: Conversation,
) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say(f"operation script {(await registry.operation()).id} --bicep")
    [file] = await registry.sent_files("alice")
    await registry.say("update edge01 --site berlin --log-level Debug")
    await registry.say(f"operation script {(await registry.operation()).id} --bicep")

    assert file["name"] == "deploy-edge01-berlin.bicep"
    assert [line.split()[1] for line in file["content"].splitlines() if line.startswith("resource ")] == [
        "registry",
        "cluster",
        "scopeMap",
        "syncToken",
        "connectedRegistry",
        "extension",
    ]
    assert "creates nothing that a Bicep file could state." in await registry.answer()
