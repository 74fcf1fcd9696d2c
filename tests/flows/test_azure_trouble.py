"""An Azure and a cluster that are slow, throttled or gone for a while: nothing is doubled, nothing is given up too soon."""

import pytest

from services.operations.deploy.outputs import RuntimeVerified
from tests.flows.conversation import Conversation


@pytest.mark.parametrize("line", ["GET .*/connectedRegistries$", "PUT .*/scopeMaps/", "POST .*/generateCredentials"])
async def test_a_throttled_request_is_sent_again_after_the_pause_that_azure_asks_for(
    registry: Conversation, line: str
) -> None:
    await registry.fault("azure", line, status=429, code="TooManyRequests", headers={"Retry-After": "2"})
    await registry.say("deploy edge01 --site berlin")

    operation = await registry.operation()
    assert operation.state == "succeeded"
    assert operation.ended_at
    assert (operation.ended_at - operation.created).total_seconds() >= 2


@pytest.mark.parametrize("action", ["fail", "drop", "lose_reply"])
@pytest.mark.parametrize("line", ["PUT .*/scopeMaps/", "PUT .*/connectedRegistries/edge01", "PUT .*/extensions/edge01"])
async def test_what_may_be_sent_again_is(registry: Conversation, line: str, action: str) -> None:
    await registry.fault("azure", line, action, times=2)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"


async def test_server_errors_all_over_the_place_are_sat_out(registry: Conversation) -> None:
    await registry.fault("azure", "/subscriptions/.*Microsoft.ContainerRegistry", "fail", status=503, times=5)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"


async def test_a_password_whose_reply_was_lost_is_generated_anew(registry: Conversation) -> None:
    await registry.fault("azure", "POST .*/generateCredentials", "lose_reply")
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    assert len(await registry.requests("POST .*/generateCredentials")) == 2
    assert len(await registry.requests("PUT .*/extensions/edge01")) == 1


async def test_an_installation_whose_reply_is_lost_each_time_gets_no_second_password(registry: Conversation) -> None:
    await registry.fault("azure", "PUT .*/extensions/edge01", "lose_reply", times=4)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    assert len(await registry.requests("POST .*/generateCredentials")) == 1


async def test_an_import_whose_reply_was_lost_is_not_an_error(registry: Conversation) -> None:
    await registry.fault("azure", "POST .*/importImage", "lose_reply")
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"


async def test_a_cluster_that_is_gone_for_a_while_is_waited_for(registry: Conversation) -> None:
    await registry.fault("kube", "POST /berlin/api/v1/namespaces/default/services", "drop", times=3)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    assert await registry.placeholders() == []


async def test_a_placeholder_whose_reply_was_lost_is_the_operations_own(registry: Conversation) -> None:
    await registry.fault("kube", "POST /berlin/api/v1/namespaces/default/services", "lose_reply")
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).output(RuntimeVerified) == RuntimeVerified("10.96.0.2", "Bound")
    assert await registry.placeholders() == []


async def test_a_cluster_that_stays_away_ends_the_run_with_that_cause(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.post("/sandbox/kube/berlin", offline=True)
    await registry.let_go()
    await registry.quiet()

    assert "The cluster could not be reached" in await registry.card_of("berlin")


async def test_a_deployment_takes_no_more_requests_than_promised(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    before = len(await registry.requests(""))
    await registry.click("Approve", as_="bob")

    assert len(await registry.requests("")) - before <= 30


async def test_ping_says_in_words_who_does_not_answer(registry: Conversation) -> None:
    await registry.fault("kube", "GET /berlin/version", "drop", times=None)
    await registry.say("ping")

    assert "*Cluster of berlin*: could not be reached" in await registry.answer()
