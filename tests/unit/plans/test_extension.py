"""What is planned for an extension alone: its installation, its deletion, its change."""

from dataclasses import replace
from typing import Any

import pytest

from services.model.azure import Token
from services.model.errors import Invalid
from services.model.kubernetes import Node, Workload
from services.model.plan import Plan
from services.operations.answers import Known
from services.operations.azure_checks import AzureCode
from services.operations.deploy.codes import Code as DeployCode
from services.operations.deploy.codes import ExtensionCode
from services.operations.deploy.extension_alone import EXTENSION_DEPLOY, ExtensionDeployOptions
from services.operations.extension_update.procedure import EXTENSION_UPDATE
from services.operations.extension_update.request import Code, ExtensionUpdateOptions
from services.operations.parents import ParentCode
from services.operations.registry_checks import RegistryCode
from services.operations.remove.extension_alone import EXTENSION_DELETION, ExtensionDeleteOptions
from services.operations.remove.request import Code as RemoveCode
from services.operations.tls import TlsCode
from tests.golden.kinds import EXTENSION_WORLD
from tests.golden.values import EXTENSION, NOW, REGISTRY, SEEN, SITE
from tests.unit.plans.test_rollback import SEEN as REMOVABLE

TOKEN = Token("/acr/tokens/edge01", "edge01", "/acr/scopeMaps/edge01", enabled=True)
INACTIVE = replace(REGISTRY, activation="Inactive", login_server="")
INSTALLABLE = replace(SEEN, connected=Known((INACTIVE,)), token=Known(TOKEN))


def notable(plan: Plan) -> set[str]:
    """Codes of what people should know."""
    return {finding.code for finding in plan.findings if finding.level != "ok"}


def installed(protocol: Any = None, **answers: Any) -> Plan:
    """The plan of an installation, in a world with these answers."""
    request = EXTENSION_DEPLOY.request(SITE, "edge01", ExtensionDeployOptions(parent_protocol=protocol))
    return EXTENSION_DEPLOY.make_plan(SITE, request, replace(INSTALLABLE, **answers), NOW)


def changed(options: ExtensionUpdateOptions, extension: object = None, **answers: Any) -> Plan:
    """The plan of a change of an extension, likewise."""
    if extension is not None:
        answers["extensions"] = Known((extension,))
    request = EXTENSION_UPDATE.request(SITE, "edge01", options)
    return EXTENSION_UPDATE.make_plan(SITE, request, replace(EXTENSION_WORLD, **answers), NOW)


OWN = replace(
    EXTENSION,
    settings={"service.clusterIP": REGISTRY.login_server},
    secrets=("connectionString",),
    auto_upgrade=True,
    version="0.11.0",
)


def test_an_installation_leaves_the_connected_registry_as_it_is() -> None:
    assert [step.kind for step in installed().steps] == [
        "service_ip.hold",
        "provider.register",
        "acr.data_endpoint",
        "extension.install",
        "cluster.verify",
        "connected.online",
    ]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"connected": Known(())}, RegistryCode.CONNECTED_ABSENT),
        ({"connected": Known((replace(INACTIVE, parent="plant"),))}, ParentCode.PARENT_PROTOCOL_UNKNOWN),
        (
            {
                "connected": Known(
                    (INACTIVE, replace(INACTIVE, name="edge02", client_token_ids=("/acr/tokens/edge01",)))
                )
            },
            ExtensionCode.TOKEN_SHARED,
        ),
        ({"token": Known(None)}, ExtensionCode.TOKEN_ABSENT),
        ({"token": Known(replace(TOKEN, enabled=False))}, DeployCode.TOKEN_DISABLED),
        ({"connected": Known((REGISTRY,))}, DeployCode.ALREADY_ACTIVATED),
    ],
)
def test_an_installation_that_could_not_sync_is_refused(answers: dict[str, Any], code: str) -> None:
    assert code in {finding.code for finding in installed(**answers).blockers}


@pytest.mark.parametrize(
    ("registry", "protocol", "code"),
    [
        ({"parent": "plant", "gateway_endpoint": "10.1.0.5"}, "https", ParentCode.PARENT_REACHED),
        ({"parent": "plant", "gateway_endpoint": "10.1.0.5"}, "http", ParentCode.PARENT_PLAIN_HTTP),
        ({"parent": "plant"}, "https", ParentCode.PARENT_ENDPOINT_UNKNOWN),
        ({}, "http", ParentCode.PARENT_IS_CLOUD),
    ],
)
def test_one_below_another_is_installed_where_somebody_says_how_that_is_served(
    registry: dict[str, Any], protocol: Any, code: str
) -> None:
    seen = Known((replace(INACTIVE, **registry),))
    plan = installed(protocol, connected=seen)
    sent = [step.params.get("parent_protocol") for step in plan.steps if step.kind == "extension.install"]

    assert code in {finding.code for finding in plan.findings}
    assert sent == [protocol if registry else None]


def test_a_token_of_another_name_is_the_one_that_gets_the_password() -> None:
    older = replace(TOKEN, name="edge01-sync-token")
    steps = installed(token=Known(older)).steps

    assert [step.params["token"] for step in steps if step.kind == "extension.install"] == ["edge01-sync-token"]


def test_a_deletion_says_what_stays_and_who_pulls() -> None:
    seen = replace(REMOVABLE, workloads=Known((Workload("shop", "till", ("10.112.0.2/team/app:v1",)),)))
    request = EXTENSION_DELETION.request(SITE, "edge01", ExtensionDeleteOptions())
    plan = EXTENSION_DELETION.make_plan(SITE, request, seen, NOW)
    gone = EXTENSION_DELETION.make_plan(
        SITE, request, replace(seen, extensions=Known(()), namespace_phase=Known("")), NOW
    )

    assert [step.kind for step in plan.steps] == ["extension.remove", "namespace.gone"]
    assert notable(plan) == {RemoveCode.CONNECTED_STAYS_ACTIVE, RemoveCode.WORKLOADS}
    assert gone.steps == ()


def test_a_change_names_what_it_brings_along() -> None:
    labelled = Node("hamburg-1", "linux", "amd64", True, {"containerd-configured-by": "connected-registry"})
    everything = ExtensionUpdateOptions(
        release_train="preview",
        auto_upgrade=False,
        tls="http",
        trust_node_selector=True,
        service_type="NodePort",
        dns_name="edge01.example.com",
    )

    assert notable(changed(everything, OWN)) == {
        Code.RESTARTS,
        TlsCode.PLAIN_HTTP,
        Code.FROM_OUTSIDE,
        Code.DNS_NAME,
        Code.NO_NODE_LABELLED,
    }
    assert notable(changed(ExtensionUpdateOptions(trust_node_selector=True), OWN, nodes=Known((labelled,)))) == {
        Code.RESTARTS
    }
    assert notable(changed(ExtensionUpdateOptions(auto_upgrade=False), OWN)) == set()
    assert changed(ExtensionUpdateOptions(auto_upgrade=True), OWN).steps == ()


def test_cert_manager_comes_back_where_the_cluster_has_none_and_a_secret_s_name_goes() -> None:
    own = replace(
        OWN, settings={**OWN.settings, "cert-manager.install": "false"}, secrets=("connectionString", "tls.secret")
    )
    plan = changed(ExtensionUpdateOptions(tls="cert-manager"), own, cert_manager=Known(False))

    assert plan.steps[0].params["settings"] == {"cert-manager.install": ("false", "true")}
    assert plan.steps[0].params["token"] == "edge01"


@pytest.mark.parametrize(
    ("options", "extension", "answers", "code"),
    [
        (
            ExtensionUpdateOptions(version="0.11.0"),
            replace(OWN, provisioning_state="Updating"),
            {},
            Code.EXTENSION_BUSY,
        ),
        (ExtensionUpdateOptions(version="0.11.0"), None, {"extensions": Known(())}, Code.EXTENSION_ABSENT),
        (
            ExtensionUpdateOptions(tls="secret", tls_secret="edge"),
            replace(OWN, secrets=("connectionString", "proxy")),
            {},
            Code.OTHER_SECRETS,
        ),
        (
            ExtensionUpdateOptions(tls="secret", tls_secret="edge"),
            OWN,
            {"tokens": Known(())},
            Code.NO_CONNECTION_STRING,
        ),
        (
            ExtensionUpdateOptions(version="0.10.0"),
            OWN,
            {"missing_at_cluster": Known(("x",))},
            AzureCode.ACTIONS_MISSING,
        ),
    ],
)
def test_a_change_that_would_lose_something_is_refused(
    options: ExtensionUpdateOptions, extension: object, answers: dict[str, Any], code: str
) -> None:
    assert code in {finding.code for finding in changed(options, extension, **answers).blockers}


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (ExtensionUpdateOptions(), "extension_update.nothing"),
        (ExtensionUpdateOptions(version="0.11.0", auto_upgrade=True), "auto_upgrade.pinned"),
        (ExtensionUpdateOptions(tls="secret"), "tls_secret.with_tls"),
        (ExtensionUpdateOptions(tls="secret", tls_secret="No Secret"), "tls_secret.pattern"),
        (ExtensionUpdateOptions(dns_name="edge01"), "dns_name.pattern"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: ExtensionUpdateOptions, rule: str) -> None:
    with pytest.raises(Invalid) as refusal:
        EXTENSION_UPDATE.request(SITE, "edge01", options)

    assert refusal.value.rule == rule
