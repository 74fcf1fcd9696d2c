"""What Azure's codes mean to people: a lock, another cloud, a region or a linked right is told as what it is."""

import pytest

from tests.flows.conversation import Conversation

LINKED = (
    "The client 'x' with object id 'y' has permission to perform action 'Microsoft.KubernetesConfiguration/extensions/write'"
    " on scope '/subscriptions/s'; however, it does not have permission to perform action(s)"
    " 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s)"
    " '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/edge' or the linked"
    " scope(s) are invalid."
)
NO_REGION = (
    "Extension type microsoft.containerregistry.connectedregistry is not registered in region ukwest. Extension is"
    " available in eastus,westeurope. Please try to install in these regions."
)


async def test_a_locked_registry_gets_no_image_and_the_lock_is_named(registry: Conversation) -> None:
    await registry.post("/sandbox/azure/locks", name="keep", scope="subscription", level="ReadOnly")
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "failed"
    card = await registry.card_of("berlin")
    assert "A management lock on the whole subscription forbids this change" in card
    assert "following scope(s) are locked: '/subscriptions/ID'" in card
    assert "`az lock list --subscription ID --output table`" in card


async def test_a_lock_that_would_stop_it_halfway_is_known_before_an_extension_is_deleted(
    registry: Conversation,
) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.post("/sandbox/azure/locks", name="keep", scope="contosoacr", level="CanNotDelete")
    await registry.say("remove edge01 --site berlin --confirm edge01")
    removal = await registry.blockers()
    await registry.say("extension reinstall edge01 --site berlin --dry-run")
    changed_only = await registry.blockers()
    await registry.post("/sandbox/azure/locks", name="keep", scope="subscription", level="ReadOnly")
    await registry.say("extension reinstall edge01 --site berlin")

    assert "A `CanNotDelete` lock at `/subscriptions/ID/resourceGroups/edge-rg" in removal
    assert changed_only == ""
    assert (
        "A `ReadOnly` lock at `/subscriptions/ID` forbids a part of this at `contosoacr`" in await registry.blockers()
    )
    assert await registry.requests("DELETE .*") == []


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("SubscriptionNotFound", "can't see the subscription in this cloud"),
        ("ResourceGroupNotFound", "does not exist in the subscription"),
    ],
)
async def test_what_lies_above_the_registry_is_missing_and_nothing_is_offered_to_be_created(
    registry: Conversation, code: str, sentence: str
) -> None:
    await registry.fault("azure", "GET /subscriptions/.*/registries/", status=404, code=code, message="x", times=None)
    await registry.say("check berlin")

    answer = await registry.answer()
    assert sentence in answer
    assert "az acr create" not in answer


async def test_a_linked_right_is_named_with_its_scope(registry: Conversation) -> None:
    await registry.fault(
        "azure", "PUT .*/extensions/edge01", status=403, code="LinkedAuthorizationFailed", message=LINKED
    )
    await registry.say("deploy edge01 --site berlin")

    card = await registry.card_of("berlin")
    assert "lacks `Microsoft.ManagedIdentity/userAssignedIdentities/assign/action`" in card


async def test_a_region_without_the_extension_is_not_a_missing_registration(registry: Conversation) -> None:
    await registry.fault(
        "azure", "PUT .*/extensions/edge01", status=400, code="ExtensionTypeRegistrationGetFailed", message=NO_REGION
    )
    await registry.say("deploy edge01 --site berlin")

    card = await registry.card_of("berlin")
    assert "This is not offered in the region `ukwest`. It is offered in: `eastus` and `westeurope`." in card
    assert "az provider register" not in card


async def test_a_busy_registry_is_asked_again(registry: Conversation) -> None:
    await registry.fault("azure", "PUT .*/scopeMaps/", status=409, code="AnotherOperationInProgress", times=2)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"


async def test_a_throttled_poll_is_not_repeated_before_the_time_that_azure_named(registry: Conversation) -> None:
    await registry.fault(
        "azure", "GET .*/operationStatuses/", status=429, code="TooManyRequests", headers={"Retry-After": "3"}
    )
    await registry.say("deploy edge01 --site berlin")

    operation = await registry.operation()
    assert operation.state == "succeeded"
    assert operation.ended_at
    assert (operation.ended_at - operation.created).total_seconds() >= 3


async def test_a_token_that_is_not_yet_known_everywhere_gets_its_password(registry: Conversation) -> None:
    await registry.fault("azure", "POST .*/generateCredentials", status=404, code="ResourceNotFound", times=2)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
