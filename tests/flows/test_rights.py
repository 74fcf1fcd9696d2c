"""The bot under the custom roles of deploy/azure, action by action as Azure counts them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from services.operation import State
from tests.flows.conversation import Conversation

ROLES = Path(__file__).parents[2] / "deploy" / "azure"


def actions(*roles: str) -> set[str]:
    return {action for role in roles for action in json.loads((ROLES / f"{role}.json").read_text())["Actions"]}


def only(registry: Conversation, granted: Iterable[str]) -> None:
    """Give the bot's identity these actions and no others."""
    assert registry.box.azure
    principals = registry.box.azure.cloud.principals
    for client_id, principal in principals.items():
        principals[client_id] = replace(principal, actions=tuple(granted))


async def state(registry: Conversation) -> State:
    newest, *_ = await registry.bot.services.operations.find()
    return newest.state


async def test_the_writer_and_subscription_roles_are_enough_to_deploy(registry: Conversation) -> None:
    only(registry, actions("writer", "subscription"))

    await registry.say("deploy edge01 --site berlin")

    assert await state(registry) == "succeeded"


async def test_the_reader_role_is_enough_to_preview(registry: Conversation) -> None:
    only(registry, actions("reader") | {"Microsoft.Resources/subscriptions/providers/read"})

    await registry.say("deploy edge01 --site berlin --dry-run")

    assert await state(registry) == "previewed"


@pytest.mark.parametrize("role", ["reader", "writer", "subscription"])
def test_a_role_lists_each_action_once_and_has_no_wildcard(role: str) -> None:
    listed = json.loads((ROLES / f"{role}.json").read_text())["Actions"]

    assert len(listed) == len(set(listed))
    assert not [action for action in listed if "*" in action]


def test_the_writer_may_all_that_the_reader_may() -> None:
    assert actions("reader") <= actions("writer")
