"""Connection strings as the runtime reads them."""

import pytest

from sandbox.edge.connection import BadConnectionStringError, parse

GOOD = (
    "ConnectedRegistryName=edge01;SyncTokenName=edge01;SyncTokenPassword=p4ss+word/==;"
    "ParentGatewayEndpoint=contosoacr.westeurope.data.azurecr.io;ParentEndpointProtocol=https"
)


def test_a_good_string_is_taken_apart() -> None:
    connection = parse(GOOD)

    assert (connection.name, connection.token, connection.password) == ("edge01", "edge01", "p4ss+word/==")
    assert connection.login_server == "contosoacr.azurecr.io"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\ufeff" + GOOD, "byte order mark"),
        (GOOD + "\r", "line end"),
        (GOOD + " ", "white space"),
        (GOOD.replace("SyncTokenPassword=p4ss+word/==;", ""), "SyncTokenPassword is missing"),
        (GOOD.replace("p4ss+word/==", ""), "SyncTokenPassword is missing"),
        (GOOD.replace("=https", "=ftp"), "must be http or https"),
        (GOOD + ";SyncTokenName=other", "there twice"),
        (GOOD + ";ManagedIdentityClientId=x", "both a sync token and a managed identity"),
        (GOOD + ";", "known keys"),
        ("", "known keys"),
    ],
)
def test_anything_else_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadConnectionStringError, match=says):
        parse(text)


def test_neither_the_value_nor_an_error_shows_the_password() -> None:
    assert "p4ss" not in repr(parse(GOOD))
    with pytest.raises(BadConnectionStringError) as raised:
        parse(GOOD + ";Odd=1")
    assert "p4ss" not in str(raised.value)
