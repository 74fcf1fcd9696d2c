"""How a connected registry is encrypted for those who pull from it: one rule for each kind that installs or changes it.

The ways and their settings: Learn, tutorial-connected-registry-arc; Azure/acr, Kubernetes.
"""

from collections.abc import Mapping
from enum import StrEnum, auto

from services.model.azure import Extension
from services.model.errors import Invalid
from services.policy.extensions import CERT_MANAGER, CERT_MANAGER_INSTALL, DEFAULTS, HTTP, TLS_SECRET
from services.policy.sites import SECRET_NAME, Site, Tls

TLS_SETTINGS: Mapping[Tls, Mapping[str, str]] = {
    "cert-manager": {CERT_MANAGER: "true", HTTP: "false"},
    # The chart refuses an installation of cert-manager that it is not to use (Learn: private preview of 2026-10).
    "secret": {CERT_MANAGER: "false", CERT_MANAGER_INSTALL: "false", HTTP: "false"},
    "certificate": {CERT_MANAGER: "false", CERT_MANAGER_INSTALL: "false", HTTP: "false"},
    "http": {HTTP: "true"},
}
"""Settings of the extension that each way stands for."""
DECIDED = frozenset({CERT_MANAGER, CERT_MANAGER_INSTALL, HTTP})
"""Those of them that an installation decides on."""


class TlsCode(StrEnum):
    """Findings about it. `handlers.views.procedures.words` has their sentences."""

    PLAIN_HTTP = auto()
    TLS_SECRET_UNSEEN = auto()
    TLS_SECRET_UNNAMED = auto()
    TLS_DIFFERS = auto()
    CERT_MANAGER_GOES = auto()


def valid_tls(tls: Tls | None, secret: str) -> None:
    """Raises `Invalid` unless the name of a Secret is given with `secret`, and only with it."""
    if (tls == "secret") != bool(secret):
        raise Invalid("tls_secret", secret, "tls_secret.with_tls")
    if secret and not SECRET_NAME.fullmatch(secret):
        raise Invalid("tls_secret", secret, "tls_secret.pattern")


def stated_tls(site: Site, tls: Tls | None, secret: str) -> tuple[Tls | None, str]:
    """The way that somebody names for an installation, else the site's, with the name of its Secret.

    None: nobody has said, so that an extension which is installed over keeps its own. Raises `Invalid`.
    """
    valid_tls(tls, secret)
    return (tls, secret) if tls else (site.extension.tls, site.extension.tls_secret)


def installed_tls(extension: Extension) -> Tls:
    """The way that an extension has by its settings, and by the names of its protected ones."""
    settings = {key: value.casefold() for key, value in {**DEFAULTS, **extension.settings}.items()}
    if settings[HTTP] == "true":
        return "http"
    if settings[CERT_MANAGER] != "false":
        return "cert-manager"
    return "secret" if TLS_SECRET in extension.secrets else "certificate"


def installation_settings(tls: Tls, *, has_cert_manager: bool) -> dict[str, str]:
    """Settings of an installation that differ from the chart's defaults.

    With `has_cert_manager` the cluster has one that is not the extension's own: a second one could not be installed.
    """
    own = {key: value for key, value in TLS_SETTINGS[tls].items() if value != DEFAULTS[key]}
    return {**own, CERT_MANAGER_INSTALL: "false"} if has_cert_manager else own
