"""What a change of an extension is asked to do, and all words for what it sees and why it fails."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import Literal

from services.model.errors import Invalid
from services.operations.connection_string import Protocol
from services.operations.tls import TLS_SETTINGS, valid_tls
from services.policy.extensions import DNS_NAME, SERVICE_TYPE, TRUST_DISTRIBUTION, TRUST_NODE_SELECTOR
from services.policy.sites import Site, Tls

ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")


@dataclass(frozen=True)
class ExtensionUpdateOptions:
    """What somebody wants changed; None or empty stays as it is. Stored with the operation."""

    version: str = ""
    release_train: str = ""
    auto_upgrade: bool | None = None
    tls: Tls | None = None
    tls_secret: str = ""
    trust_distribution: bool | None = None
    trust_node_selector: bool | None = None
    service_type: ServiceType | None = None
    dns_name: str = ""
    parent_protocol: Protocol | None = None
    """By which it reaches the connected registry above it: changes nothing, but a new connection string says so."""

    @property
    def settings(self) -> dict[str, str]:
        """As the extension's settings."""
        flags = {TRUST_DISTRIBUTION: self.trust_distribution, TRUST_NODE_SELECTOR: self.trust_node_selector}
        trust = {key: str(value).lower() for key, value in flags.items() if value is not None}
        texts = {SERVICE_TYPE: self.service_type, DNS_NAME: self.dns_name}
        network = {key: str(value) for key, value in texts.items() if value}
        return {**(TLS_SETTINGS[self.tls] if self.tls else {}), **trust, **network}


@dataclass(frozen=True)
class ExtensionUpdateRequest:
    """A connected registry whose extension is changed."""

    name: str
    options: ExtensionUpdateOptions


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.extension_update` has their sentences."""

    EXTENSION_FOUND = auto()
    EXTENSION_ABSENT = auto()
    EXTENSION_BUSY = auto()
    EXTENSION_FAILED = auto()
    RESTARTS = auto()
    FROM_OUTSIDE = auto()
    DNS_NAME = auto()
    NODES_LABELLED = auto()
    NO_NODE_LABELLED = auto()
    NEW_PASSWORD = auto()
    OTHER_SECRETS = auto()
    NO_CONNECTION_STRING = auto()


class Cause(StrEnum):
    """Causes of failure that this kind alone has."""

    CHANGE_FAILED = auto()


def extension_update_request(_site: Site, name: str, options: ExtensionUpdateOptions) -> ExtensionUpdateRequest:
    """Raises `Invalid` where nothing is to change, and for options that exclude each other."""
    if replace(options, parent_protocol=None) == ExtensionUpdateOptions():
        raise Invalid("version", "", "extension_update.nothing")
    if options.version and options.auto_upgrade:
        # Azure refuses a version that is to stay and to be upgraded (azure-cli-extensions: k8s-extension).
        raise Invalid("auto_upgrade", "on", "auto_upgrade.pinned", {"version": options.version})
    valid_tls(options.tls, options.tls_secret)
    if options.dns_name and not HOST_NAME.fullmatch(options.dns_name):
        raise Invalid("dns_name", options.dns_name, "dns_name.pattern")
    return ExtensionUpdateRequest(name, options)
