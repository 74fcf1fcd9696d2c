"""What never gets into an error, a log, a message or the database."""

import pytest

from services.model.redaction import LONGEST, REMOVED, SEARCHED, scrub, scrub_words, short

PASSWORD = "q8Jz+Kf3mW1xR7vT5yB9nL2cD4gH6jP0sA8eU3iO1wQ5+ACRBn7tYr"
SECRET = "hunter2hunter2"


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
    result = short(text)
    assert PASSWORD[:12] not in result
    assert REMOVED in result


def test_a_json_web_token_is_removed() -> None:
    assert "eyJ" not in short("got eyJ0eXAiOiJKV1QiLCJhbGci.eyJhdWQiOiJodHRwczov.c2lnbmF0dXJl back")


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
    assert short(text) == text


def test_a_long_text_is_cut_and_put_on_one_line() -> None:
    result = short("one\n two\r\n" + "words " * 1000)
    assert result.startswith("one two words")
    assert len(result) == LONGEST


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
    assert SECRET not in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "Imported hello-world:latest@sha256:2498fce14358aa50ead0cc6c19990fc6ff866ce72aeb5546e1d59caac3d0d60f.",
        "dial tcp: lookup contosoacr.westeurope.data.azurecr.io: i/o timeout",
        'HTTP body: {"errors":[{"code":"UNAUTHORIZED","message":"Incorrect Password, or the token is disabled."}]}',
        "line one\nline two\n",
    ],
)
def test_what_a_cluster_says_stays_as_it_is_otherwise(text: str) -> None:
    assert scrub(text) == text


def test_only_the_beginning_of_a_long_text_is_searched_and_no_half_of_a_secret_is_left() -> None:
    words = "x" * 40 + " " * (SEARCHED - 60)

    assert SECRET[:6] not in short(f"{words} password={SECRET}")


@pytest.mark.parametrize(
    "line",
    [
        f"deploy edge01 --password {SECRET}",
        f"deploy edge01 --password={SECRET}",
        f"deploy edge01 --client-secret {SECRET} --site berlin",
        f"login password {SECRET}",
        f"show edge01 --token {SECRET}",
        "watch berlin --every xoxb-1-2-abcdef",
        "show AbCdEfGh0123456789hunter2hunter2hunter2+ACRBcDeFg",
    ],
)
def test_a_secret_that_somebody_typed_by_mistake_is_masked(line: str) -> None:
    masked = " ".join(scrub_words(line.split()))

    assert "hunter2" not in masked
    assert "xoxb-1" not in masked
    assert REMOVED in masked


def test_a_command_without_a_secret_stays_as_it_was_typed() -> None:
    line = 'deploy edge01 --site berlin --repository hello-world --schedule "0 3 * * *" --dry-run'

    assert " ".join(scrub_words(line.split())) == line
