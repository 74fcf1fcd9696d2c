"""The bot's own identity in Microsoft Entra."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.identity.aio import (
    AzureCliCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from services.gateways.azure.clouds import Cloud
from services.gateways.azure.translation import SERVICE
from services.model.errors import Invalid, NotAuthenticated
from services.model.redaction import short
from services.model.secret import Secret

OWN = ""
"""The name of the identity that the bot's own settings describe."""
IdentityKind = Literal["auto", "workload", "managed", "secret", "cli"]


class Credential(AsyncTokenCredential, Protocol):
    """Gives tokens, and is closed in the end."""


@dataclass(frozen=True)
class Identity:
    """Who the bot is.

    `auto` is azure-identity's default chain (environment, workload identity, managed identity, developer tools);
    `workload` takes what is empty here from the environment that the AKS webhook sets; `managed` is the system-assigned
    identity, or the user-assigned one of `client_id`; `secret` needs tenant, client id and secret; `cli` is `az login`.
    """

    kind: IdentityKind = "auto"
    tenant: str = ""
    client_id: str = ""
    secret: Secret | None = None
    token_file: str = ""
    """Of the workload identity's federated token."""


@dataclass(frozen=True)
class Logins:
    """The credentials of all identities by name, the settings' own under the empty one.

    `choice` gives the name for an ARM id.
    """

    credentials: Mapping[str, Credential]
    choice: Callable[[str], str]

    def name_at(self, arm_id: str) -> str:
        """The identity that works there. Raises `NotAuthenticated` for one that the bot was not started with."""
        name = self.choice(arm_id)
        if name not in self.credentials:
            raise NotAuthenticated(SERVICE, arm_id, "IdentityUnknown", f"no identity {name}", reason="unknown")
        return name

    def at(self, arm_id: str) -> Credential:
        """The credential that works there; raises as `name_at`."""
        return self.credentials[self.name_at(arm_id)]

    async def close(self) -> None:
        """Close all."""
        async with AsyncExitStack() as stack:
            for login in self.credentials.values():
                stack.push_async_callback(login.close)


def credential(identity: Identity, cloud: Cloud, transport: AsyncHttpTransport[Any, Any]) -> Credential:
    """The credential for `identity` at the cloud's authority. Raises `Invalid` for a value that is missing or wrong."""
    try:
        return _credential(identity, cloud, transport)
    except ValueError as error:
        raise Invalid("identity", identity.kind, "identity.value", {"message": short(str(error))}) from None


def _credential(identity: Identity, cloud: Cloud, transport: AsyncHttpTransport[Any, Any]) -> Credential:
    # Shorter than azure-identity's own ten retries, since every call of ours has a deadline.
    shared: dict[str, Any] = {"transport": transport, "retry_total": 2, "retry_backoff_factor": 0.2}
    shared["authority"] = cloud.authority
    match identity.kind:
        case "secret":
            if not (identity.tenant and identity.client_id and identity.secret):
                raise Invalid("identity", identity.kind, "identity.incomplete")
            return ClientSecretCredential(identity.tenant, identity.client_id, identity.secret.reveal(), **shared)
        case "workload":
            values = {
                "tenant_id": identity.tenant,
                "client_id": identity.client_id,
                "token_file_path": identity.token_file,
            }
            return WorkloadIdentityCredential(**{key: value for key, value in values.items() if value}, **shared)
        case "managed":
            del shared["authority"]
            return ManagedIdentityCredential(client_id=identity.client_id or None, **shared)
        case "cli":
            return AzureCliCredential(tenant_id=identity.tenant)
        case "auto":
            return DefaultAzureCredential(managed_identity_client_id=identity.client_id or None, **shared)
    raise Invalid("identity", identity.kind, "identity.kind", {"known": get_args(IdentityKind)})
