"""A site's own certificate: which are taken, and what is said of others."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.checking import secret_problems
from services.model.errors import Failure
from services.operations.certificates import Certificate, CertificateCode, Unusable, assess, look, settings
from services.policy.sites import Site
from tests.certificates import BEGINS, LIFE, Issued
from tests.golden.values import SITE

HOST = "10.112.0.2"
NOW = BEGINS + timedelta(days=60)
ROOT = Issued("root")
MIDDLE = Issued("middle", by=ROOT)
LEAF = Issued("edge01", HOST, "edge01.example.com", by=MIDDLE)
OWN = Issued("edge01", HOST, "*.example.com")


def site(folder: Path, **files: str) -> Site:
    """With these contents of the files; a key that is named `variable` stands in the environment."""
    for name, text in files.items():
        (folder / name).write_text(text)
    key = {} if "key" in files else {"key_variable": "EDGE_KEY"}
    names = {"certificate_file": "certificate", "key_file": "key", "ca_file": "ca"}
    paths = {field: str(folder / name) for field, name in names.items() if name in files}
    return Site.model_validate(SITE.model_dump() | {"extension": {"certificate": paths | key}})


def codes(folder: Path, *hosts: str, **files: str) -> Any:
    """What is found of it at the time of `NOW`."""
    return assess(look(site(folder, **files), {}), NOW, *(hosts or (HOST,))).code


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"certificate": OWN.pem, "key": OWN.key_pem()}, CertificateCode.CERTIFICATE_FITS),
        ({"certificate": LEAF.pem + MIDDLE.pem, "key": LEAF.key_pem(), "ca": ROOT.pem}, "certificate_fits"),
        ({"certificate": LEAF.pem, "key": LEAF.key_pem(), "ca": MIDDLE.pem + ROOT.pem}, "certificate_fits"),
        ({"certificate": LEAF.pem, "key": LEAF.key_pem(), "ca": ROOT.pem}, "certificate_ca_other"),
        ({"certificate": LEAF.pem + ROOT.pem, "key": LEAF.key_pem(), "ca": ROOT.pem}, "certificate_ca_other"),
        ({"certificate": LEAF.pem + MIDDLE.pem, "key": LEAF.key_pem()}, "certificate_ca_missing"),
        ({"certificate": OWN.pem, "key": LEAF.key_pem()}, "certificate_key_other"),
        ({"certificate": OWN.pem, "key": OWN.key_pem("hunter2")}, "certificate_key_encrypted"),
        ({"certificate": OWN.pem, "key": OWN.pem}, "certificate_malformed"),
        ({"certificate": OWN.key_pem(), "key": OWN.key_pem()}, "certificate_malformed"),
        ({"certificate": " ", "key": OWN.key_pem()}, "certificate_unreadable"),
        ({"certificate": OWN.pem}, "certificate_unreadable"),
    ],
)
def test_a_certificate_is_taken_whose_key_fits_and_whose_authority_is_named(
    tmp_path: Path, files: dict[str, str], code: str
) -> None:
    assert codes(tmp_path, **files) == code


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        ((HOST, "edge01.example.com"), "certificate_fits"),
        ((HOST, "EDGE02.example.com"), "certificate_fits"),
        ((HOST, "a.edge01.example.com"), "certificate_other_names"),
        (("10.112.0.3",), "certificate_other_names"),
    ],
)
def test_it_has_to_be_for_everything_by_which_nodes_pull(tmp_path: Path, hosts: tuple[str, ...], code: str) -> None:
    assert codes(tmp_path, *hosts, certificate=OWN.pem, key=OWN.key_pem()) == code


@pytest.mark.parametrize(
    ("begins", "life", "code"),
    [
        (BEGINS, timedelta(days=59), "certificate_expired"),
        (BEGINS, timedelta(days=61), "certificate_ends_soon"),
        (NOW + timedelta(days=1), LIFE, "certificate_early"),
    ],
)
def test_it_has_to_be_valid_now_and_for_a_while(tmp_path: Path, begins: Any, life: timedelta, code: str) -> None:
    issued = Issued("edge01", HOST, begins=begins, life=life)

    assert codes(tmp_path, certificate=issued.pem, key=issued.key_pem()) == code


def test_one_without_alternative_names_is_for_nobody(tmp_path: Path) -> None:
    issued = Issued(HOST)

    assert codes(tmp_path, certificate=issued.pem, key=issued.key_pem()) == "certificate_other_names"


def test_what_is_sent_is_what_was_approved_and_nothing_else(tmp_path: Path) -> None:
    own = site(tmp_path, certificate=OWN.pem)
    environment = {"EDGE_KEY": OWN.key_pem()}
    certificate = look(own, environment)
    assert isinstance(certificate, Certificate)
    sent = settings(own, environment, certificate.fingerprint)

    assert {key: base64.b64decode(value.reveal()).decode() for key, value in sent.items()} == {
        "tls.crt": OWN.pem,
        "tls.key": OWN.key_pem(),
        "tls.cacrt": OWN.pem,
    }
    assert OWN.key_pem() not in f"{certificate} {sent}"
    with pytest.raises(Failure):
        settings(own, environment, "another")
    with pytest.raises(Failure):
        settings(own, {}, certificate.fingerprint)


def test_a_site_without_one_and_one_that_can_not_be_used_are_named(tmp_path: Path) -> None:
    assert look(SITE, {}) == Unusable(CertificateCode.CERTIFICATE_NOT_NAMED)
    (problem,) = secret_problems(site(tmp_path, certificate=OWN.pem), {})

    assert (problem.where, problem.what) == (
        "certificate of site hamburg",
        "The site's own certificate can't be read: the environment variable EDGE_KEY is not set.",
    )
