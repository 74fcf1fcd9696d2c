"""A site's own certificate: read from the files that the site file names, checked, and handed to the extension.

Its key is read where it is checked or sent, and kept nowhere: a plan has the certificate's fingerprint.
"""

import base64
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from ipaddress import ip_address
from itertools import pairwise, starmap
from typing import Any, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.model.errors import Failure
from services.model.plan import Finding
from services.model.secret import Secret
from services.operations.checks import blocker, ok, warning
from services.operations.local_secrets import secret_of
from services.policy.extensions import TLS_AUTHORITY, TLS_CERTIFICATE, TLS_KEY
from services.policy.sites import OwnCertificate, Site

ENDS_SOON = timedelta(days=30)


class CertificateCode(StrEnum):
    """All that a certificate can be. `handlers.views.procedures.words` has the sentences."""

    CERTIFICATE_FITS = auto()
    CERTIFICATE_ENDS_SOON = auto()
    CERTIFICATE_NOT_NAMED = auto()
    CERTIFICATE_UNREADABLE = auto()
    CERTIFICATE_MALFORMED = auto()
    CERTIFICATE_KEY_ENCRYPTED = auto()
    CERTIFICATE_KEY_OTHER = auto()
    CERTIFICATE_CA_MISSING = auto()
    CERTIFICATE_CA_OTHER = auto()
    CERTIFICATE_EXPIRED = auto()
    CERTIFICATE_EARLY = auto()
    CERTIFICATE_OTHER_NAMES = auto()


class CertificateCause(StrEnum):
    """Why a step could not send it."""

    CERTIFICATE_REPLACED = auto()


@dataclass(frozen=True)
class Certificate:
    """What everybody may know of a certificate whose key fits and that its authority has signed.

    `fingerprint` is the SHA-256 of its DER form, `names` are the DNS names and addresses that it is valid for.
    """

    fingerprint: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those of the names that are IP addresses."""
        return tuple(filter(_is_address, self.names))


@dataclass(frozen=True)
class Unusable:
    """Why there is none that could be used."""

    code: CertificateCode
    facts: Mapping[str, Any] = field(default_factory=dict)


class UnusableError(Exception):
    """Carries an `Unusable` out of the reading."""

    def __init__(self, code: CertificateCode, **facts: object) -> None:
        super().__init__(code)
        self.reason = Unusable(code, facts)


@dataclass(frozen=True)
class CertificateObservation:
    """The site's own certificate at the time of `looked_at`, beside what else a kind looks at."""

    certificate: Certificate | Unusable = field(default=Unusable(CertificateCode.CERTIFICATE_NOT_NAMED), kw_only=True)
    looked_at: datetime = field(default=datetime.min.replace(tzinfo=UTC), kw_only=True)

    def with_certificate(self, site: Site, environment: Mapping[str, str], now: datetime) -> Self:
        """The same, where the files have been read."""
        return replace(self, certificate=look(site, environment), looked_at=now)

    def certificate_finding(self, *hosts: str) -> Finding:
        """Whether nodes that pull from these hosts, names or addresses, would take it."""
        return assess(self.certificate, self.looked_at, *hosts)


def look(site: Site, environment: Mapping[str, str]) -> Certificate | Unusable:
    """The certificate that the site file names, as it is now. Reads up to three small files."""
    try:
        return _read(site.extension.certificate, environment)[0]
    except UnusableError as error:
        return error.reason


def settings(site: Site, environment: Mapping[str, str], fingerprint: str) -> dict[str, Secret]:
    """The protected settings by which the extension gets it: PEM in base64 (Learn: tutorial-connected-registry-arc).

    Raises `Failure` where the files no longer hold the certificate with that fingerprint, which is what was approved.
    """
    try:
        certificate, protected = _read(site.extension.certificate, environment)
    except UnusableError:
        raise Failure(CertificateCause.CERTIFICATE_REPLACED) from None
    if certificate.fingerprint != fingerprint:
        raise Failure(CertificateCause.CERTIFICATE_REPLACED)
    return protected


def commands(site: Site) -> dict[str, str]:
    """The commands of a shell that print those settings; empty where the site names no certificate."""
    own = site.extension.certificate
    if own is None:
        return {}
    key = (
        f"printf '%s\\n' \"${{{own.key_variable}}}\" | base64"
        if own.key_variable
        else f"base64 < {shlex.quote(own.key_file)}"
    )
    sources = {
        TLS_CERTIFICATE: f"base64 < {shlex.quote(own.certificate_file)}",
        TLS_KEY: key,
        TLS_AUTHORITY: f"base64 < {shlex.quote(own.ca_file or own.certificate_file)}",
    }
    return {setting: f"{command} | tr -d '\\n'" for setting, command in sources.items()}


def assess(certificate: Certificate | Unusable, now: datetime, *hosts: str) -> Finding:
    """Whether nodes that pull from these hosts, names or addresses, would take it `now`."""
    if isinstance(certificate, Unusable):
        return blocker(certificate.code, **certificate.facts)
    facts = {"names": certificate.names, "begins": certificate.begins, "ends": certificate.ends}
    if uncovered := tuple(host for host in hosts if not _covers(certificate, host)):
        return blocker(CertificateCode.CERTIFICATE_OTHER_NAMES, hosts=uncovered, **facts)
    if certificate.ends <= now:
        return blocker(CertificateCode.CERTIFICATE_EXPIRED, **facts)
    if certificate.begins > now:
        return blocker(CertificateCode.CERTIFICATE_EARLY, **facts)
    if certificate.ends - now < ENDS_SOON:
        return warning(CertificateCode.CERTIFICATE_ENDS_SOON, **facts)
    return ok(CertificateCode.CERTIFICATE_FITS, **facts)


def _covers(certificate: Certificate, host: str) -> bool:
    """A wildcard stands for the first label (RFC 9525)."""
    host = str(ip_address(host)) if _is_address(host) else host.casefold()
    names = {name.casefold() for name in certificate.names}
    return host in names or f"*.{host.partition('.')[2]}" in names


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _read(own: OwnCertificate | None, environment: Mapping[str, str]) -> tuple[Certificate, dict[str, Secret]]:
    if own is None:
        raise UnusableError(CertificateCode.CERTIFICATE_NOT_NAMED)
    chain_pem = _text(own.certificate_file, "", environment)
    key_pem = _text(own.key_file, own.key_variable, environment)
    authority_pem = _text(own.ca_file, "", environment) if own.ca_file else chain_pem
    chain = _certificates(chain_pem, own.certificate_file)
    authorities = _certificates(authority_pem, own.ca_file or own.certificate_file)
    leaf = chain[0]
    _compare_key(leaf, key_pem, own.key_variable or own.key_file)
    if not own.ca_file and leaf.issuer != leaf.subject:
        raise UnusableError(CertificateCode.CERTIFICATE_CA_MISSING, issuer=leaf.issuer.rfc4514_string())
    # A server sends the certificates between its own and the authority, and the authority is what clients trust.
    if not all(starmap(_is_issued, pairwise(chain))) or not any(_is_issued(chain[-1], one) for one in authorities):
        raise UnusableError(CertificateCode.CERTIFICATE_CA_OTHER, place=own.ca_file or own.certificate_file)
    certificate = Certificate(
        leaf.fingerprint(hashes.SHA256()).hex(), _names(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc
    )
    texts = {TLS_CERTIFICATE: chain_pem, TLS_KEY: key_pem, TLS_AUTHORITY: authority_pem}
    return certificate, {key: _encoded(text) for key, text in texts.items()}


def _text(file: str, variable: str, environment: Mapping[str, str]) -> Secret:
    try:
        return secret_of(file, variable, environment)
    except ValueError as error:
        raise UnusableError(CertificateCode.CERTIFICATE_UNREADABLE, reason=str(error)) from None


def _certificates(pem: Secret, place: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.reveal().encode())
    except ValueError:
        raise UnusableError(CertificateCode.CERTIFICATE_MALFORMED, place=place) from None


def _compare_key(leaf: x509.Certificate, pem: Secret, place: str) -> None:
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except TypeError:
        raise UnusableError(CertificateCode.CERTIFICATE_KEY_ENCRYPTED, place=place) from None
    except ValueError:
        raise UnusableError(CertificateCode.CERTIFICATE_MALFORMED, place=place) from None
    if key.public_key() != leaf.public_key():
        raise UnusableError(CertificateCode.CERTIFICATE_KEY_OTHER, place=place)


def _is_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Clients look at these alone, and no longer at the common name (RFC 9525)."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return (*addresses, *names.get_values_for_type(x509.DNSName))


def _encoded(text: Secret) -> Secret:
    return Secret(base64.b64encode(f"{text.reveal()}\n".encode()).decode())
