"""What a reinstallation does with what is there, and what it thinks of the world afterwards."""

from dataclasses import replace
from typing import Any

from services.model.azure import ConnectedRegistry, Extension, ExtensionStatus
from services.model.kubernetes import Runtime, ServiceRanges
from services.model.plan import Plan
from services.operations.answers import Answer, Known
from services.operations.reinstall.procedure import REINSTALLATION, Observation
from services.operations.reinstall.request import Code, ReinstallOptions
from tests.golden.kinds import sync_token
from tests.golden.values import EXTENSION, NOW, REGISTRY, SEEN, SITE
from tests.unit.plans.test_rollback import SEEN as REMOVABLE

FAILED = replace(EXTENSION, provisioning_state="Failed", settings={"service.clusterIP": "10.112.0.2"})
INACTIVE = replace(REGISTRY, activation="Inactive", connection_state="Offline")


def plan_of(
    extension: Extension | None = FAILED,
    registry: ConnectedRegistry = INACTIVE,
    ranges: Answer[ServiceRanges] = SEEN.ranges,
    runtime: Answer[Runtime | None] = SEEN.runtime,
    **options: Any,
) -> Plan:
    """Of one that is there, or None."""
    extensions = Known[tuple[Extension, ...]]((extension,) if extension else ())
    connected = Known[tuple[ConnectedRegistry, ...]]((registry,))
    removal = replace(REMOVABLE, extensions=extensions, connected=connected, namespace_phase=Known("Terminating"))
    seen = replace(
        SEEN,
        extensions=extensions,
        connected=connected,
        token=Known(sync_token("edge01")),
        namespace_phase=Known("Terminating"),
        ranges=ranges,
        runtime=runtime,
    )
    request = REINSTALLATION.request(SITE, "edge01", ReinstallOptions(**options))
    return REINSTALLATION.make_plan(SITE, request, Observation(removal, seen, Known(()), Known(())), NOW)


def kinds(plan: Plan) -> list[str]:
    """Of the steps on the extension and the activation."""
    return [step.kind for step in plan.steps if step.kind.startswith(("extension.", "namespace.", "connected."))]


def settings(plan: Plan) -> Any:
    """What the extension is installed with."""
    return next(step.params["settings"] for step in plan.steps if step.kind == "extension.install")


def test_a_failed_extension_goes_before_it_is_installed_with_what_was_chosen() -> None:
    plan = plan_of(storage_class="standard", version="newest")

    assert kinds(plan) == ["extension.remove", "namespace.gone", "extension.install", "connected.online"]
    assert settings(plan)["pvc.storageClassName"] == "standard"
    assert (plan.blockers, plan.findings[0].code) == ((), Code.EXTENSION_GOES)


def test_an_activation_that_outlives_the_extension_ends_before_the_next_installation() -> None:
    assert kinds(plan_of(registry=REGISTRY))[1:4] == ["namespace.gone", "connected.deactivate", "connected.inactive"]


def test_a_namespace_that_is_terminating_is_waited_for_where_there_is_no_extension_any_more() -> None:
    plan = plan_of(extension=None)

    assert kinds(plan)[:2] == ["namespace.gone", "extension.install"]
    assert plan.blockers == ()


def test_the_address_of_the_service_that_goes_is_free_for_the_next_installation() -> None:
    ranges = Known(ServiceRanges(("10.112.0.0/24",), frozenset({"10.112.0.1", "10.112.0.2"}), "ServiceCIDR"))
    runtime = Known[Runtime | None](Runtime(service_addresses=("10.112.0.2",)))
    plan = plan_of(
        replace(FAILED, provisioning_state="Succeeded"), service_ip="10.112.0.2", ranges=ranges, runtime=runtime
    )

    assert (plan.blockers, [step.params["address"] for step in plan.steps if step.kind == "service_ip.hold"]) == (
        (),
        ["10.112.0.2"],
    )


def test_nodes_go_on_pulling_by_the_address_that_they_know_unless_it_is_somebody_else_s() -> None:
    ranges = Known(ServiceRanges(("10.112.0.0/24",), frozenset({"10.112.0.1", "10.112.0.7"}), "ServiceCIDR"))
    extension = replace(FAILED, settings={"service.clusterIP": "10.112.0.7"})

    def address(*own: str) -> object:
        plan = plan_of(extension, ranges=ranges, runtime=Known(Runtime(service_addresses=own)))
        return next(step.params["address"] for step in plan.steps if step.kind == "service_ip.hold")

    assert (address("10.112.0.7"), address()) == ("10.112.0.7", "10.112.0.2")


def test_a_cert_manager_that_goes_with_the_extension_is_brought_again_and_another_one_is_kept() -> None:
    conflict = ExtensionStatus(
        "InstallationFailed",
        'CustomResourceDefinition "certificates.cert-manager.io" in namespace "" exists and cannot be imported',
    )

    assert "cert-manager.install" not in settings(plan_of())
    assert settings(plan_of(extension=replace(FAILED, problems=(conflict,))))["cert-manager.install"] == "false"
    given = replace(FAILED, settings={**FAILED.settings, "cert-manager.install": "false"})
    assert settings(plan_of(extension=given))["cert-manager.install"] == "false"


def test_settings_that_the_extension_got_since_are_named() -> None:
    extension = replace(FAILED, settings={**FAILED.settings, "service.type": "NodePort"}, secrets=("connectionString",))
    [finding] = [one for one in plan_of(extension=extension).findings if one.code == Code.SETTINGS_LOST]

    assert finding.facts["settings"] == ("service.type",)
    assert Code.SETTINGS_LOST not in {one.code for one in plan_of().findings}
