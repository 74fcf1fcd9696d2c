"""Which api-versions requests bear: the newest known one that the cloud offers."""

from dataclasses import replace

import pytest

from services.gateways.azure import Connection, Deadlines, open_azure
from services.model.errors import VersionNotOffered
from tests.contract.azure.conftest import ACR, options
from tests.contract.azure.scripted import Answer, ScriptedArm, error, offers, registry

OFFERED = ["2026-09-01-preview", "2026-03-01-preview", "2025-12-01-preview"]
EMPTY = Answer(body={"value": []})


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (OFFERED, "2026-09-01-preview"),
        (["2027-01-01", "2026-03-01-preview", "2025-11-01"], "2026-03-01-preview"),
        (["2025-11-01"], "2025-11-01"),
        (["2025-09-01-preview", "2020-11-01-preview"], "2025-09-01-preview"),
    ],
)
async def test_the_newest_known_version_that_is_offered_is_used(
    arm: ScriptedArm, connection: Connection, offered: list[str], chosen: str
) -> None:
    arm.document = offers(connectedRegistries=offered)
    arm.will_say(EMPTY)
    await connection.azure.connected.list(ACR)
    assert arm.requests[0].query["api-version"] == chosen


async def test_each_type_has_its_own_version(arm: ScriptedArm, connection: Connection) -> None:
    arm.document = offers(connectedRegistries=OFFERED, scopeMaps=["2026-11-01", "2025-11-01"], tokens=["2023-07-01"])
    arm.will_say(Answer(body={"name": "edge01", "properties": {}}))
    await connection.azure.scope_maps.get(ACR, "edge01")
    await connection.azure.tokens.get(ACR, "edge01")
    assert [request.query["api-version"] for request in arm.requests] == ["2025-11-01", "2023-07-01"]


async def test_a_document_is_read_once_for_many_requests(arm: ScriptedArm, connection: Connection) -> None:
    arm.document = offers(connectedRegistries=OFFERED)
    arm.will_say(EMPTY)
    for _ in range(3):
        await connection.azure.connected.list(ACR)
    assert arm.documents == ["microsoft.containerregistry"]


async def test_a_type_that_is_offered_in_no_known_version_is_said_so_and_not_asked(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.document = offers(connectedRegistries=["2019-01-01", "2027-01-01"])
    with pytest.raises(VersionNotOffered) as caught:
        await connection.azure.connected.list(ACR)
    assert caught.value.offered == ("2019-01-01", "2027-01-01")
    assert caught.value.setting == "microsoft.containerregistry/registries/connectedregistries=2027-01-01"
    assert arm.requests == []


async def test_without_the_right_to_the_document_a_refusal_corrects_the_choice(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.document = Answer(403, error("AuthorizationFailed", "No."))
    refusal = (
        "No registered resource provider found for location 'chinaeast2' and API version '2025-11-01' for type"
        " 'registries'. The supported api-versions are '2019-05-01, 2023-07-01'. The supported locations are 'x'."
    )
    arm.will_say(Answer(400, error("NoRegisteredProviderFound", refusal)), Answer(body=registry()))
    await connection.azure.registries.get(ACR)
    await connection.azure.registries.get(ACR)
    assert [request.query["api-version"] for request in arm.requests] == ["2025-11-01", "2023-07-01", "2023-07-01"]


async def test_a_pinned_version_outweighs_what_the_cloud_lists(arm: ScriptedArm) -> None:
    arm.document = offers(connectedRegistries=OFFERED)
    arm.will_say(EMPTY)
    pinned = {"Microsoft.ContainerRegistry/registries/connectedRegistries": "2026-03-01-preview"}
    chosen = replace(options(arm.url, arm.ca_file, Deadlines(read=5)), api_versions=pinned)
    async with await open_azure(chosen) as opened:
        await opened.azure.connected.list(ACR)
    assert arm.requests[0].query["api-version"] == "2026-03-01-preview"


async def test_the_states_of_all_providers_are_a_document_too(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body={"value": [offers(connectedRegistries=OFFERED).body]}), EMPTY)
    await connection.azure.providers.states(ACR.subscription, ["Microsoft.ContainerRegistry"])
    await connection.azure.connected.list(ACR)
    assert (arm.documents, arm.requests[-1].query["api-version"]) == ([], "2026-09-01-preview")
