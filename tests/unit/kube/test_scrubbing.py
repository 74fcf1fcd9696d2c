"""What is read in a cluster travels on without secrets."""

import pytest

from services.kube.scrubbing import scrubbed

SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"ConnectedRegistryName=edge01;SyncTokenName=edge01;SyncTokenPassword={SECRET};ParentEndpointProtocol=https",
        f'{{"connectionString": "ConnectedRegistryName=edge01;SyncTokenPassword={SECRET}"}}',
        f'{{"password": "{SECRET}"}}',
        f"password: {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}==",
        f"https://edge01:{SECRET}@contosoacr.azurecr.io/v2/",
        f"https://contosoacr.blob.core.windows.net/x?sig={SECRET}{SECRET}",
        "login with 0123456789abcdefhunter2hunter2+ACRBcDeFg",
        f"token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.{SECRET}",
    ],
)
def test_a_secret_does_not_get_through(text: str) -> None:
    assert SECRET not in scrubbed(text)


@pytest.mark.parametrize(
    "text",
    [
        "Imported hello-world:latest@sha256:2498fce14358aa50ead0cc6c19990fc6ff866ce72aeb5546e1d59caac3d0d60f.",
        "dial tcp: lookup contosoacr.westeurope.data.azurecr.io: i/o timeout",
        'HTTP body: {"errors":[{"code":"UNAUTHORIZED","message":"Incorrect Password, or the token is disabled."}]}',
        "line one\nline two\n",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert scrubbed(text) == text
