"""Azure without an edge beside it: what an agent would do is done, so that a client on its own gets to the end."""

import aiohttp
import pytest
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.kubernetesconfiguration.aio import SourceControlConfigurationClient

from sandbox.compose import Sandbox


@pytest.mark.parametrize("parts", [("azure",), ("azure", "kube")])
async def test_an_extension_installs_itself_where_no_agent_ever_reported(parts: tuple[str, ...]) -> None:
    async with Sandbox(parts=parts) as box:  # type: ignore[arg-type]  # names of parts
        env = box.environment()
        options = {"connection_verify": env["SSL_CERT_FILE"]}
        async with (
            ClientSecretCredential(
                env["AZURE_TENANT_ID"],
                env["AZURE_CLIENT_ID"],
                env["AZURE_CLIENT_SECRET"],
                authority=env["AZURE_AUTHORITY_HOST"],
                **options,
            ) as credential,
            SourceControlConfigurationClient(
                credential,
                env["AZURE_SUBSCRIPTION_ID"],
                base_url=env["AZURE_RESOURCE_MANAGER_URL"],
                credential_scopes=["https://management.azure.com/.default"],
                **options,
            ) as client,
        ):
            await _registered(env, credential)
            poller = await client.extensions.begin_create(
                "edge-rg",
                "Microsoft.Kubernetes",
                "connectedClusters",
                "berlin-arc",
                "edge01",
                {
                    "properties": {
                        "extensionType": "microsoft.containerregistry.connectedregistry",
                        "configurationSettings": {"service.clusterIP": "10.96.0.9"},
                        "configurationProtectedSettings": {"connectionString": "unused"},
                    }
                },
                polling_interval=0,
            )
            extension = await poller.result()

    assert extension.provisioning_state == "Succeeded"


async def _registered(env: dict[str, str], credential: ClientSecretCredential) -> None:
    token = (await credential.get_token("https://management.azure.com/.default")).token
    base = f"{env['AZURE_RESOURCE_MANAGER_URL']}/subscriptions/{env['AZURE_SUBSCRIPTION_ID']}/providers"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        for name in ("Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"):
            url = f"{base}/{name}/register?api-version=2021-04-01"
            async with session.post(url, ssl=False) as answer:
                answer.raise_for_status()
