"""The gateways under test, in front of a scripted ARM."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateways.azure import Connection, Deadlines, Identity, Options, cloud, open_azure
from services.model.azure import AcrRef, ClusterRef
from services.model.secret import Secret
from tests.contract.azure.scripted import TENANT, ScriptedArm

CLIENT_SECRET = "the-client-secret-of-the-bot"
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
ACR = AcrRef(SUBSCRIPTION, "edge-rg", "contosoacr")
CLUSTER = ClusterRef(SUBSCRIPTION, "edge-rg", "berlin-arc")


def options(url: str, ca_file: str, deadlines: Deadlines, secret: str = CLIENT_SECRET) -> Options:
    return Options(
        cloud=cloud("public", authority=url, resource_manager=url),
        identity=Identity("secret", TENANT, "33333333-3333-4333-8333-333333333333", Secret(secret)),
        ca_file=ca_file,
        deadlines=deadlines,
        password_interval=0.01,
    )


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the throw-away authority and keys are made once for all tests."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def arm(keys: Path) -> AsyncIterator[ScriptedArm]:
    server = ScriptedArm(keys)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def connection(arm: ScriptedArm) -> AsyncIterator[Connection]:
    async with await open_azure(options(arm.url, arm.ca_file, Deadlines(read=5, write=5))) as opened:
        yield opened


@pytest.fixture
async def other(arm: ScriptedArm) -> AsyncIterator[Connection]:
    """Another process of the bot."""
    async with await open_azure(options(arm.url, arm.ca_file, Deadlines(read=5, write=5))) as opened:
        yield opened
