"""The connection string, read as strictly as the runtime reads it."""

from dataclasses import dataclass

KEYS = (
    "ConnectedRegistryName",
    "SyncTokenName",
    "SyncTokenPassword",
    "ParentGatewayEndpoint",
    "ParentEndpointProtocol",
)
IDENTITY_KEY = "ManagedIdentityClientId"


class BadConnectionStringError(Exception):
    """The text can't be used. The message never contains a value of it."""


@dataclass(frozen=True)
class Connection:
    """A connected registry's initial configuration of its parent."""

    name: str
    token: str
    password: str
    gateway: str
    """Host name of the gateway, `{registry}.{region}.data.azurecr.io`."""

    def __repr__(self) -> str:
        return f"Connection({self.name} at {self.gateway})"

    @property
    def login_server(self) -> str:
        """Host name of the cloud registry's login server, which the gateway's name begins with."""
        registry, _, domain = self.gateway.partition(".")
        return registry + "." + domain.partition(".data.")[2] if ".data." in domain else self.gateway


def parse(text: str) -> Connection:
    """Read a connection string.

    Raises:
        BadConnectionStringError: a byte order mark, a line end or blank around it, a missing, empty, doubled or
            unknown key, both kinds of credentials, or an unknown protocol.
    """
    if text.startswith("\ufeff"):
        raise BadConnectionStringError("it begins with a byte order mark")
    if text != text.strip() or "\r" in text or "\n" in text:
        raise BadConnectionStringError("it contains a line end or surrounding white space")
    values = _pairs(text)
    if IDENTITY_KEY in values and values.keys() & {"SyncTokenName", "SyncTokenPassword"}:
        raise BadConnectionStringError("it has both a sync token and a managed identity")
    if missing := [key for key in KEYS if not values.get(key)]:
        raise BadConnectionStringError(f"{missing[0]} is missing")
    if values["ParentEndpointProtocol"] not in {"http", "https"}:
        raise BadConnectionStringError("ParentEndpointProtocol must be http or https")
    return Connection(
        values["ConnectedRegistryName"],
        values["SyncTokenName"],
        values["SyncTokenPassword"],
        values["ParentGatewayEndpoint"],
    )


def _pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in text.split(";"):
        key, equals, value = part.partition("=")
        if not equals or key not in (*KEYS, IDENTITY_KEY):
            raise BadConnectionStringError("it is not a list of Key=Value pairs with known keys joined by semicolons")
        if key in values:
            raise BadConnectionStringError(f"{key} is there twice")
        values[key] = value
    return values
