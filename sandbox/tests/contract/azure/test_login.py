"""Entra: who gets a token, and what the refusals say."""

import base64
import json
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import (
    ClientAssertionCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)

from sandbox.azure import AzurePart
from sandbox.tests.contract.azure.cloud import Http
from sandbox.tls import Authority

ARM = "https://management.azure.com/.default"
TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "33333333-3333-4333-8333-333333333333"


def claims(token: str) -> Any:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


SUBJECT = "system:serviceaccount:registry-bot:registry-bot"


def with_assertion(
    options: dict[str, Any], subject: str, audience: str = "api://AzureADTokenExchange"
) -> ClientAssertionCredential:
    payload = base64.urlsafe_b64encode(json.dumps({"sub": subject, "aud": audience}).encode()).decode()
    return ClientAssertionCredential(TENANT, CLIENT, lambda: f"e30.{payload.rstrip('=')}.c2ln", **options)


async def test_a_token_says_whose_it_is_and_for_what(credential: ClientSecretCredential) -> None:
    token = claims((await credential.get_token(ARM)).token)

    assert (token["appid"], token["tid"], token["aud"]) == (CLIENT, TENANT, "https://management.azure.com")


@pytest.mark.parametrize(
    ("tenant", "client", "secret", "code"),
    [
        (TENANT, CLIENT, "wrong", "AADSTS7000215"),
        (TENANT, "55555555-3333-4333-8333-333333333333", "sandbox-client-secret", "AADSTS700016"),
        ("99999999-1111-4111-8111-111111111111", CLIENT, "sandbox-client-secret", "AADSTS90002"),
    ],
)
async def test_a_refusal_carries_its_number(
    credential_options: dict[str, Any], tenant: str, client: str, secret: str, code: str
) -> None:
    async with ClientSecretCredential(tenant, client, secret, **credential_options) as credential:
        with pytest.raises(ClientAuthenticationError, match=code):
            await credential.get_token(ARM)


async def test_a_workload_identity_logs_in_with_its_assertion(credential_options: dict[str, Any]) -> None:
    async with with_assertion(credential_options, SUBJECT) as credential:
        token = await credential.get_token(ARM)

    assert claims(token.token)["appid"] == CLIENT


@pytest.mark.parametrize(
    ("subject", "audience", "code"),
    [
        ("system:serviceaccount:registry-bot:Registry-Bot", "api://AzureADTokenExchange", "AADSTS700213"),
        ("system:serviceaccount:registry-bot:registry-bot", "api://else", "AADSTS700212"),
    ],
)
async def test_an_assertion_of_another_subject_or_audience_is_refused(
    credential_options: dict[str, Any], subject: str, audience: str, code: str
) -> None:
    async with with_assertion(credential_options, subject, audience) as credential:
        with pytest.raises(ClientAuthenticationError, match=code):
            await credential.get_token(ARM)


async def test_the_environment_is_enough_for_the_default_credential(
    azure: AzurePart, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in azure.environment().items():
        monkeypatch.setenv(name, value)
    async with DefaultAzureCredential(connection_verify=str(authority.ca_file)) as credential:
        token = await credential.get_token(ARM)

    assert claims(token.token)["appid"] == CLIENT


async def test_a_managed_identity_gets_its_token(
    azure: AzurePart, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in azure.environment().items():
        monkeypatch.setenv(name.removeprefix("# "), value)
    async with ManagedIdentityCredential(connection_verify=str(authority.ca_file)) as credential:
        token = await credential.get_token(ARM)

    assert claims(token.token)["aud"] == "https://management.azure.com"


async def test_an_imds_request_without_its_header_is_refused(azure: AzurePart, http: Http) -> None:
    url = f"{azure.url}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
    http.headers["Metadata"] = "true"
    answer = await http.get(url)
    del http.headers["Metadata"]
    refused = await http.get(url)

    assert (answer.json["token_type"], refused.status) == ("Bearer", 400)


async def test_the_openid_document_leads_to_the_key_of_the_tokens(
    azure: AzurePart, http: Http, credential: ClientSecretCredential
) -> None:
    document = (await http.get(f"{azure.url}/{TENANT}/v2.0/.well-known/openid-configuration")).json
    keys = (await http.get(document["jwks_uri"])).json["keys"]
    header = (await credential.get_token(ARM)).token.split(".")[0]

    assert document["token_endpoint"] == f"{azure.url}/{TENANT}/oauth2/v2.0/token"
    assert keys[0]["kid"] == json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


@pytest.mark.parametrize(("version", "form"), [("2022-09-01", dict), ("2019-05-01", list)])
async def test_the_cloud_describes_itself(azure: AzurePart, http: Http, version: str, form: type) -> None:
    reply = await http.get(f"{azure.url}/metadata/endpoints?api-version={version}")

    assert isinstance(reply.json, form)
    assert azure.url in reply.content.decode()


async def test_a_scope_without_default_is_refused(azure: AzurePart, http: Http) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": "sandbox-client-secret",
        "scope": "https://management.azure.com/user_impersonation",
    }
    reply = await http.send("POST", f"{azure.url}/{TENANT}/oauth2/v2.0/token", data=form)

    assert (reply.status, reply.json["error"]) == (400, "invalid_scope")


async def test_version_1_of_the_token_endpoint_takes_a_resource(azure: AzurePart, http: Http) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": "sandbox-client-secret",
        "resource": "https://management.core.windows.net/",
    }
    reply = await http.send("POST", f"{azure.url}/{TENANT}/oauth2/token", data=form)

    assert claims(reply.json["access_token"])["aud"] == reply.json["resource"]
