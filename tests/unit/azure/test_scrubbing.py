"""What never gets into an error text or a log."""

import pytest

from services.azure.scrubbing import LONGEST, scrubbed

PASSWORD = "q8Jz+Kf3mW1xR7vT5yB9nL2cD4gH6jP0sA8eU3iO1wQ5+ACRBn7tYr"


@pytest.mark.parametrize(
    "text",
    [
        f"connection string ConnectedRegistryName=edge01;SyncTokenName=edge01;SyncTokenPassword={PASSWORD};Parent=x",
        f"the password {PASSWORD} is wrong",
        f'{{"name":"password1","value":"{PASSWORD}"}}',
        f"'password': '{PASSWORD[:12]}'",
        f"client_secret={PASSWORD[:20]}&grant_type=client_credentials",
        f"Authorization: Bearer {PASSWORD}",
        f"Basic {PASSWORD}",
        f"https://management.azure.com/operations/1?api-version=1&t=638&c={PASSWORD}&s={PASSWORD}&h=abc",
        f'\\"clientSecret\\": \\"{PASSWORD[:16]}\\"',
        f"PASSWORD = {PASSWORD[:16]}",
    ],
)
def test_a_secret_is_removed_in_every_form_it_comes_in(text: str) -> None:
    result = scrubbed(text)
    assert PASSWORD[:12] not in result
    assert "[removed]" in result


def test_a_json_web_token_is_removed() -> None:
    assert "eyJ" not in scrubbed("got eyJ0eXAiOiJKV1QiLCJhbGci.eyJhdWQiOiJodHRwczov.c2lnbmF0dXJl back")


@pytest.mark.parametrize(
    "text",
    [
        "The resource edge01 could not be found.",
        "no authorization to perform action 'Microsoft.ContainerRegistry/registries/connectedRegistries/read'",
        "over scope '/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/edge-rg'.",
        "manifest sha256:2cb24dd2bbd28b0f3bbcc7eaef6a5b1b7f4c1b4b2b8a5f8d4c2a1e0f9d8c7b6a is unknown",
        "AADSTS7000215: Invalid client secret provided. Trace ID: 0f2c Correlation ID: 1d2e",
        "admission webhook denied the request, see https://aka.ms/arm-throttling for more",
    ],
)
def test_what_helps_a_person_stays(text: str) -> None:
    assert scrubbed(text) == text


def test_a_long_text_is_cut_and_put_on_one_line() -> None:
    result = scrubbed("one\n two\r\n" + "words " * 1000)
    assert result.startswith("one two words")
    assert len(result) == LONGEST
