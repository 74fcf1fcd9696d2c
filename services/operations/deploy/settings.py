"""Which settings of an extension an installation decides on, and which of them it would lose. Pure."""

from services.model.azure import Extension
from services.operations.extension_steps import CONNECTION_STRING
from services.operations.tls import DECIDED
from services.policy.extensions import (
    OWN_CERTIFICATE,
    SERVICE_ADDRESS,
    STORAGE_CLASS,
    STORAGE_REQUEST,
    TLS_SECRET,
    TRUST_DISTRIBUTION,
)

SETTINGS = frozenset({STORAGE_REQUEST, STORAGE_CLASS, TRUST_DISTRIBUTION}) | DECIDED
"""Those that the plan names; the Service address has a step of its own."""
_PROTECTED = OWN_CERTIFICATE | {CONNECTION_STRING, TLS_SECRET}
"""Protected ones that an installation sends where it is to have them."""


def lost_settings(extension: Extension) -> tuple[str, ...]:
    """Those that others have given to the extension: an installation replaces all, and nobody can read secrets."""
    plain, secrets = {*extension.settings} - SETTINGS - {SERVICE_ADDRESS}, {*extension.secrets} - _PROTECTED
    return tuple(sorted(plain | secrets))
