"""A kubeconfig that leads to another cluster than the site's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.conversation import Conversation, conversation, site


@pytest.fixture
async def misled(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The context of site berlin leads to the cluster of Hamburg."""
    cluster = {"name": "berlin-arc", "kubernetes": {"context": "hamburg"}}
    async with conversation(tmp_path, berlin=site("berlin", cluster=cluster)) as talk:
        yield talk


async def test_a_deployment_to_another_cluster_is_stopped_before_anything_is_written(misled: Conversation) -> None:
    await misled.say("deploy edge01 --site berlin")

    assert (await misled.operation()).state == "blocked"
    card = await misled.card_of("berlin")
    assert "The kubeconfig leads to another cluster" in card
    assert "connectedClusters/hamburg-arc" in card
    assert "connectedClusters/berlin-arc" in card
    assert await misled.requests("^(PUT|PATCH|POST) ") == []
