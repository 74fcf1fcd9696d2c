"""The one step with a secret: who gets a password, and that nothing else ever sees it."""

from dataclasses import replace

import pytest

from services.model.azure import ExtensionStatus, Pending
from services.model.errors import Failure
from services.operations.deploy.causes import Cause
from services.operations.deploy.outputs import AddressHeld, ExtensionInstalled
from services.operations.deploy.procedure import DEPLOY
from services.operations.outputs import RegistryCreated
from services.operations.step import Done, Going
from tests.golden.values import EXTENSION
from tests.unit.steps.scenes import PASSWORD, Cloud, Edge, names, scene

INSTALL = DEPLOY.step["extension.install"]
HELD = AddressHeld("10.112.0.2")
KNOWN = (HELD, RegistryCreated("contosoacr.westeurope.data.azurecr.io"))
CREATING = replace(EXTENSION, provisioning_state="Creating")


async def test_the_placeholder_goes_before_the_extension_comes() -> None:
    edge, cloud = Edge(held=["10.112.0.2"]), Cloud()
    await INSTALL.begin(scene("extension.install", edge=edge, cloud=cloud, outputs=KNOWN))

    assert edge.held == []
    assert names(cloud.calls) == ["password", "edge01"]


async def test_what_goes_on_holds_no_secret() -> None:
    progress = await INSTALL.begin(scene("extension.install", outputs=KNOWN))

    assert isinstance(progress, Going)
    assert PASSWORD not in repr(progress)


async def test_the_extension_gets_the_address_and_the_connection_string() -> None:
    cloud = Cloud()
    await INSTALL.begin(scene("extension.install", cloud=cloud, outputs=KNOWN))
    _, given = cloud.calls[-1]

    assert given["settings"]["service.clusterIP"] == "10.112.0.2"
    assert PASSWORD in given["protected"]["connectionString"].reveal()
    assert PASSWORD not in repr(given)


async def test_what_the_statuses_of_a_succeeded_extension_warn_of_is_kept() -> None:
    warning = ExtensionStatus("UpgradePending", "the upgrade is pending", "Warning")
    installed = replace(EXTENSION, version="0.11.0", problems=(warning,))
    assert INSTALL.wait
    progress = await INSTALL.wait(scene("extension.install", cloud=Cloud(installed)), None)

    assert progress == Done(ExtensionInstalled("0.11.0", ("the upgrade is pending",)))


async def test_after_a_crash_an_extension_under_way_keeps_its_password() -> None:
    cloud = Cloud(CREATING)
    await INSTALL.begin(scene("extension.install", cloud=cloud, outputs=KNOWN, repeated=True))

    assert cloud.calls == []


async def test_a_retry_of_the_failed_installation_hands_over_a_new_password() -> None:
    cloud = Cloud(CREATING)
    await INSTALL.begin(
        scene("extension.install", cloud=cloud, outputs=KNOWN, attempt=2, repeated=True, failed_before=True)
    )

    assert names(cloud.calls) == ["password", "edge01"]


async def test_an_extension_that_is_as_wanted_is_left_alone() -> None:
    settings = {"pvc.storageRequest": "250Gi", "cert-manager.install": "false", "service.clusterIP": "10.112.0.2"}
    cloud = Cloud(replace(EXTENSION, settings=settings))
    await INSTALL.begin(scene("extension.install", cloud=cloud, outputs=KNOWN, repeated=True))

    assert cloud.calls == []


async def test_without_a_data_endpoint_no_password_is_made() -> None:
    cloud = Cloud()
    where = scene("extension.install", cloud=cloud, outputs=(HELD,))
    cloud.connected = NoGateway()  # type: ignore[attr-defined]  # asked only where the creation did not tell it
    with pytest.raises(Failure) as raised:
        await INSTALL.begin(where)

    assert raised.value.cause == Cause.GATEWAY_UNKNOWN
    assert cloud.calls == []


async def test_it_is_done_when_azure_says_so() -> None:
    assert INSTALL.wait
    progress = await INSTALL.wait(scene("extension.install", cloud=Cloud(EXTENSION)), Pending("/arc"))

    assert not isinstance(progress, Going)


class NoGateway:
    """A connected registry of which Azure names no data endpoint."""

    gateway_endpoint = ""

    async def get(self, *_: object) -> "NoGateway":
        return self
