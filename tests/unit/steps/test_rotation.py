"""A rotation that is begun again makes the same password again, and takes no change that is under way for its own."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from services.model.azure import PasswordSlot, Pending, Token
from services.model.errors import Failure
from services.model.plan import PlannedStep
from services.model.secret import Secret
from services.operations.step import Done, Going, Scene
from services.operations.token_rotation.request import Cause
from services.operations.token_rotation.steps import END, ROTATE
from tests.golden.values import EXTENSION, REGISTRY, at
from tests.unit.steps.scenes import scene

SENT = Pending("/arc/extensions/edge01", "https://arm/status", "status", "correlation")


class Registries:
    async def get(self, *_: object) -> Any:
        return replace(REGISTRY, gateway_endpoint="contosoacr.westeurope.data.azurecr.io")


@dataclass
class Cloud:
    """An extension in this state; `calls` are the writes."""

    state: str
    calls: list[str] = field(default_factory=list)
    connected: Registries = field(default_factory=Registries)

    def __post_init__(self) -> None:
        self.tokens = self.extensions = self.operations = self

    async def get(self, *_: object) -> Any:
        return replace(EXTENSION, provisioning_state=self.state)

    async def generate_password(self, _acr: object, _token: str, slot: str, **_: object) -> Secret:
        self.calls.append(slot)
        return Secret("hunter2hunter2")

    async def update(self, _cluster: object, name: str, **_: object) -> Pending:
        self.calls.append(name)
        return SENT

    async def poll(self, pending: Pending) -> Pending:
        return replace(pending, kind="done")


def rotating(cloud: Cloud) -> Scene:
    """In a process that has followed one that died."""
    params = {"name": "edge01", "token": "edge01", "slot": "password2", "expires": None}
    azure: Any = cloud
    return replace(
        scene("extension.install", repeated=True), planned=PlannedStep("token.rotate", params, "change"), azure=azure
    )


async def test_the_same_slot_is_filled_again() -> None:
    cloud = Cloud("Succeeded")
    progress = await ROTATE.begin(rotating(cloud))

    assert isinstance(progress, Going)
    assert (progress.token, cloud.calls) == (SENT, ["password2", "edge01"])


async def test_a_change_that_is_under_way_is_waited_for_and_then_the_password_is_sent() -> None:
    assert ROTATE.wait
    cloud = Cloud("Updating")
    begun = await ROTATE.begin(rotating(cloud))
    assert isinstance(begun, Going)
    waiting = await ROTATE.wait(rotating(cloud), begun.token)
    before = list(cloud.calls)
    cloud.state = "Succeeded"
    sent = await ROTATE.wait(rotating(cloud), begun.token)
    assert isinstance(sent, Going)

    assert (waiting, before) == (begun, [])
    assert cloud.calls == ["password2", "edge01"]
    assert await ROTATE.wait(rotating(cloud), sent.token) == Done()


@dataclass
class Tokens:
    """The sync token, of which password1 was made at this minute and password2 at the tenth."""

    minute: int
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = self

    async def get(self, *_: object) -> Any:
        slots = (PasswordSlot("password1", at(self.minute)), PasswordSlot("password2", at(10)))
        return Token("/acr/tokens/edge01", "edge01", "/acr/scopeMaps/edge01", enabled=True, passwords=slots)

    async def end_password(self, _acr: object, _name: str, slot: str) -> Pending:
        self.ended.append(slot)
        return Pending("/acr/tokens/edge01")


def ending(cloud: Any) -> Scene:
    planned = PlannedStep("token.end", {"token": "edge01", "slot": "password1"}, "delete")
    return replace(scene("extension.install", attempt=2), planned=planned, azure=cloud)


async def test_the_older_password_ends() -> None:
    cloud = Tokens(minute=5)
    await END.begin(ending(cloud))

    assert cloud.ended == ["password1"]


async def test_a_password_that_somebody_has_replaced_before_a_retry_is_not_ended() -> None:
    cloud = Tokens(minute=15)
    with pytest.raises(Failure) as raised:
        await END.begin(ending(cloud))

    assert (raised.value.cause, cloud.ended) == (Cause.PASSWORD_REPLACED, [])
