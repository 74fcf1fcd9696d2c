"""The connection string that a connected registry's runtime starts with, as the Azure CLI builds it."""

from typing import Literal

from services.model.errors import Invalid
from services.model.secret import Secret

_FORBIDDEN = (";", "\r", "\n", "\ufeff")
"""What would make another string of it. Carriage returns and byte order marks come from files saved on Windows."""


Protocol = Literal["http", "https"]


def connection_string(
    *, name: str, token: str, password: Secret, gateway_endpoint: str, protocol: Protocol = "https"
) -> Secret:
    """Five `Key=Value` pairs, without a `;` at the end. `gateway_endpoint` is the parent's data endpoint, a host name.

    The cloud registry takes HTTPS alone; a parent at the edge may be served in plain HTTP (azure-cli: get-settings).
    Raises `Invalid` for an empty part or one that would break the string; the error never shows the password.
    """
    parts = {
        "ConnectedRegistryName": name,
        "SyncTokenName": token,
        "SyncTokenPassword": password.reveal(),
        "ParentGatewayEndpoint": gateway_endpoint,
        "ParentEndpointProtocol": protocol,
    }
    for key, value in parts.items():
        printable = "" if key == "SyncTokenPassword" else value
        if not value.strip():
            raise Invalid(key, printable, "connection_string.empty")
        if any(mark in value for mark in _FORBIDDEN):
            raise Invalid(key, printable, "connection_string.character")
    return Secret(";".join(f"{key}={value}" for key, value in parts.items()))
