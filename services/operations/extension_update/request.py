"""What a change of an extension is asked to do, and all words for what it sees and why it fails."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import Literal

from services.model.errors import Invalid
from services.operations.connection_string import Protocol
from services.policy.extensions import (
    CERT_MANAGER,
    CERT_MANAGER_INSTALL,
    DNS_NAME,
    HTTP,
    SERVICE_TYPE,
    TRUST_DISTRIBUTION,
    TRUST_NODE_SELECTOR,
)
from services.policy.sites import Site

Tls = Literal["cert-manager", "certificate", "secret", "http"]
ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
SECRET_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
TLS_SETTINGS: dict[Tls, dict[str, str]] = {
    "cert-manager": {CERT_MANAGER: "true", HTTP: "false"},
    # The chart refuses an installation of cert-manager that it is not to use (Learn: private preview of 2026-10).
    "secret": {CERT_MANAGER: "false", CERT_MANAGER_INSTALL: "false", HTTP: "false"},
    "certificate": {CERT_MANAGER: "false", CERT_MANAGER_INSTALL: "false", HTTP: "false"},
    "http": {HTTP: "true"},
}
"""Settings that each way to encrypt stands for (Learn: tutorial-connected-registry-arc; Azure/acr: Kubernetes)."""
DEFAULTS = {
    TRUST_DISTRIBUTION: "true",
    TRUST_NODE_SELECTOR: "false",
    CERT_MANAGER: "true",
    CERT_MANAGER_INSTALL: "true",
    HTTP: "false",
    SERVICE_TYPE: "ClusterIP",
    DNS_NAME: "",
}
"""What the chart takes where a setting is not there."""


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
    PLAIN_HTTP = auto()
    FROM_OUTSIDE = auto()
    DNS_NAME = auto()
    CERT_MANAGER_GOES = auto()
    TLS_SECRET_UNSEEN = auto()
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
    if (options.tls == "secret") != bool(options.tls_secret):
        raise Invalid("tls_secret", options.tls_secret, "tls_secret.with_tls")
    if options.tls_secret and not SECRET_NAME.fullmatch(options.tls_secret):
        raise Invalid("tls_secret", options.tls_secret, "tls_secret.pattern")
    if options.dns_name and not HOST_NAME.fullmatch(options.dns_name):
        raise Invalid("dns_name", options.dns_name, "dns_name.pattern")
    return ExtensionUpdateRequest(name, options)
