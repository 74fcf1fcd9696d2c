"""What the steps of a deployment hand on to later steps and to people."""

from dataclasses import dataclass
from datetime import datetime

from services.model.operation import Operation
from services.operations.outputs import ImageImported, ImageKept, RegistryCreated


@dataclass(frozen=True)
class AddressHeld:
    """The Service address that is the extension's."""

    address: str


@dataclass(frozen=True)
class AddressReserved:
    """An address of the site file for the extension, where no cluster was asked whether it is free.

    `refused` are those that the cluster refused to this operation's earlier runs.
    """

    address: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExtensionInstalled:
    """The extension has succeeded; `problems` are what its statuses warn of nevertheless."""

    version: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuntimeVerified:
    """The Deployment is available; `address` is its Service's, `volume` the phase of its claim."""

    address: str
    volume: str


@dataclass(frozen=True)
class RegistryOnline:
    """The connected registry has been in contact; `last_sync` where it has synced already."""

    last_sync: datetime | None = None


@dataclass(frozen=True)
class RegistrySynced:
    """A sync of all repositories has ended. `unproven` are those of which it is not known that they hold an image."""

    last_sync: datetime | None = None
    repositories: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


VALUES = {
    "deploy.address_held": AddressHeld,
    "deploy.address_reserved": AddressReserved,
    "deploy.image_kept": ImageKept,
    "deploy.image_imported": ImageImported,
    "deploy.registry_created": RegistryCreated,
    "deploy.extension_installed": ExtensionInstalled,
    "deploy.runtime_verified": RuntimeVerified,
    "deploy.registry_online": RegistryOnline,
    "deploy.registry_synced": RegistrySynced,
}
"""By the tag that is stored, which never changes."""
EXTENSION_ADDRESS = "extension.address"
"""What was observed of an extension that stays as it is: its address, which no step holds then."""


def address_of(operation: Operation) -> str:
    """The Service address that the extension has, or will have; empty while nobody knows."""
    output = operation.output(AddressHeld) or operation.output(AddressReserved)
    if output is not None:
        return output.address
    return str(operation.plan.observed.get(EXTENSION_ADDRESS, "")) if operation.plan else ""
