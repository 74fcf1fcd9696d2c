"""Holding a Service address: the next free one for a picked one, a cause for a given one."""

import pytest

from services.model.errors import AddressTaken, Failure
from services.model.kubernetes import Runtime
from services.operations.deploy.causes import Cause
from services.operations.deploy.outputs import AddressHeld
from services.operations.deploy.procedure import DEPLOY
from services.operations.step import Done, Scene
from tests.unit.steps.scenes import Edge, Leased, scene

HOLD = DEPLOY.step["service_ip.hold"]


async def held(where: Scene) -> object:
    progress = await HOLD.begin(where)
    assert isinstance(progress, Done)
    assert isinstance(progress.output, AddressHeld)
    return progress.output.address


async def test_the_planned_address_is_held() -> None:
    edge, leased = Edge(), Leased()

    assert await held(scene("service_ip.hold", edge=edge, leased=leased)) == "10.112.0.2"
    assert (edge.held, leased.own) == (["10.112.0.2"], {"10.112.0.2"})


async def test_a_picked_address_that_is_taken_or_leased_gives_way_to_the_next_free_one() -> None:
    edge, leased = Edge(taken={"10.112.0.2"}), Leased(others={"10.112.0.3"})

    assert await held(scene("service_ip.hold", edge=edge, leased=leased)) == "10.112.0.4"
    assert leased.own == {"10.112.0.4"}


async def test_a_given_address_that_is_taken_is_an_error() -> None:
    with pytest.raises(AddressTaken):
        await HOLD.begin(scene("service_ip.hold", edge=Edge(taken={"10.112.0.2"}), params={"picked": False}))


async def test_a_given_address_that_another_operation_has_leased_is_an_error() -> None:
    with pytest.raises(Failure) as raised:
        await HOLD.begin(scene("service_ip.hold", leased=Leased(others={"10.112.0.2"}), params={"picked": False}))

    assert raised.value.cause == Cause.ADDRESS_LEASED


async def test_a_full_range_is_an_error_with_its_numbers() -> None:
    taken = {f"10.112.0.{number}" for number in range(2, 15)}
    with pytest.raises(Failure) as raised:
        await HOLD.begin(scene("service_ip.hold", edge=Edge(taken=taken)))

    assert raised.value.cause == Cause.ADDRESS_RANGE_FULL
    assert (raised.value.facts["size"], raised.value.facts["used"]) == (14, 14)


async def test_an_address_that_the_extensions_own_service_has_needs_no_placeholder() -> None:
    edge = Edge(taken={"10.112.0.2"}, seen=Runtime(service_addresses=("10.112.0.2",)))

    assert await held(scene("service_ip.hold", edge=edge)) == "10.112.0.2"
    assert edge.held == []


async def test_undone_nothing_is_held() -> None:
    edge = Edge(held=["10.112.0.2"])
    assert HOLD.undo
    await HOLD.undo(scene("service_ip.hold", edge=edge))

    assert edge.held == []
