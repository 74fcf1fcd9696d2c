"""What steps that several kinds of operation have hand on to later steps and to people."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RegistryCreated:
    """The connected registry, with the host name of the data endpoint that its connection string names."""

    gateway_endpoint: str


@dataclass(frozen=True)
class ImageKept:
    """The tag existed already, and imports never overwrite. `digest` is empty where only Azure's refusal says so."""

    image: str
    digest: str = ""


@dataclass(frozen=True)
class ImageImported:
    """The import has ended well, and the tag is there with this digest; empty where the bot could not look."""

    image: str
    digest: str = ""


@dataclass(frozen=True)
class TokenLinked:
    """The connected registry lists the client token; `synced_before` is its last sync from before that."""

    synced_before: datetime | None = None
