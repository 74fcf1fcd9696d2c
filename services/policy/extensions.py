"""Which Arc extension serves which connected registry, by what both of them show. Pure.

Names prove nothing: the Azure CLI lets people choose the extension's, and one of another type may bear the same. What
ties the two together is the Service address: it is a setting of the extension, and the registry's login server as soon
as its runtime has been in contact.
"""

from ipaddress import ip_address

from services.model.azure import ConnectedRegistry, Extension
from services.policy.sites import EXTENSION_TYPE, RUNTIME_NAMESPACE

CERT_MANAGER_TYPE = "microsoft.certmanagement"
"""Of Microsoft's own cert-manager (Learn: cert-manager for Azure Arc, preview of 2026-04)."""
SERVICE_ADDRESS = "service.clusterIP"
STORAGE_CLASS = "pvc.storageClassName"
STORAGE_REQUEST = "pvc.storageRequest"
CERT_MANAGER_INSTALL = "cert-manager.install"
CERT_MANAGER = "cert-manager.enabled"
TRUST_DISTRIBUTION = "trustDistribution.enabled"
TRUST_NODE_SELECTOR = "trustDistribution.useNodeSelector"
HTTP = "httpEnabled"
SERVICE_TYPE = "service.type"
DNS_NAME = "registryLoginServer"
TLS_SECRET = "tls.secret"  # noqa: S105 - the key of a setting, which names a Secret of the cluster
TLS_CERTIFICATE = "tls.crt"
TLS_KEY = "tls.key"
TLS_AUTHORITY = "tls.cacrt"
OWN_CERTIFICATE = frozenset({TLS_CERTIFICATE, TLS_KEY, TLS_AUTHORITY})
"""Settings of the extension (Learn: quickstart-connected-registry-arc-cli, tutorial-connected-registry-arc)."""

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
TRUST_LABEL = ("containerd-configured-by", "connected-registry")
"""Key and value of the label on nodes that `useNodeSelector` asks for."""


def registry_extensions(extensions: tuple[Extension, ...]) -> tuple[Extension, ...]:
    """Those that run a connected registry, whatever they are called."""
    return tuple(extension for extension in extensions if extension.type.casefold() == EXTENSION_TYPE)


def namespace_of(extension: Extension | None) -> str:
    """Where it is installed; where the bot installs, without an extension and where Azure does not say."""
    return (extension and extension.release_namespace) or RUNTIME_NAMESPACE


def brings_cert_manager(extension: Extension) -> bool:
    """Whether it installs cert-manager: it does unless that is switched off, in whatever case Azure keeps the word."""
    return extension.settings.get(CERT_MANAGER_INSTALL, DEFAULTS[CERT_MANAGER_INSTALL]).casefold() != "false"


def extension_of(
    name: str, registries: tuple[ConnectedRegistry, ...], extensions: tuple[Extension, ...]
) -> Extension | None:
    """The extension of a cluster that serves the connected registry `name`; None where there is none for certain.

    `registries` are all of its cloud registry, so that another one's extension is not taken for this one's. An
    extension that bears the name of a registry that does not exist is nobody else's, so it counts as its own.
    """
    registries = tuple(registries)
    own = [extension for extension in registry_extensions(extensions) if _is_own(extension, name, registries)]
    return max(own, key=lambda extension: extension.provisioning_state == "Succeeded", default=None)


def served_registries(extension: Extension, registries: tuple[ConnectedRegistry, ...]) -> tuple[ConnectedRegistry, ...]:
    """The connected registry that the extension serves; empty where none of `registries` is.

    Several where several have its Service address as their login server and it bears the name of none: clusters often
    have the same Service range, and an address proves something only within one cluster.
    """
    if not registry_extensions((extension,)):
        return ()
    candidates = tuple(registry for registry in registries if _may_serve(extension, registry))
    namesakes = tuple(registry for registry in candidates if _is_named(registry, extension.name))
    return namesakes or candidates


def shares_address(extension: Extension, registry: ConnectedRegistry) -> bool:
    """Whether the registry's runtime reports the extension's Service address as its own."""
    login_server = _host(registry.login_server)
    return bool(login_server) and login_server == _host(extension.settings.get(SERVICE_ADDRESS, ""))


def _is_own(extension: Extension, name: str, registries: tuple[ConnectedRegistry, ...]) -> bool:
    if served := served_registries(extension, registries):
        return len(served) == 1 and _is_named(served[0], name)
    return _is_named(extension, name) and not any(_is_named(registry, name) for registry in registries)


def _may_serve(extension: Extension, registry: ConnectedRegistry) -> bool:
    if shares_address(extension, registry):
        return True
    # Before the first contact there is no login server, and after a deactivation it is the former installation's.
    is_settled = registry.activation == "Active" and registry.login_server
    return _is_named(registry, extension.name) and not is_settled


def _host(address: str) -> str:
    """An IP address in its shortest form, so that two spellings of an IPv6 address are equal."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address.casefold()


def _is_named(resource: ConnectedRegistry | Extension, name: str) -> bool:
    return resource.name.casefold() == name.casefold()
