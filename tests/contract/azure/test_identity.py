"""Every way of the bot's own login, against the sandbox's Entra."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateways.azure import Deadlines, Identity, Options, cloud, open_azure
from services.model.errors import Foreign, Invalid, NotAuthenticated, Unreachable
from services.model.secret import Secret
from tests.contract.azure.conftest import ACR
from tests.contract.azure.sandboxed import Sandboxed
from tests.contract.azure.scripted import TENANT

CLIENT = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
async def azure(keys: Path) -> AsyncIterator[Sandboxed]:
    sandboxed = Sandboxed(keys)
    await sandboxed.start()
    yield sandboxed
    await sandboxed.stop()


async def reach(azure: Sandboxed, identity: Identity, *, ca_file: str | None = None, authority: str = "") -> str:
    """The name of a registry, read as `identity`."""
    place = cloud("public", authority=authority or azure.url, resource_manager=azure.url)
    trust = azure.ca_file if ca_file is None else ca_file
    async with await open_azure(Options(place, identity, trust, Deadlines(read=2))) as connection:
        return (await connection.azure.registries.get(ACR)).name


async def test_a_client_secret(azure: Sandboxed) -> None:
    assert await reach(azure, Identity("secret", TENANT, CLIENT, Secret("sandbox-client-secret"))) == "contosoacr"


async def test_a_workload_identity(azure: Sandboxed, tmp_path: Path) -> None:
    claims = {
        "iss": "https://oidc",
        "sub": "system:serviceaccount:registry-bot:registry-bot",
        "aud": "api://AzureADTokenExchange",
    }
    parts: tuple[dict[str, object], ...] = ({"alg": "RS256"}, claims | {"exp": 4_000_000_000}, {})
    assertion = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    token_file = tmp_path / "token"
    token_file.write_text(assertion)
    identity = Identity("workload", TENANT, CLIENT, token_file=str(token_file))
    assert await reach(azure, identity) == "contosoacr"


@pytest.mark.parametrize("identity", [Identity("managed"), Identity("managed", client_id=CLIENT), Identity("auto")])
async def test_a_managed_identity(azure: Sandboxed, monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "sandbox")
    assert await reach(azure, identity) == "contosoacr"


async def test_a_managed_identity_that_is_not_there(azure: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "sandbox")
    with pytest.raises(NotAuthenticated):
        await reach(azure, Identity("managed", client_id="44444444-4444-4444-8444-444444444444"))


async def test_the_environment_by_the_default_chain(azure: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, "sandbox-client-secret")
    monkeypatch.setenv("SSL_CERT_FILE", azure.ca_file)
    assert await reach(azure, Identity(), ca_file="") == "contosoacr"


async def test_a_wrong_secret_in_the_environment(azure: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, "a-secret-that-is-wrong")
    with pytest.raises(NotAuthenticated) as caught:
        await reach(azure, Identity())
    assert caught.value.code == "AADSTS7000215"
    assert "a-secret-that-is-wrong" not in str(caught.value)


@pytest.mark.parametrize("identity", [Identity(), Identity("secret", TENANT, CLIENT, Secret("x"))])
async def test_a_login_that_can_not_be_asked_is_no_refusal(
    azure: Sandboxed, monkeypatch: pytest.MonkeyPatch, identity: Identity
) -> None:
    environment(monkeypatch, "sandbox-client-secret")
    with pytest.raises(Foreign) as caught:
        await reach(azure, identity, authority="https://127.0.0.1:1")
    assert type(caught.value) is Unreachable


@pytest.mark.parametrize(
    ("identity", "rule"),
    [
        (Identity("secret", TENANT), "identity.incomplete"),
        (Identity("workload"), "identity.value"),
        (Identity("secret", "not a tenant", CLIENT, Secret("x")), "identity.value"),
    ],
)
async def test_a_value_that_is_missing_or_wrong_is_told_at_the_start(
    azure: Sandboxed, identity: Identity, rule: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await reach(azure, identity)
    assert caught.value.rule == rule


def environment(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", secret)
