"""What steps that several kinds of operation have hand on to later steps and to people."""

from dataclasses import dataclass, field
from datetime import datetime

from services.model.operation import Note


@dataclass(frozen=True)
class RegistryCreated:
    """The connected registry, with the host name of the data endpoint that its connection string names."""

    gateway_endpoint: str


@dataclass(frozen=True)
class ImageKept:
    """The tag existed already, and imports never overwrite. `digest` is empty where only Azure's refusal says so."""

    image: str
    digest: str = ""
    login_server: str = field(default="", compare=False)
    """Of the cloud registry, for steps that follow; empty in rows of older versions."""


@dataclass(frozen=True)
class ImageImported:
    """The import has ended well, and the tag is there with this digest; empty where the bot could not look."""

    image: str
    digest: str = ""
    login_server: str = field(default="", compare=False)


@dataclass(frozen=True)
class TokenLinked:
    """The connected registry lists the client token; `synced_before` is its last sync from before that."""

    synced_before: datetime | None = None


@dataclass(frozen=True)
class ImagesAwaited(Note):
    """So many tags of all that are waited for are there; `next_sync` is when more can come, None: nobody knows."""

    there: int
    total: int
    next_sync: datetime | None = None


@dataclass(frozen=True)
class ImagesArrived:
    """So many tags are at the edge with the digests that the cloud has."""

    total: int
