"""The connection string that an extension gets."""

import pytest

from services.model.errors import Invalid
from services.model.secret import Secret
from services.operations.connection_string import connection_string

GATEWAY = "contosoacr.westeurope.data.azurecr.io"


def test_it_has_five_pairs_in_order_and_no_semicolon_at_the_end() -> None:
    made = connection_string(name="edge01", token="edge01", password=Secret("p+ss=/word"), gateway_endpoint=GATEWAY)
    assert made.reveal() == (
        "ConnectedRegistryName=edge01;SyncTokenName=edge01;SyncTokenPassword=p+ss=/word;"
        "ParentGatewayEndpoint=contosoacr.westeurope.data.azurecr.io;ParentEndpointProtocol=https"
    )


def test_it_is_not_seen_by_accident() -> None:
    made = connection_string(name="edge01", token="edge01", password=Secret("hidden"), gateway_endpoint=GATEWAY)
    assert "hidden" not in f"{made} {made!r}"


@pytest.mark.parametrize("bad", ["", " ", "a;b", "a\rb", "a\n", "\ufeffa"])
def test_a_password_that_would_break_it_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(Invalid) as caught:
        connection_string(name="edge01", token="edge01", password=Secret(bad), gateway_endpoint=GATEWAY)
    assert caught.value.field_name == "SyncTokenPassword"
    assert caught.value.value == ""


def test_a_missing_gateway_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as caught:
        connection_string(name="edge01", token="edge01", password=Secret("secret"), gateway_endpoint="")
    assert (caught.value.field_name, caught.value.rule) == ("ParentGatewayEndpoint", "connection_string.empty")
