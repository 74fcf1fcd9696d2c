"""Each test has a world of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.conversation import Conversation, conversation


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot in the default world."""
    async with conversation(tmp_path) as talk:
        yield talk
