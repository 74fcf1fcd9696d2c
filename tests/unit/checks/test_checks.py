"""What each check finds in which world, and that people can read every finding."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.views.facts import UNKNOWN
from handlers.views.findings import render
from handlers.views.procedures.deploy_findings import FINDINGS
from services.model.azure import ConnectedRegistry, Extension, ExtensionStatus, PasswordSlot, ScopeMap, Token
from services.model.errors import NoAccess, NotAllowed, NotAuthenticated, NotNeeded, Unreachable
from services.model.kubernetes import Node, Runtime, ServiceRanges, StorageClass
from services.model.plan import Finding
from services.operations.answers import Known, NotAsked, Unknown
from services.operations.checks import UNASKED, UNPROVEN
from services.operations.deploy.checks import CHECKS, run
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployOptions, DeployRequest, deploy_request
from services.policy.sites import Site, sync_actions

Change = dict[str, Any]
SEEN_AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
DOWN = Unreachable("kubernetes", "berlin", "ClientConnectorError", "no route")
TYPE = "microsoft.containerregistry.connectedregistry"


def connected(**changes: Any) -> ConnectedRegistry:
    """`edge01` as a deployment with the site's values leaves it, not activated yet."""
    values: dict[str, Any] = {
        "id": "/acr/connectedRegistries/edge01",
        "name": "edge01",
        "mode": "ReadOnly",
        "connection_state": "Offline",
        "activation": "Inactive",
        "provisioning_state": "Succeeded",
        "token_id": "/acr/tokens/edge01",
        "schedule": "* * * * *",
        "window": None,
        "message_ttl": timedelta(days=2),
        "last_activity": SEEN_AT,
    }
    return ConnectedRegistry(**values | changes)


def extension(**changes: Any) -> Extension:
    """The extension of `edge01`, installed."""
    values: dict[str, Any] = {
        "id": "/x",
        "name": "edge01",
        "type": TYPE,
        "provisioning_state": "Succeeded",
        "settings": {"service.clusterIP": "10.96.0.20", "pvc.storageRequest": "250Gi"},
        "version": "0.11.0",
    }
    return Extension(**values | changes)


def scope_map(*actions: str) -> ScopeMap:
    return ScopeMap("/acr/scopeMaps/edge01", "edge01", actions)


def token(**changes: Any) -> Token:
    values: dict[str, Any] = {"id": "/acr/tokens/edge01", "name": "edge01", "scope_map_id": "/acr/scopeMaps/edge01"}
    return Token(**values | {"enabled": True, "passwords": (PasswordSlot("password1"),)} | changes)


def cluster(connectivity: str) -> Callable[[Observation], Change]:
    def change(clean: Observation) -> Change:
        assert isinstance(clean.cluster, Known)
        assert clean.cluster.value
        return {"cluster": Known(replace(clean.cluster.value, connectivity=connectivity))}

    return change


def registry(**values: Any) -> Callable[[Observation], Change]:
    def change(clean: Observation) -> Change:
        assert isinstance(clean.registry, Known)
        assert clean.registry.value
        return {"registry": Known(replace(clean.registry.value, **values))}

    return change


def listed(*addresses: str, **changes: Any) -> Change:
    """The world of a site without access to its cluster, whose site file lists these addresses."""
    unseen = ("kubernetes_version", "missing_rights", "namespace_phase", "nodes", "storage_classes", "runtime")
    ranges = ServiceRanges(("10.96.0.0/16",), frozenset({"10.96.0.21"}), "site file", addresses)
    stated = {"ranges": Known(ranges, proven=False), "cert_manager": Known(False, proven=False)}
    return dict.fromkeys(unseen, NotAsked(NoAccess("kubernetes", "berlin"))) | stated | changes


def used(*addresses: str, ranges: tuple[str, ...] = ("10.96.0.0/16",)) -> Change:
    return {"ranges": Known(ServiceRanges(ranges, frozenset(addresses), "ServiceCIDR"))}


SMALL = tuple(f"10.96.0.{number}" for number in range(1, 15))
HELLO = sync_actions("edge01", "ReadOnly", ("hello-world",))
OTHER = sync_actions("edge01", "ReadOnly", ("nginx",))

Scenario = tuple[str, str, Change | Callable[[Observation], Change], Change]
"""Code and level expected, what is seen otherwise than in the clean world, and what is asked otherwise."""

SCENARIOS: tuple[Scenario, ...] = (
    ("unasked", "unknown", {"providers": Unknown(DOWN)}, {}),
    ("providers_registered", "ok", {}, {}),
    ("providers_missing", "warning", {"providers": Known({"microsoft.kubernetes": "Registered"})}, {}),
    ("registry_found", "ok", {}, {}),
    ("registry_absent", "blocker", {"registry": Known(None)}, {}),
    ("registry_to_create", "warning", {"registry": Known(None)}, {"create_in": "westeurope"}),
    (
        "registry_name_taken",
        "blocker",
        {"registry": Known(None), "name_refusal": Known("The registry contosoacr is already in use.")},
        {"create_in": "westeurope"},
    ),
    ("registry_premium", "ok", {}, {}),
    ("registry_not_premium", "blocker", registry(sku="Basic"), {}),
    ("data_endpoint_on", "ok", {}, {}),
    ("data_endpoint_off", "warning", registry(data_endpoint=False), {}),
    ("registry_private", "warning", registry(public_network_access="Disabled", default_action="Deny"), {}),
    ("registry_fenced", "warning", registry(public_network_access="Enabled", default_action="Deny"), {}),
    ("registry_ready", "ok", {}, {}),
    ("registry_busy", "warning", registry(provisioning_state="Updating"), {}),
    ("registry_broken", "blocker", registry(provisioning_state="Failed"), {}),
    ("cluster_connected", "ok", {}, {}),
    ("cluster_absent", "blocker", {"cluster": Known(None)}, {}),
    ("cluster_connecting", "blocker", cluster("Connecting"), {}),
    ("cluster_offline", "blocker", cluster("Offline"), {}),
    ("cluster_expired", "blocker", cluster("Expired"), {}),
    ("cluster_no_agents", "blocker", cluster("AgentNotInstalled"), {}),
    ("cluster_state_unknown", "warning", cluster("Dormant"), {}),
    ("name_free", "ok", {}, {}),
    ("connected_reused", "ok", {"connected": Known((connected(),))}, {}),
    ("connected_mode_differs", "blocker", {"connected": Known((connected(),))}, {"mode": "ReadWrite"}),
    ("connected_has_parent", "blocker", {"connected": Known((connected(parent="hub01"),))}, {}),
    ("connected_token_differs", "blocker", {"connected": Known((connected(token_id="/acr/tokens/old"),))}, {}),
    (
        "connected_settings_differ",
        "blocker",
        {"connected": Known((connected(),))},
        {"schedule": "0 3 * * *", "window": timedelta(hours=3)},
    ),
    ("connected_busy", "blocker", {"connected": Known((connected(provisioning_state="Deleting"),))}, {}),
    ("quota_left", "ok", {}, {}),
    ("quota_full", "blocker", {"connected": Known(tuple(connected(name=f"other{n}") for n in range(50)))}, {}),
    ("scope_map_free", "ok", {}, {}),
    ("scope_map_reused", "ok", {"scope_map": Known(scope_map(*HELLO))}, {}),
    (
        "scope_map_changes",
        "warning",
        {"scope_map": Known(scope_map(*OTHER)), "token": Known(token()), "connected": Known((connected(),))},
        {},
    ),
    ("scope_map_foreign", "blocker", {"scope_map": Known(scope_map(*OTHER)), "token": Known(token())}, {}),
    ("permissions_fit", "ok", {}, {}),
    ("permissions_too_many", "blocker", {}, {"repositories": [f"team/app{n}" for n in range(249)]}),
    ("token_free", "ok", {}, {}),
    ("token_reused", "ok", {"token": Known(token())}, {}),
    ("token_foreign", "blocker", {"token": Known(token(scope_map_id="/acr/scopeMaps/other"))}, {}),
    (
        "token_in_use",
        "blocker",
        {"token": Known(token()), "connected": Known((connected(name="hub01"),))},
        {},
    ),
    ("token_disabled", "blocker", {"token": Known(token(enabled=False))}, {}),
    ("images_found", "ok", {"images": {"hello-world": Known("sha256:a")}}, {}),
    ("image_differs", "blocker", {"images": {"team/app": Known("sha256:b")}}, {"repositories": ("team/app",)}),
    ("repositories_empty", "blocker", {"images": {"hello-world": Known("")}}, {}),
    (
        "repository_misspelt",
        "blocker",
        {"images": {"hello-world": Known("sha256:a"), "helo-world": Known("")}},
        {"repositories": ("hello-world", "helo-world")},
    ),
    (
        "repositories_empty_for_now",
        "warning",
        {"images": {"hello-world": Known("")}},
        {"mode": "ReadWrite"},
    ),
    ("extension_free", "ok", {}, {}),
    (
        "extension_reused",
        "ok",
        {"extensions": Known((extension(),)), "connected": Known((connected(activation="Active"),))},
        {},
    ),
    ("extension_idle", "warning", {"extensions": Known((extension(),)), "connected": Known((connected(),))}, {}),
    (
        "extension_failed",
        "warning",
        {
            "extensions": Known(
                (extension(provisioning_state="Failed", problems=(ExtensionStatus("InstallationFailed", "err"),)),)
            ),
            "connected": Known((connected(),)),
        },
        {},
    ),
    (
        "extension_busy",
        "blocker",
        {"extensions": Known((extension(provisioning_state="Creating"),)), "connected": Known((connected(),))},
        {},
    ),
    ("extension_other_name", "blocker", {"extensions": Known((extension(name="other"),))}, {}),
    (
        "extension_serves_other",
        "blocker",
        {
            "extensions": Known((extension(name="other"),)),
            "connected": Known((connected(name="edge07", activation="Active", login_server="10.96.0.20"),)),
        },
        {},
    ),
    (
        "extension_unclear",
        "blocker",
        {
            "extensions": Known((extension(name="other"),)),
            "connected": Known(
                tuple(
                    connected(name=name, activation="Active", login_server="10.96.0.20")
                    for name in ("edge01", "edge07")
                )
            ),
        },
        {},
    ),
    (
        "extension_by_address",
        "warning",
        {
            "extensions": Known((extension(name="other"),)),
            "connected": Known((connected(activation="Active", login_server="10.96.0.20"),)),
        },
        {},
    ),
    (
        "extension_second",
        "warning",
        {
            "extensions": Known((extension(), extension(name="other", provisioning_state="Failed", settings={}))),
            "connected": Known((connected(activation="Active", login_server="10.96.0.20"),)),
        },
        {},
    ),
    ("extension_other_registry", "blocker", {"extensions": Known((extension(),))}, {}),
    (
        "extension_elsewhere",
        "blocker",
        {"extensions": Known((extension(release_namespace="edge"),)), "connected": Known((connected(),))},
        {},
    ),
    ("extension_name_taken", "blocker", {"extensions": Known((extension(type="microsoft.flux"),))}, {}),
    (
        "extension_settings_differ",
        "blocker",
        {"extensions": Known((extension(),)), "connected": Known((connected(),))},
        {"service_ip": "10.96.0.30"},
    ),
    ("not_activated", "ok", {"connected": Known((connected(),))}, {}),
    (
        "activated_here",
        "ok",
        {"connected": Known((connected(activation="Active"),)), "extensions": Known((extension(),))},
        {},
    ),
    ("already_activated", "blocker", {"connected": Known((connected(activation="Active"),))}, {}),
    ("kubernetes_reached", "ok", {}, {}),
    ("rights_complete", "ok", {}, {}),
    ("rights_missing", "blocker", {"missing_rights": Known(("create services in default",))}, {}),
    ("namespace_usable", "ok", {}, {}),
    ("namespace_terminating", "blocker", {"namespace_phase": Known("Terminating")}, {}),
    (
        "namespace_held",
        "blocker",
        {
            "namespace_phase": Known("Terminating"),
            "runtime": Known(Runtime("Terminating", namespace_message="finalizers remaining: example.com/hold")),
        },
        {},
    ),
    ("node_found", "ok", {}, {}),
    ("node_not_ready", "blocker", {"nodes": Known((Node("n1", "linux", "amd64", False),))}, {}),
    ("node_absent", "blocker", {"nodes": Known((Node("n1", "linux", "arm64", True),))}, {}),
    ("storage_found", "ok", {}, {}),
    ("storage_absent", "blocker", {}, {"storage_class": "fast"}),
    ("storage_no_default", "blocker", {"storage_classes": Known((StorageClass("slow", False),))}, {}),
    (
        "settings_not_sent",
        "warning",
        {"extensions": Known((extension(provisioning_state="Failed", secrets=("proxy.password", "tls.key")),))},
        {},
    ),
    ("cert_manager_to_install", "ok", {}, {}),
    ("cert_manager_there", "ok", {"cert_manager": Known(True)}, {}),
    ("cert_manager_kept", "ok", {"cert_manager": Known(True), "extensions": Known((extension(),))}, {}),
    ("cert_manager_not_used", "ok", {}, {"tls": "secret", "tls_secret": "edge"}),
    (
        "address_kept",
        "ok",
        {"extensions": Known((extension(),)), "runtime": Known(Runtime(service_addresses=("10.96.0.20",)))}
        | used("10.96.0.20"),
        {},
    ),
    ("address_given", "ok", {}, {"service_ip": "10.96.0.30"}),
    ("address_picked", "ok", {}, {}),
    ("address_picked_high", "warning", used(*SMALL[:5], ranges=("10.96.0.0/28",)), {}),
    ("address_outside", "blocker", {}, {"service_ip": "192.100.100.1"}),
    ("address_reserved", "blocker", {}, {"service_ip": "10.96.255.255"}),
    ("address_taken", "blocker", used("10.96.0.30"), {"service_ip": "10.96.0.30"}),
    ("address_leased", "blocker", {"leased": frozenset({"10.96.0.30"})}, {"service_ip": "10.96.0.30"}),
    ("unproven", "unknown", listed("10.96.0.20"), {}),
    ("cert_manager_down", "warning", {"cert_manager": Known(True), "cert_manager_runs": Known(False)}, {}),
    ("cert_manager_stated_there", "ok", listed("10.96.0.20", cert_manager=Known(True, proven=False)), {}),
    ("cert_manager_stated_absent", "ok", listed("10.96.0.20"), {}),
    ("address_listed", "ok", listed("10.96.0.20"), {}),
    ("address_unproven", "ok", listed("10.96.0.20"), {"service_ip": "10.96.0.30"}),
    ("listed_addresses_used", "blocker", listed("10.96.0.21"), {}),
    ("addresses_full", "blocker", used(*SMALL, ranges=("10.96.0.0/28",)), {}),
)


def missing(*fields: str) -> Change:
    """Questions that could not be asked, all for the same reason."""
    return dict.fromkeys(fields, Unknown(DOWN))


def found(scenario: Scenario, site: Site, clean: Observation) -> Finding:
    """The finding that the scenario is about."""
    code, _, change, options = scenario
    options = dict(options)
    create_in = options.pop("create_in", None)
    place = site.model_copy(update={"acr": site.acr.model_copy(update={"create_in": create_in})})
    seen = replace(clean, **(change(clean) if callable(change) else change))
    findings = run(place, deploy_request(place, "edge01", DeployOptions(**options)), seen)
    matching = [finding for finding in findings if finding.code == code]
    assert matching, [(finding.code, finding.level) for finding in findings]
    return matching[0]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario[0])
def test_a_world_gives_the_finding_of_its_level(scenario: Scenario, site: Site, clean: Observation) -> None:
    assert found(scenario, site, clean).level == scenario[1]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario[0])
def test_a_finding_reads_without_a_gap(scenario: Scenario, site: Site, clean: Observation) -> None:
    words = render(found(scenario, site, clean), "deploy")

    assert UNKNOWN not in words.sentence + words.fix
    assert bool(words.line) == bool(words_of(scenario).line)


def words_of(scenario: Scenario) -> Any:
    """The template of the scenario's code; `unasked` has none of its own."""
    return FINDINGS.get(scenario[0], FINDINGS[Code.NAME_FREE])


def test_every_code_is_found_in_some_world() -> None:
    assert {scenario[0] for scenario in SCENARIOS} == {*Code, UNASKED, UNPROVEN}


def test_every_code_has_a_sentence() -> None:
    assert set(FINDINGS) == set(Code)


@pytest.mark.parametrize("code", [code for code, level, _, _ in SCENARIOS if level == "blocker"])
def test_every_blocker_says_how_to_mend_it(code: str) -> None:
    assert FINDINGS[code].fix


_SILENT = frozenset(
    {
        "registry.name",
        "registry.network",
        "connected.activation",
        "extension.settings",
        "extension.tls",
        "tls.certificate",
        "kubernetes.runtime",
        "images.wait",
    }
)
"""Checks that have nothing to say there."""


def test_in_a_clean_world_every_check_says_ok_that_has_something_to_say(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    findings = run(site, request_, clean)

    assert [finding.check for finding in findings if finding.level == "ok"] == [
        check.id for check in CHECKS if check.id not in _SILENT
    ]


def test_findings_name_the_sites_things(site: Site, request_: DeployRequest, clean: Observation) -> None:
    facts = run(site, request_, clean)[0].facts

    assert (facts["registry"], facts["cluster"], facts["name"]) == ("contosoacr", "berlin-arc", "edge01")


@pytest.mark.parametrize("field", ["registry", "connected", "cluster", "extensions", "ranges", "scope_map", "token"])
def test_a_question_without_which_no_plan_can_be_made_blocks_when_it_has_no_answer(
    field: str, site: Site, request_: DeployRequest, clean: Observation
) -> None:
    findings = run(site, request_, replace(clean, **missing(field)))

    assert [finding.level for finding in findings if finding.code == UNASKED] == ["blocker"]


@pytest.mark.parametrize("field", ["providers", "nodes", "storage_classes", "cert_manager", "missing_rights"])
def test_a_question_that_the_plan_can_do_without_is_unknown_when_it_has_no_answer(
    field: str, site: Site, request_: DeployRequest, clean: Observation
) -> None:
    findings = run(site, request_, replace(clean, **missing(field)))

    assert [finding.level for finding in findings if finding.code == UNASKED] == ["unknown"]


def test_a_cluster_that_can_not_be_reached_is_told_once(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    fields = ("kubernetes_version", "nodes", "storage_classes", "namespace_phase", "cert_manager", "ranges")
    findings = run(site, request_, replace(clean, **missing(*fields, "missing_rights", "runtime")))

    assert [finding.check for finding in findings if finding.code == UNASKED] == ["kubernetes.reached"]


def test_a_question_that_was_left_out_on_purpose_gives_no_finding(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    findings = run(site, request_, replace(clean, providers=NotAsked(NotNeeded())))

    assert "providers.registered" not in [finding.check for finding in findings]


def test_what_no_cluster_was_asked_for_is_one_finding_that_blocks_nothing(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    findings = run(site, request_, replace(clean, **listed("10.96.0.20")))
    (unproven,) = [finding for finding in findings if finding.level != "ok"]

    assert unproven.code == UNPROVEN
    assert render(unproven, "deploy").sentence.partition("\n")[2] == (
        "Not looked at: the namespace connected-registry, whether a linux/amd64 node is ready, the storage class,"
        " whether the Service address is free, cert-manager and Pods, Service, volume and certificate after the"
        " installation."
    )


def test_a_right_that_the_bot_lacks_never_reads_like_a_no(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    denied = NotAllowed("kubernetes", "berlin", "Forbidden", "forbidden", action="list nodes")
    (finding,) = [one for one in run(site, request_, replace(clean, nodes=Unknown(denied))) if one.code == UNASKED]

    assert render(finding, "deploy").sentence == (
        "The cluster does not let the bot look: its own identity lacks `list nodes`.\n"
        "Not checked: A linux/amd64 node is ready."
    )


def test_a_refusal_that_names_no_right_is_told_in_its_own_words(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    denied = NotAllowed("kubernetes", "berlin", "Forbidden", "not you")
    (finding,) = [one for one in run(site, request_, replace(clean, nodes=Unknown(denied))) if one.code == UNASKED]

    assert render(finding, "deploy").sentence == (
        "The cluster does not let the bot look (`Forbidden`: `not you`).\nNot checked: A linux/amd64 node is ready."
    )


def test_a_question_about_a_site_alone_says_nothing_of_names(site: Site, clean: Observation) -> None:
    findings = run(site, deploy_request(site, None), clean)

    assert not {"connected.name", "scope_map.name", "token.name", "scope_map.permissions"} & {
        one.check for one in findings
    }


def test_an_address_in_the_way_comes_with_a_free_one(site: Site, clean: Observation) -> None:
    finding = found(
        ("address_taken", "blocker", used("10.96.0.1", "10.96.0.30"), {"service_ip": "10.96.0.30"}), site, clean
    )

    assert finding.facts["instead"] == "10.96.0.2"


def test_a_scope_map_in_the_way_says_what_would_be_lost(site: Site, clean: Observation) -> None:
    finding = found(
        ("scope_map_foreign", "blocker", {"scope_map": Known(scope_map(*HELLO, "repositories/x/content/read"))}, {}),
        site,
        clean,
    )

    assert finding.facts["removed"] == ("repositories/x/content/read",)


def test_an_installed_cert_manager_of_our_own_extension_is_not_taken_out_by_an_upgrade(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    seen = replace(clean, cert_manager=Known(True), extensions=Known((extension(provisioning_state="Failed"),)))
    (finding,) = [one for one in run(site, request_, seen) if one.check == "kubernetes.cert_manager"]

    assert finding.facts["install"] is True


def test_nobody_is_advised_to_deactivate_a_registry_that_may_be_active_in_this_very_cluster(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    names = ("edge01", "edge07")
    both = tuple(connected(name=name, activation="Active", login_server="10.96.0.20") for name in names)
    unclear = replace(clean, extensions=Known((extension(name="other"),)), connected=Known(both))

    assert "already_activated" not in [finding.code for finding in run(site, request_, unclear)]


@pytest.mark.parametrize(("claimed", "code"), [("500Gi", "extension_reused"), ("20Gi", "extension_settings_differ")])
def test_a_size_that_the_extension_does_not_set_is_the_claims_own(
    site: Site, request_: DeployRequest, clean: Observation, claimed: str, code: str
) -> None:
    silent = extension(settings={"service.clusterIP": "10.96.0.20"})
    world = replace(
        clean,
        extensions=Known((silent,)),
        connected=Known((connected(activation="Active", login_server="10.96.0.20"),)),
        runtime=Known(Runtime(volume_phase="Bound", volume_request=claimed)),
    )

    assert code in [finding.code for finding in run(site, request_, world)]


def test_one_refusal_of_azure_is_one_finding_that_names_what_it_affects(
    site: Site, request_: DeployRequest, clean: Observation
) -> None:
    azure = ("registry", "connected", "scope_map", "token", "cluster", "extensions", "providers")
    refusals: dict[str, Any] = {
        field: Unknown(NotAuthenticated("azure", f"/subscriptions/s/{field}", "AADSTS700213", field, reason="subject"))
        for field in azure
    }
    (finding,) = [one for one in run(site, request_, replace(clean, **refusals)) if one.code == UNASKED]

    assert finding.level == "blocker"
    assert render(finding, "deploy").sentence.endswith(
        "Not checked: Resource providers are registered, Registry exists, Cluster is connected to Azure Arc and 4 more."
    )


def test_two_missing_rights_are_two_findings(site: Site, request_: DeployRequest, clean: Observation) -> None:
    nodes, classes = (
        Unknown(NotAllowed("kubernetes", "berlin", "Forbidden", "forbidden", action=action))
        for action in ("list nodes", "list storageclasses")
    )
    findings = run(site, request_, replace(clean, nodes=nodes, storage_classes=classes))

    assert [one.check for one in findings if one.code == UNASKED] == ["kubernetes.node", "kubernetes.storage"]
