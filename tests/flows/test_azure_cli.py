"""The Azure CLI, given the endpoints of the same cloud, sees what the bot has made."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import environment, world
from sandbox.azure.environments import ENVIRONMENTS, Environment
from tests.flows.conversation import SUBSCRIPTION, Conversation, conversation, site

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/edge-rg/providers"
ACR = f"{GROUP}/Microsoft.ContainerRegistry/registries/contosoacr"
CLUSTER = f"{GROUP}/Microsoft.Kubernetes/connectedClusters/berlin-arc"
MADE = (
    f"{ACR}/connectedRegistries/edge01",
    f"{ACR}/tokens/edge01",
    f"{ACR}/scopeMaps/edge01",
    f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions/edge01",
)


@dataclass(frozen=True)
class AzureCli:
    """`az` in a configuration folder of its own, signed in to the sandbox as the bot's identity."""

    program: str
    variables: dict[str, str]

    async def run(self, line: str) -> Any:
        """What a command line prints, as JSON; None where it prints nothing."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            *line.split(),
            env=self.variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, f"az {line}\n{errors.decode()}"
        return json.loads(output) if output.strip() else None

    async def resource(self, arm_id: str) -> dict[str, Any]:
        """The properties of a resource, with the newest api-version that the cloud lists for its topmost parent."""
        resource = await self.run(f"resource show --latest-include-preview --ids {arm_id}")
        properties: dict[str, Any] = resource["properties"]
        return properties

    async def sign_in(self, cloud: Environment) -> None:
        """Describe the cloud to `az`, as for one that it does not know, and sign in."""
        own = self.variables
        await self.run(
            f"cloud register --name sandbox --endpoint-resource-manager {own['AZURE_RESOURCE_MANAGER_URL']}"
            f" --endpoint-active-directory {own['AZURE_AUTHORITY_HOST']}"
            f" --endpoint-active-directory-resource-id {cloud.audiences[0]}/"
            f" --suffix-acr-login-server-endpoint .{cloud.suffix}"
        )
        await self.run("cloud set --name sandbox")
        await self.run(
            f"login --service-principal --username {own['AZURE_CLIENT_ID']} --password {own['AZURE_CLIENT_SECRET']}"
            f" --tenant {own['AZURE_TENANT_ID']}"
        )


@pytest.fixture(params=ENVIRONMENTS.values(), ids=lambda cloud: str(cloud.name))
def cloud(request: pytest.FixtureRequest) -> Environment:
    """Each of Azure's clouds."""
    value: Environment = request.param
    return value


@pytest.fixture
async def registry(tmp_path: Path, cloud: Environment) -> AsyncIterator[Conversation]:
    """The bot in that cloud."""
    content = deepcopy(world.load())
    content["azure"]["cloud"] = cloud.name
    async with conversation(tmp_path, world=content, berlin=site("berlin")) as talk:
        yield talk


@pytest.fixture
async def az(registry: Conversation, cloud: Environment, tmp_path: Path) -> AzureCli:
    """Skips the test where there is no Azure CLI."""
    program = shutil.which("az")
    if program is None:
        pytest.skip("no `az` on the PATH: `pip install azure-cli` in an environment of its own brings it")
    own = {"AZURE_CONFIG_DIR": str(tmp_path / "az"), "AZURE_CORE_INSTANCE_DISCOVERY": "false"}
    quiet = {"AZURE_CORE_COLLECT_TELEMETRY": "false", "AZURE_CORE_OUTPUT": "json"}
    cli = AzureCli(program, environment.for_command(registry.box.environment() | own | quiet, os.environ))
    await cli.sign_in(cloud)
    return cli


async def test_it_sees_what_a_deployment_has_made(registry: Conversation, az: AzureCli, cloud: Environment) -> None:
    await registry.say("deploy edge01 --site berlin")
    edge, token, scope_map, extension = [await az.resource(arm_id) for arm_id in MADE]
    acr = await az.resource(ACR)

    assert (edge["connectionState"], edge["activation"]["status"]) == ("Online", "Active")
    assert edge["parent"]["syncProperties"]["tokenId"].endswith("/tokens/edge01")
    assert token["scopeMapId"].endswith("/scopeMaps/edge01")
    assert "repositories/hello-world/content/read" in scope_map["actions"]
    assert extension["provisioningState"] == "Succeeded"
    assert acr["dataEndpointHostNames"][0].endswith(f".data.{cloud.suffix}")

    await registry.say("remove edge01 --site berlin --confirm edge01")
    names = {entry["name"] for entry in await az.run("resource list --resource-group edge-rg")}
    assert "contosoacr" in names
    assert not {name for name in names if "edge01" in name}
