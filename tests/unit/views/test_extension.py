"""The verdict on an extension: every cure helps, and what is planned or unknown is no failure."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.views import extensions
from handlers.views.connected import Detail
from handlers.views.operation import card
from services.model.azure import ArcCluster, ExtensionStatus, Token
from services.model.errors import Failure, Unreachable
from services.model.kubernetes import Runtime
from services.model.operation import Outcome
from services.operations.answers import Known, Unknown
from services.operations.deploy.causes import Cause
from services.operations.deploy.extension_alone import ExtensionDeployOptions
from services.operations.deploy.installation import Installation
from services.policy.placement import Placement
from tests.golden.values import ACR, EXTENSION, NOW, REGISTRY, SITE, operation

AGO = NOW - timedelta(hours=1)
UP = Runtime(namespace_phase="Active", deployment_available=True, replicas=1, ready_replicas=1, pod_phase="Running")
REFUSED = replace(UP, log="HTTP 401 UNAUTHORIZED: incorrect password")
OFFLINE = replace(
    REGISTRY, connection_state="Offline", schedule="* * * * *", window=None, last_sync=AGO, last_activity=AGO
)


def verdict(**changes: Any) -> str:
    values: dict[str, Any] = {
        "registry": REGISTRY,
        "extension": EXTENSION,
        "cluster": Known(ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW)),
        "token": Known(Token("/t", "edge01", "/s", enabled=True)),
        "acr": Known(ACR),
        "runtime": Known(UP),
        "certificates": Known(()),
    }
    installation = Installation(SITE, **{**values, **changes})
    placement = Placement(extensions=((SITE, installation.extension),))
    message = extensions.card(Detail(SITE.acr_ref, installation.registry, placement), installation, NOW)
    return str(message.blocks[0]["text"]["text"])


def test_a_password_that_is_refused_is_replaced_without_removing_the_connected_registry() -> None:
    active, inactive, nested = (
        verdict(registry=registry, runtime=Known(REFUSED))
        for registry in (OFFLINE, replace(OFFLINE, activation="Inactive"), replace(OFFLINE, parent="plant"))
    )

    assert active.endswith("`/registry token rotate edge01 --site hamburg` gives it a new password.")
    assert "`/registry extension reinstall edge01 --site hamburg`, whose plan says what goes with it" in inactive
    assert "`/registry extension reinstall edge01 --site hamburg --choose`, whose plan says what goes with it" in nested


def test_a_failed_installation_is_installed_again_with_other_options() -> None:
    problem = ExtensionStatus("InstallationFailed", "cannot re-use a name that is still in use")
    text = verdict(extension=replace(EXTENSION, provisioning_state="Failed", problems=(problem,)), registry=OFFLINE)

    assert "does not work" in text
    assert "The command: `/registry extension reinstall edge01 --site hamburg --choose`." in text


def test_a_reinstallation_that_a_card_offers_has_what_was_asked_for() -> None:
    options = ExtensionDeployOptions(extension_name="edge", parent_protocol="http", tls="http")
    outcome = Outcome(Failure(Cause.CERT_MANAGER_ABSENT), 0)
    failed = operation(kind="extension deploy", state="failed", options=options, outcome=outcome)

    line = "extension reinstall edge01 --site hamburg --extension-name edge --parent-protocol http --tls http"
    assert line in str(card(failed).blocks)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"registry": replace(REGISTRY, connection_state="Offline"), "runtime": Known(REFUSED)},
            "is silent as planned",
        ),
        ({"extension": replace(EXTENSION, provisioning_state="Updating")}, "is Updating"),
        ({"runtime": Unknown(Unreachable("kubernetes", "hamburg"))}, "the cluster could not be asked"),
        ({"runtime": Known(replace(UP, deployment_available=False))}, "its Deployment is not available"),
        ({"runtime": Known(replace(UP, volume_phase="Lost"))}, "works for now, but its volume claim is Lost"),
        ({"registry": replace(OFFLINE, activation="Inactive")}, "is inactive"),
    ],
)
def test_what_is_planned_or_unknown_is_no_failure(changes: dict[str, Any], words: str) -> None:
    text = verdict(**changes)

    assert words in text
    assert "does not work" not in text
