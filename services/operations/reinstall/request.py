"""What a reinstallation is asked to do, and all words of its own."""

from dataclasses import dataclass
from enum import StrEnum, auto

from services.operations.connection_string import Protocol
from services.policy.sites import Tls

NEWEST = "newest"
"""Typed in place of a version: the newest one of the release train, whatever the site file says."""


@dataclass(frozen=True)
class ReinstallOptions:
    """What somebody asks for; what is left out comes from the site. Stored with the operation."""

    service_ip: str | None = None
    storage_class: str | None = None
    storage_request: str | None = None
    extension_name: str | None = None
    version: str = ""
    parent_protocol: Protocol | None = None
    tls: Tls | None = None
    tls_secret: str = ""


class Code(StrEnum):
    """What a finding can be beside those of a removal and an installation."""

    EXTENSION_GOES = auto()
    SETTINGS_LOST = auto()
    OWNER_UNCLEAR = auto()
    TLS_SECRET_GOES = auto()
