"""A deactivation counts when Azure shows it, not when Azure took the request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.errors import Failure
from services.model.plan import PlannedStep
from services.operations.deactivate.request import Cause, Deactivated
from services.operations.deactivate.steps import INACTIVE
from services.operations.step import Done, Going, Scene
from tests.golden.values import REGISTRY
from tests.unit.steps.scenes import scene


class Registries:
    """A connected registry with this activation."""

    def __init__(self, activation: str) -> None:
        self.connected = self
        self.activation = activation

    async def get(self, *_: object) -> object:
        return replace(REGISTRY, activation=self.activation)


def looking(activation: str, waited: timedelta = timedelta()) -> Scene:
    planned = PlannedStep("connected.inactive", {"name": "edge01"}, "verify")
    azure = Registries(activation)
    return replace(scene("connected.online", waited=waited), planned=planned, azure=azure)  # type: ignore[arg-type]  # all that is asked


async def test_it_is_done_when_the_registry_shows_it() -> None:
    assert await INACTIVE.begin(looking("Inactive")) == Done(Deactivated())


async def test_until_then_it_is_going_on() -> None:
    assert isinstance(await INACTIVE.begin(looking("Active")), Going)


async def test_an_activation_that_stays_is_a_failure_with_its_cause() -> None:
    assert INACTIVE.wait
    with pytest.raises(Failure) as raised:
        await INACTIVE.wait(looking("Active", timedelta(minutes=5)), None)

    assert raised.value.cause == Cause.STILL_ACTIVE
