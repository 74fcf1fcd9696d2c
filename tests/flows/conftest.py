"""Each test has a world of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.controlplane.part import RealKubePart
from tests.flows.conversation import POLICY, Conversation, conversation


@pytest.fixture
async def registry(tmp_path: Path, clusters: RealKubePart | None) -> AsyncIterator[Conversation]:
    """The bot in the default world."""
    async with conversation(tmp_path, clusters=clusters) as talk:
        yield talk


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A channel that people of another workspace read, where the policy lets the bot speak."""
    policy = POLICY | {
        "shared_channels": True,
        "grants": [*POLICY["grants"], {"name": "alice", "roles": ["approver"], "to": ["alice"]}],
        "approvals": [POLICY["approvals"][0] | {"approvers": ["alice"], "self_approval": True}],
    }
    async with conversation(tmp_path, policy=policy) as talk:
        talk.channel, talk.people = "shared-fabrikam", ("alice", "eve")
        yield talk


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A policy that wants two approvals, of anybody but the requester."""
    rule = POLICY["approvals"][0] | {"name": "two of us", "approvers": ["edge-approvers", "dave"], "count": 2}
    people = POLICY["people"] | {"dave": "U0DAVE"}
    grants = [*POLICY["grants"], {"name": "dave decides", "roles": ["approver"], "to": ["dave"]}]
    async with conversation(
        tmp_path, policy=POLICY | {"people": people, "grants": grants, "approvals": [rule]}
    ) as talk:
        yield talk
