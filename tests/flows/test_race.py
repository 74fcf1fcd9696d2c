"""Several whole deployments to one cluster at the same time."""

import asyncio
from collections import Counter

from tests.flows.conversation import Conversation

NAMES = tuple(f"edge0{number}" for number in range(1, 5))


async def asked_for_all(registry: Conversation) -> None:
    await asyncio.gather(*(registry.say(f"deploy {name} --site hamburg", quiet=False) for name in NAMES))
    await registry.quiet()


async def test_each_speaks_for_an_address_of_its_own_while_it_waits(registry: Conversation) -> None:
    await asked_for_all(registry)

    assert await registry.leases("hamburg") == {f"10.112.0.{at}" for at in range(2, 2 + len(NAMES))}


async def test_one_is_installed_and_the_others_are_stopped_and_leave_nothing(registry: Conversation) -> None:
    await asked_for_all(registry)
    await asyncio.gather(*(registry.click("Approve", as_="bob", card=name, quiet=False) for name in NAMES))
    await registry.quiet()

    states = Counter([(await registry.operation(name)).state for name in NAMES])
    assert states == {"succeeded": 1, "blocked": len(NAMES) - 1}
    assert await registry.placeholders("hamburg") == []
    assert await registry.leases("hamburg") == frozenset()
    assert len(await registry.requests("PUT .*/extensions/")) == 1
