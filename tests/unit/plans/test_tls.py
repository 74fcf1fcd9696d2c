"""How a connected registry is encrypted: what an installation takes from whom, whichever command installs it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.model.azure import Extension
from services.model.errors import Invalid
from services.model.plan import Plan
from services.operations.answers import Known
from services.operations.certificates import Certificate, CertificateCode
from services.operations.deploy.codes import Code
from services.operations.deploy.extension_alone import EXTENSION_DEPLOY, ExtensionDeployOptions
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions
from services.operations.reinstall.procedure import REINSTALLATION, Observation
from services.operations.reinstall.request import Code as ReinstallCode
from services.operations.reinstall.request import ReinstallOptions
from services.operations.tls import TlsCode
from services.policy.sites import Site
from tests.golden.kinds import sync_token
from tests.golden.values import EXTENSION, NOW, REGISTRY, SEEN, SITE
from tests.unit.plans.test_rollback import SEEN as REMOVABLE

CERTIFICATE = Certificate("9f86d081", ("edge01.example.com", "10.112.0.1", "10.112.0.9"), NOW, NOW + timedelta(days=90))
WORLD = replace(
    SEEN,
    connected=Known((replace(REGISTRY, activation="Inactive", login_server="", schedule="* * * * *", window=None),)),
    token=Known(sync_token("edge01")),
    certificate=CERTIFICATE,
    looked_at=NOW,
)
OWN = {"cert-manager.enabled": "false", "cert-manager.install": "false"}
FAILED = replace(EXTENSION, provisioning_state="Failed")
CERTIFIED = replace(FAILED, settings=OWN, secrets=("connectionString", "tls.crt", "tls.key", "tls.cacrt"))
BY_SECRET = replace(FAILED, settings=OWN, secrets=("connectionString", "tls.secret"))
Installs = Callable[..., Plan]


def site(**extension: Any) -> Site:
    """With these settings of its extension."""
    return SITE.model_copy(update={"extension": SITE.extension.model_copy(update=extension)})


def deployed(*extensions: Extension, at: Site = SITE, world: Any = WORLD, **options: Any) -> Plan:
    """By `deploy`, over these extensions."""
    seen = replace(world, extensions=Known(extensions))
    return DEPLOY.make_plan(at, DEPLOY.request(at, "edge01", DeployOptions(**options)), seen, NOW)


def installed(*extensions: Extension, at: Site = SITE, world: Any = WORLD, **options: Any) -> Plan:
    """By `extension deploy`."""
    seen = replace(world, extensions=Known(extensions))
    request = EXTENSION_DEPLOY.request(at, "edge01", ExtensionDeployOptions(**options))
    return EXTENSION_DEPLOY.make_plan(at, request, seen, NOW)


def reinstalled(*extensions: Extension, at: Site = SITE, world: Any = WORLD, **options: Any) -> Plan:
    """By `extension reinstall`."""
    seen = replace(world, extensions=Known(extensions))
    removal = replace(REMOVABLE, extensions=seen.extensions, connected=seen.connected)
    request = REINSTALLATION.request(at, "edge01", ReinstallOptions(**options))
    return REINSTALLATION.make_plan(at, request, Observation(removal, seen, Known(()), Known(())), NOW)


EACH = pytest.mark.parametrize("install", [deployed, installed, reinstalled])


def params(plan: Plan, kind: str = "extension.install") -> Any:
    """Of the step that installs it."""
    return next(step.params for step in plan.steps if step.kind == kind)


def sent(plan: Plan) -> tuple[Any, ...]:
    """Its settings of the encryption, and which certificate goes with it."""
    values = params(plan)
    settings = {key: value for key, value in values["settings"].items() if key.startswith(("cert-manager", "http"))}
    return settings, values.get("certificate", {}).get("fingerprint", ""), values.get("tls_secret", "")


def codes(plan: Plan) -> set[str]:
    """Of all findings."""
    return {finding.code for finding in plan.findings}


@EACH
@pytest.mark.parametrize(
    ("options", "extension", "expected"),
    [
        ({"tls": "certificate"}, None, (OWN, "9f86d081", "")),
        ({"tls": "secret", "tls_secret": "edge"}, None, (OWN, "", "edge")),
        ({"tls": "http"}, None, ({"httpEnabled": "true", "cert-manager.install": "false"}, "", "")),
        ({}, None, ({"cert-manager.install": "false"}, "", "")),
        ({}, CERTIFIED, (OWN, "9f86d081", "")),
        ({"tls": "cert-manager"}, CERTIFIED, ({"cert-manager.install": "false"}, "", "")),
    ],
)
def test_the_way_that_is_named_counts_and_else_that_of_the_extension_in_whose_place_it_comes(
    install: Installs, options: dict[str, Any], extension: Extension | None, expected: tuple[Any, ...]
) -> None:
    assert sent(install(*filter(None, (extension,)), **options)) == expected


@EACH
def test_the_site_s_way_counts_where_nobody_names_one(install: Installs) -> None:
    certified = site(tls="certificate")

    assert sent(install(at=certified)) == (OWN, "9f86d081", "")
    assert sent(install(at=certified, tls="http"))[0]["httpEnabled"] == "true"
    assert sent(install(at=site(tls="secret", tls_secret="edge"))) == (OWN, "", "edge")


@EACH
def test_the_first_free_address_that_the_certificate_names_is_the_one_that_the_extension_gets(
    install: Installs,
) -> None:
    plan = install(tls="certificate")
    hold = params(plan, "service_ip.hold")

    assert (hold["address"], hold["picked"], hold["certified"], plan.blockers) == ("10.112.0.9", False, True, ())
    assert {CertificateCode.CERTIFICATE_FITS, Code.ADDRESS_GIVEN, Code.CERT_MANAGER_NOT_USED} <= codes(plan)


def test_a_certificate_that_names_no_free_address_is_refused_with_the_one_that_it_would_need() -> None:
    named = replace(WORLD, certificate=replace(CERTIFICATE, names=("10.112.0.1",)))
    plan = deployed(world=named, tls="certificate")

    assert [(finding.code, finding.facts["hosts"]) for finding in plan.blockers] == [
        (CertificateCode.CERTIFICATE_OTHER_NAMES, ("10.112.0.2",))
    ]


def test_a_failed_extension_keeps_its_address_where_the_certificate_names_it() -> None:
    failed = replace(CERTIFIED, settings={**OWN, "service.clusterIP": "10.112.0.9"})
    other = replace(CERTIFIED, settings={**OWN, "service.clusterIP": "10.112.0.7"})

    assert [params(deployed(own), "service_ip.hold")["address"] for own in (failed, other)] == ["10.112.0.9"] * 2


@EACH
def test_nobody_knows_which_secret_the_extension_had_so_somebody_has_to_name_it(install: Installs) -> None:
    assert TlsCode.TLS_SECRET_UNNAMED in {finding.code for finding in install(BY_SECRET).blockers}
    assert sent(install(BY_SECRET, tls="secret", tls_secret="edge")) == (OWN, "", "edge")


def test_people_learn_what_goes_with_it() -> None:
    brought = replace(FAILED, settings={"cert-manager.install": "true"})

    assert TlsCode.PLAIN_HTTP in codes(deployed(tls="http"))
    assert TlsCode.TLS_SECRET_UNSEEN in codes(deployed(tls="secret", tls_secret="edge"))
    assert TlsCode.CERT_MANAGER_GOES in codes(deployed(brought, tls="certificate"))
    assert ReinstallCode.TLS_SECRET_GOES in codes(reinstalled(FAILED, tls="secret", tls_secret="edge"))
    assert ReinstallCode.SETTINGS_LOST not in codes(reinstalled(CERTIFIED))


def test_an_extension_that_works_keeps_its_way_and_another_one_is_refused() -> None:
    working = replace(CERTIFIED, provisioning_state="Succeeded")
    kept = deployed(working)

    assert (params(kept)["settings"], "certificate" in params(kept)) == (OWN, False)
    assert [finding.code for finding in deployed(working, tls="http").blockers] == [TlsCode.TLS_DIFFERS]


@pytest.mark.parametrize("options", [{"tls": "secret"}, {"tls_secret": "edge"}, {"tls": "secret", "tls_secret": "No"}])
def test_a_secret_belongs_to_its_way(options: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        deployed(**options)


@pytest.mark.parametrize(
    "values",
    [{"tls": "certificate"}, {"tls": "secret"}, {"tls_secret": "edge"}, {"tls": "secret", "tls_secret": "No Secret"}],
)
def test_a_site_that_names_a_way_names_its_certificate(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="tls"):
        Site.model_validate(SITE.model_dump() | {"extension": values})
