"""Choosing an address of the site file's list, where no cluster can be asked: only a refused one is known to be in use."""

from dataclasses import replace
from typing import Any

import pytest

from services.model.azure import Extension, ExtensionStatus
from services.model.errors import Failure
from services.model.plan import PlannedStep
from services.operations.deploy.causes import Cause
from services.operations.deploy.outputs import AddressReserved
from services.operations.deploy.procedure import DEPLOY
from services.operations.step import Done, Scene
from tests.golden.values import WITHOUT_ACCESS
from tests.unit.steps.scenes import Cloud, Leased, scene

RESERVE = DEPLOY.step["service_ip.reserve"]


def of_the_list(address: str = "10.112.0.20", *, picked: bool = True, **values: Any) -> Scene:
    """The step at a site whose list is 10.112.0.20 and 10.112.0.21."""
    planned = PlannedStep(RESERVE.kind, {"address": address, "picked": picked}, "reserve")
    return replace(scene("extension.install", **values), site=WITHOUT_ACCESS, planned=planned)


def refused(address: str) -> Cloud:
    """An Azure whose extension could not have an address."""
    error = f"Service: failed to allocate IP {address}: provided IP is already allocated"
    return Cloud(
        Extension("/x", "edge01", "", "Failed", problems=(ExtensionStatus("ExtensionOperationFailed", error),))
    )


async def reserved(where: Scene) -> object:
    progress = await RESERVE.begin(where)
    assert isinstance(progress, Done)
    return progress.output


async def test_the_planned_address_is_leased() -> None:
    leased = Leased()

    assert await reserved(of_the_list(leased=leased)) == AddressReserved("10.112.0.20")
    assert leased.own == {"10.112.0.20"}


async def test_an_address_that_another_operation_has_leased_gives_way_to_the_next_of_the_list() -> None:
    assert await reserved(of_the_list(leased=Leased(others={"10.112.0.20"}))) == AddressReserved("10.112.0.21")


async def test_an_address_that_the_cluster_has_refused_is_not_tried_again() -> None:
    where = of_the_list(cloud=refused("10.112.0.20"), outputs=[AddressReserved("10.112.0.20")], repeated=True)

    assert await reserved(where) == AddressReserved("10.112.0.21", ("10.112.0.20",))


async def test_when_every_address_of_the_list_was_refused_the_list_is_the_cause() -> None:
    earlier = AddressReserved("10.112.0.21", ("10.112.0.20",))
    with pytest.raises(Failure) as raised:
        await RESERVE.begin(of_the_list(cloud=refused("10.112.0.21"), outputs=[earlier], repeated=True))

    assert raised.value.cause == Cause.LISTED_ADDRESSES_USED
    assert set(raised.value.facts["addresses"]) == {"10.112.0.20", "10.112.0.21"}


async def test_an_address_that_somebody_asked_for_is_never_replaced() -> None:
    with pytest.raises(Failure) as raised:
        await RESERVE.begin(of_the_list("10.112.0.30", picked=False, leased=Leased(others={"10.112.0.30"})))

    assert raised.value.cause == Cause.ADDRESS_LEASED
